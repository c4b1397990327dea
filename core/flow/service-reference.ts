/** A port of a Service, as a client asked for it. */
export interface ServiceReference {
  readonly namespace: string;
  readonly name: string;
  /** Name of the Service's port; empty when it has none. */
  readonly portName: string;
  /** What was asked for, as text, and its port. */
  readonly address: string;
  readonly port: number;
}

/** Equal keys = equal references. */
export function serviceReferenceKey({ namespace, name, portName, address, port }: ServiceReference): string {
  return `${namespace}/${name}/${portName}/${address}/${port}`;
}

/** `shop/web:80` */
export function serviceReferenceText({ namespace, name, port }: ServiceReference): string {
  return `${namespace}/${name}:${port}`;
}

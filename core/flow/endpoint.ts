import { type ServiceReference, serviceReferenceKey } from './service-reference.ts';

/** What is known about one address at the moment a flow was seen. */
export interface Endpoint {
  /** Text form: `10.0.1.7`, `fd00::7`; IPv4-mapped IPv6 is written as IPv4. Empty where the flow has none. */
  readonly address: string;
  /** Security identity; 0 = unknown. */
  readonly identity: number;
  readonly cluster: string;
  readonly namespace: string;
  readonly pod: string;
  readonly workloadKind: string;
  readonly workloadName: string;
  /** Identity labels with their source prefix, sorted: `k8s:app=web`. */
  readonly labels: readonly string[];
  /** DNS names known for the address. */
  readonly names: readonly string[];
  /** The node on which the address lives; empty for the world. */
  readonly node: string;
  /** The pod's interface on the host side; index 0 and an empty name for anything else. */
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  /** Node-local endpoint number; 0 = none. */
  readonly id: number;
  /** The Service through which the flow's client came to this backend; absent when it was none, or is not known. */
  readonly service?: ServiceReference;
}

export const NO_ENDPOINT: Endpoint = {
  address: '',
  identity: 0,
  cluster: '',
  namespace: '',
  pod: '',
  workloadKind: '',
  workloadName: '',
  labels: [],
  names: [],
  node: '',
  interfaceIndex: 0,
  interfaceName: '',
  id: 0,
};

/** Equal keys = equal endpoints. NUL and unit separators cannot occur in any of the parts. */
export function endpointKey(e: Endpoint): string {
  return [
    e.address,
    e.identity,
    e.cluster,
    e.namespace,
    e.pod,
    e.workloadKind,
    e.workloadName,
    e.labels.join('\u001f'),
    e.names.join('\u001f'),
    e.node,
    e.interfaceIndex,
    e.interfaceName,
    e.id,
    e.service === undefined ? '' : serviceReferenceKey(e.service),
  ].join('\0');
}

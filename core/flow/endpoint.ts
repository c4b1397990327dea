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
  /** Of a translation's program: the id of its cgroup, a safe integer. Absent elsewhere. */
  readonly cgroupId?: number;
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

/**
 * Stands for a list of texts in a key: 64 bits of two FNV-1a hashes. Label lists are the longest part of an endpoint, and
 * thousands of endpoints share few of them.
 */
function listKey(texts: readonly string[]): string {
  if (texts.length === 0) return '';
  let one = 0x811c9dc5;
  let other = 0x9747b28c;
  for (const text of texts) {
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      one = Math.imul(one ^ unit, 0x01000193);
      other = Math.imul(other ^ unit, 0x01000193) ^ (other >>> 15);
    }
    one = Math.imul(one ^ 0x1f, 0x01000193);
    other = Math.imul(other ^ 0x1f, 0x01000193);
  }
  return `${(one >>> 0).toString(36)}.${(other >>> 0).toString(36)}`;
}

/** Equal keys = equal endpoints, as far as 64 bits of labels tell. NUL and unit separators cannot occur in any of the parts. */
export function endpointKey(e: Endpoint): string {
  return [
    e.address,
    e.identity,
    e.cluster,
    e.namespace,
    e.pod,
    e.workloadKind,
    e.workloadName,
    listKey(e.labels),
    e.names.join('\u001f'),
    e.node,
    e.interfaceIndex,
    e.interfaceName,
    e.id,
    e.service === undefined ? '' : serviceReferenceKey(e.service),
    e.cgroupId ?? '',
  ].join('\0');
}

/** The host side of a pod's veth pair, in the node's network namespace. */
export interface PodInterface {
  readonly index: number;
  readonly name: string;
  /** What eBPF programs know the pod's network namespace by; undefined where it could not be asked for. */
  readonly namespaceCookie?: bigint;
}

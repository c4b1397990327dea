/** The host side of a pod's veth pair, in the node's network namespace. */
export interface PodInterface {
  readonly index: number;
  readonly name: string;
}

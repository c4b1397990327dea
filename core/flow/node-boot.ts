/** One life of one node's agent: a restart gives a new boot id, and sequences count within it. */
export interface NodeBoot {
  readonly cluster: string;
  readonly node: string;
  /** Random 64-bit number. */
  readonly bootId: bigint;
}

export function nodeBootKey(boot: NodeBoot): string {
  return `${boot.cluster}/${boot.node}/${boot.bootId.toString(16)}`;
}

/** A flow's id as text, unique in the world: `cluster/node/boot id in hex/sequence`. */
export function flowId(boot: NodeBoot, sequence: number): string {
  return `${nodeBootKey(boot)}/${sequence}`;
}

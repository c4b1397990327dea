/** One life of one node's agent: a restart gives a new boot id, and sequences count within it. */
export interface NodeBoot {
  readonly cluster: string;
  readonly node: string;
  /** Random 64-bit number. */
  readonly bootId: bigint;
}

/** A node whatever its agent's life: `cluster/node`. */
export function nodeKey({ cluster, node }: Pick<NodeBoot, 'cluster' | 'node'>): string {
  return `${cluster}/${node}`;
}

/** `cluster/node/boot id in hex`. */
export function nodeBootKey(boot: NodeBoot): string {
  return `${boot.cluster}/${boot.node}/${boot.bootId.toString(16)}`;
}

/** A flow's id as text, unique in the world: `cluster/node/boot id in hex/sequence`. */
export function flowId(boot: NodeBoot, sequence: number): string {
  return `${nodeBootKey(boot)}/${sequence}`;
}

/** The parts of a flow's id; undefined where the text is none. Clusters may have slashes in their names, nodes have not. */
export function parseFlowId(id: string): { boot: NodeBoot; sequence: number } | undefined {
  const parts = /^(.*)\/([^/]+)\/([0-9a-f]{1,16})\/(\d{1,16})$/.exec(id);
  const sequence = Number(parts?.[4]);
  if (parts === null || id.length > 600 || !Number.isSafeInteger(sequence)) return undefined;
  return { boot: { cluster: parts[1], node: parts[2], bootId: BigInt(`0x${parts[3]}`) }, sequence };
}

import { formatAddress } from '#runtime/address.ts';
import { primaryAddress } from '#runtime/cluster/node-address.ts';
import type { Node } from '#runtime/cluster/objects.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { PeerTarget } from './peer-target.ts';

/** Where node agents listen. */
const AGENT_PORT = 4244;

/** Tells which agents there are, at once and whenever the cluster's nodes change. Returns the function that ends it. */
export function discoverPeers(source: ClusterSource, tell: (targets: PeerTarget[]) => void): () => void {
  const targets = () => tell(source.list('Node').flatMap((node) => agentOf(node) ?? []));
  targets();
  return source.onChange(({ kind }) => {
    if (kind === 'Node') targets();
  });
}

/** The agent of a node, by its primary address; undefined while the node has none. */
function agentOf(node: Node): PeerTarget | undefined {
  const host = primaryAddress(node);
  if (host === undefined) return undefined;
  return { name: node.metadata.name, address: formatAddress({ kind: 'tcp', host, port: AGENT_PORT }) };
}

import { rowField } from './filter-field.ts';
import { glob } from './glob.ts';
import { namePattern } from './name-pattern.ts';

export const nodeField = rowField<{ cluster: string; node: string }>({
  name: 'node',
  doc: 'the node that observed it: "node" or "cluster/node"; "*" stands for any characters',
  example: 'node=worker-1',
  parse(text) {
    const slash = text.indexOf('/');
    const cluster = namePattern(text.slice(0, Math.max(slash, 0)), 'a cluster', { empty: slash <= 0 });
    if ('problem' in cluster) return cluster;
    const node = namePattern(text.slice(slash + 1), 'a node name', { empty: cluster.value !== '' });
    return 'problem' in node ? node : { value: { cluster: cluster.value, node: node.value } };
  },
  print: ({ cluster, node }) => (cluster === '' ? node : `${cluster}/${node}`),
  number: (columns, row) => columns.node[row],
  listOf: (number, { nodes }) => [nodes[number].node],
  predicate({ cluster, node }, _side, { nodes }) {
    const inCluster = cluster === '' ? () => true : glob(cluster);
    // "cluster/" is every node of it.
    const named = node === '' ? () => true : glob(node);
    // Boots are only ever appended, so an answer stays true.
    const answers: boolean[] = [];
    return (columns, row) => {
      const number = columns.node[row];
      answers[number] ??= inCluster(nodes[number].cluster) && named(nodes[number].node);
      return answers[number];
    };
  },
});

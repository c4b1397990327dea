import { type FilterPart, FlowFilterError, ofTold } from './filter-part.ts';
import { ANY_NAME, anyNamePattern, namePattern } from './name-pattern.ts';

/** `node_name`: `cluster/node`, each with `*` or left out for any; a bare name is a node's, in any cluster. */
export const nodeNameFilter: FilterPart = ({ nodeName }, tables) => {
  if (nodeName.length === 0) return [];
  const matches = anyNamePattern(nodeName.map(readPattern));
  const { nodes, told } = tables;
  if (told !== undefined) {
    return [
      ofTold(tables, (flow) =>
        matches((flow.nodeName.includes('/') ? flow.nodeName : `default/${flow.nodeName}`).toLowerCase()),
      ),
    ];
  }
  /** By node number: numbers never come to stand for another. */
  const answers: (boolean | undefined)[] = [];
  return [
    ({ node }, row) => {
      const number = node[row];
      const { cluster, node: name } = nodes[number];
      answers[number] ??= matches(`${cluster === '' ? 'default' : cluster}/${name}`.toLowerCase());
      return answers[number];
    },
  ];
};

function readPattern(value: string): string {
  const parts = value.split('/');
  if (value === '') throw new FlowFilterError('node_name', value, 'is empty');
  if (parts.length > 2) throw new FlowFilterError('node_name', value, 'has more than one slash: expected cluster/node');
  const [cluster, node] = parts.length === 1 ? ['', value] : parts;
  return [cluster, node].map((part) => (part === '' ? ANY_NAME : namePattern(part, 'node_name', value))).join('/');
}

import { flowId, parseFlowId } from '../../flow/node-boot.ts';
import { type FilterPart, ofTold } from './filter-part.ts';

/** `uuid`. */
export const uuidFilter: FilterPart = ({ uuid }, tables) => {
  if (uuid.length === 0) return [];
  const wanted = new Set(uuid);
  if (tables.told !== undefined) return [ofTold(tables, (flow) => wanted.has(flow.uuid))];
  const { nodes } = tables;
  const sequences = new Set(uuid.flatMap((id) => parseFlowId(id)?.sequence ?? []));
  return [
    // The id is made only where the sequence is one of those asked for.
    ({ sequence, node }, row) => sequences.has(sequence[row]) && wanted.has(flowId(nodes[node[row]], sequence[row])),
  ];
};

import { type FilterPart, ofTold } from './filter-part.ts';
import { readLabelSelector } from './label-selector.ts';

/** `node_labels`. Our flows carry none: what asks for the absence of a label holds for all of ours. */
export const nodeLabelsFilter: FilterPart = ({ nodeLabels }, tables) => {
  if (nodeLabels.length === 0) return [];
  const selectors = nodeLabels.map((value) => readLabelSelector(value, 'node_labels'));
  if (tables.told !== undefined) {
    return [ofTold(tables, (flow) => selectors.some((selects) => selects(flow.nodeLabels)))];
  }
  const answer = selectors.some((selects) => selects([]));
  return [() => answer];
};

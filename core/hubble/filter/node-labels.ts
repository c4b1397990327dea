import type { FilterPart } from './filter-part.ts';
import { readLabelSelector } from './label-selector.ts';

/** `node_labels`. These flows carry none: what asks for the absence of a label holds for all of them. */
export const nodeLabelsFilter: FilterPart = ({ nodeLabels }) => {
  if (nodeLabels.length === 0) return [];
  const selectors = nodeLabels.map((value) => readLabelSelector(value, 'node_labels'));
  const answer = selectors.some((selects) => selects([]));
  return [() => answer];
};

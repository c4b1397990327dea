import { sidedPart } from './filter-part.ts';
import { readLabelSelector } from './label-selector.ts';

/** `source_label`, `destination_label`: Kubernetes label selectors. */
export const labelFilter = sidedPart<string>(
  ({ sourceLabel, destinationLabel }) => ({ source: sourceLabel, destination: destinationLabel }),
  { source: 'source_label', destination: 'destination_label' },
  (values, field) => {
    const selectors = values.map((value) => readLabelSelector(value, field));
    return ({ labels }) => selectors.some((selects) => selects(labels));
  },
);

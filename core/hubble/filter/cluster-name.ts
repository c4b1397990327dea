import { FlowFilterError, sidedPart } from './filter-part.ts';

/** `source_cluster_name`, `destination_cluster_name`. */
export const clusterNameFilter = sidedPart<string>(
  ({ sourceClusterName, destinationClusterName }) => ({
    source: sourceClusterName,
    destination: destinationClusterName,
  }),
  { source: 'source_cluster_name', destination: 'destination_cluster_name' },
  (values, field) => {
    if (values.includes('')) throw new FlowFilterError(field, '', 'is empty');
    return ({ cluster }) => values.includes(cluster);
  },
);

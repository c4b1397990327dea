import { sidedPart } from './filter-part.ts';
import { matchesName, readNames } from './namespaced-name.ts';

/** `source_pod`, `destination_pod`: `namespace/prefix`, `namespace/`, `/prefix`, or a bare prefix in namespace `default`. */
export const podFilter = sidedPart<string>(
  ({ sourcePod, destinationPod }) => ({ source: sourcePod, destination: destinationPod }),
  { source: 'source_pod', destination: 'destination_pod' },
  (values, field) => {
    const names = readNames(values, field);
    return ({ namespace, pod }) => matchesName(names, namespace, pod);
  },
);

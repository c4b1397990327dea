import { sidedPart } from './filter-part.ts';
import { matchesName, readNames } from './namespaced-name.ts';

/** `source_service`, `destination_service`: the Service that a client asked for, written as pods are. */
export const serviceFilter = sidedPart<string>(
  ({ sourceService, destinationService }) => ({ source: sourceService, destination: destinationService }),
  { source: 'source_service', destination: 'destination_service' },
  (values, field) => {
    const names = readNames(values, field);
    return ({ service }) => service !== undefined && matchesName(names, service.namespace, service.name);
  },
);

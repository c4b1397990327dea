import { type FilterPart, nowhere } from './filter-part.ts';
import { readNames } from './namespaced-name.ts';

/** `source_service`, `destination_service`. These flows name no service: read, and true of none. */
export const serviceFilter: FilterPart = ({ sourceService, destinationService }) => {
  readNames(sourceService, 'source_service');
  readNames(destinationService, 'destination_service');
  return sourceService.length + destinationService.length === 0 ? [] : [nowhere];
};

import { type FilterPart, ofTold, sidedPart } from './filter-part.ts';
import { matchesName, readNames } from './namespaced-name.ts';

/** `source_service`, `destination_service`: the Service that a client asked for, written as pods are. */
export const serviceFilter: FilterPart = (filter, tables) =>
  tables.told === undefined ? ofOwn(filter, tables) : toldFilter(filter, tables);

const ofOwn = sidedPart<string>(
  ({ sourceService, destinationService }) => ({ source: sourceService, destination: destinationService }),
  { source: 'source_service', destination: 'destination_service' },
  (values, field) => {
    const names = readNames(values, field);
    return ({ service }) => service !== undefined && matchesName(names, service.namespace, service.name);
  },
);

const toldFilter: FilterPart = ({ sourceService, destinationService }, tables) =>
  (
    [
      ['sourceService', sourceService, 'source_service'],
      ['destinationService', destinationService, 'destination_service'],
    ] as const
  ).flatMap(([end, values, field]) => {
    if (values.length === 0) return [];
    const names = readNames(values, field);
    return [ofTold(tables, ({ [end]: service }) => matchesName(names, service?.namespace ?? '', service?.name ?? ''))];
  });

import { sidedPart } from './filter-part.ts';

/** `source_identity`, `destination_identity`. */
export const identityFilter = sidedPart<number>(
  ({ sourceIdentity, destinationIdentity }) => ({ source: sourceIdentity, destination: destinationIdentity }),
  { source: 'source_identity', destination: 'destination_identity' },
  (values) =>
    ({ identity }) =>
      values.includes(identity),
);

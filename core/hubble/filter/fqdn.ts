import { sidedPart } from './filter-part.ts';
import { anyNamePattern, namePattern } from './name-pattern.ts';

/** `source_fqdn`, `destination_fqdn`: DNS names, `*` for any part of one. */
export const fqdnFilter = sidedPart<string>(
  ({ sourceFqdn, destinationFqdn }) => ({ source: sourceFqdn, destination: destinationFqdn }),
  { source: 'source_fqdn', destination: 'destination_fqdn' },
  (values, field) => {
    const matches = anyNamePattern(values.map((value) => namePattern(value, field, value)));
    return ({ names }) => names.some(matches);
  },
);

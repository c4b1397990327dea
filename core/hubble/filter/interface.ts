import { memoised } from '../../filter/endpoint-predicate.ts';
import type { Endpoint } from '../../flow/endpoint.ts';
import { seenAtDestination } from '../../flow/observation.ts';
import type { FilterPart } from './filter-part.ts';

/** `interface`: that of the endpoint which observed the packet, by index, name, or both. */
export const interfaceFilter: FilterPart = ({ interface: wanted }, { endpoints }) => {
  if (wanted.length === 0) return [];
  const matches = memoised(endpoints, ({ interfaceIndex, interfaceName }: Endpoint) => {
    if (interfaceIndex === 0) return false;
    return wanted.some(
      ({ index, name }) => (index === 0 || index === interfaceIndex) && (name === '' || name === interfaceName),
    );
  });
  return [
    ({ observation, source, destination }, row) =>
      matches(seenAtDestination(observation[row]) ? destination[row] : source[row]),
  ];
};

import { type FilterPart, ofLayer7 } from './filter-part.ts';
import { readRegex } from './regex.ts';

/** `dns_query`: regular expressions, of flows that were told with DNS. */
export const dnsFilter: FilterPart = ({ dnsQuery }, tables) => {
  if (dnsQuery.length === 0) return [];
  const patterns = dnsQuery.map((pattern) => readRegex(pattern, 'dns_query'));
  return [
    ofLayer7(tables, ({ record }) => {
      const query = record.case === 'dns' ? record.value.query : undefined;
      return query !== undefined && patterns.some((matches) => matches(query));
    }),
  ];
};

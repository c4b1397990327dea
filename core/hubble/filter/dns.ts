import { type FilterPart, nowhere } from './filter-part.ts';
import { readRegex } from './regex.ts';

/** `dns_query`: regular expressions; read, and true of no flow of layers 3 and 4. */
export const dnsFilter: FilterPart = ({ dnsQuery }) => {
  for (const pattern of dnsQuery) readRegex(pattern, 'dns_query');
  return dnsQuery.length === 0 ? [] : [nowhere];
};

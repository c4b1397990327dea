import { formatAddress, isAddress, parseAddress } from '../../ip/address.ts';
import { type Cidr, cidrHas, parseCidr } from '../../ip/cidr.ts';
import { type FilterPart, FlowFilterError, ofTold, sidedPart } from './filter-part.ts';

/** `source_ip`, `destination_ip`: an address or a range. */
const ends = sidedPart<string>(
  ({ sourceIp, destinationIp }) => ({ source: sourceIp, destination: destinationIp }),
  { source: 'source_ip', destination: 'destination_ip' },
  (values, field) => {
    const among = addressesAmong(values, field);
    return ({ address }) => among(address);
  },
);

/** With `source_ip_xlated`, which our own flows do not carry. */
export const ipFilter: FilterPart = (filter, tables) => {
  const { sourceIpXlated } = filter;
  const among = addressesAmong(sourceIpXlated, 'source_ip_xlated');
  const translated = sourceIpXlated.length === 0 ? [] : [ofTold(tables, ({ IP }) => among(IP?.sourceXlated ?? ''))];
  return [...ends(filter, tables), ...translated];
};

/** Whether an address is one of these, or in one of these ranges. */
function addressesAmong(values: readonly string[], field: string): (address: string) => boolean {
  const { addresses, ranges } = readAddresses(values, field);
  return (address) => {
    if (address === '') return false;
    if (addresses.has(address)) return true;
    if (ranges.length === 0 || !isAddress(address)) return false;
    const bytes = parseAddress(address);
    return ranges.some((range) => cidrHas(range, bytes));
  };
}

function readAddresses(values: readonly string[], field: string) {
  const addresses = new Set<string>();
  const ranges: Cidr[] = [];
  for (const value of values) {
    if (value.includes('/')) {
      const range = parseCidr(value);
      if (range === undefined)
        throw new FlowFilterError(field, value, 'is not a range of addresses such as 10.0.0.0/8');
      ranges.push(range);
    } else {
      if (!isAddress(value)) throw new FlowFilterError(field, value, 'is not an IP address');
      addresses.add(formatAddress(parseAddress(value)));
    }
  }
  return { addresses, ranges };
}

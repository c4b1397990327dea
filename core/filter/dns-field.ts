import { type Layer7, layer7Number } from '../flow/layer7.ts';
import { any } from './algebra.ts';
import { memoised } from './endpoint-predicate.ts';
import { endpointField, type FilterField } from './filter-field.ts';
import { glob } from './glob.ts';
import { namePattern } from './name-pattern.ts';

const ofAddress = endpointField<string>({
  name: 'dns',
  doc: 'a DNS name known for the address, or that was asked for; "*" stands for any characters',
  example: 'dns=*.example.com',
  parse(text) {
    const pattern = namePattern(text, 'a DNS name');
    return 'problem' in pattern ? pattern : { value: folded(pattern.value) };
  },
  print: (pattern) => pattern,
  list: ({ names }) => names.map(folded),
  matcher(pattern) {
    const named = glob(pattern);
    return (endpoint) => endpoint.names.some((name) => named(folded(name)));
  },
});

/** Without a side it also holds for flows of layer 7 that ask for such a name, or answer. */
export const dnsField: FilterField = {
  ...ofAddress,
  live:
    ofAddress.live?.of === 'endpoint'
      ? { ...ofAddress.live, asked: { number: layer7Number, list: askedFor } }
      : undefined,
  compile(values, side, tables) {
    const ofEnds = ofAddress.compile(values, side, tables);
    if (side !== 'any' || tables.layer7 === undefined) return ofEnds;
    const named = values.map((value) => glob(value));
    const asks = memoised(tables.layer7, (record) => askedFor(record).some((name) => named.some((is) => is(name))));
    return any([
      ofEnds,
      (columns, row) => {
        const number = layer7Number(columns, row);
        return number !== 0 && asks(number);
      },
    ]);
  },
};

function askedFor({ record }: Layer7): string[] {
  return record?.kind === 'dns' && record.query !== '' ? [folded(record.query)] : [];
}

/** DNS names do not tell letter cases apart, and their last dot may be left out. */
function folded(name: string): string {
  const lower = name.toLowerCase();
  return lower.length > 1 && lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

import { endpointField } from './filter-field.ts';
import { glob } from './glob.ts';
import { namePattern } from './name-pattern.ts';

export const dnsField = endpointField<string>({
  name: 'dns',
  doc: 'a DNS name known for the address; "*" stands for any characters',
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

/** DNS names do not tell letter cases apart, and their last dot may be left out. */
function folded(name: string): string {
  const lower = name.toLowerCase();
  return lower.length > 1 && lower.endsWith('.') ? lower.slice(0, -1) : lower;
}

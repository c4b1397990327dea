import { endpointField } from './filter-field.ts';
import { glob } from './glob.ts';
import { namePattern } from './name-pattern.ts';

export const namespaceField = endpointField<string>({
  name: 'ns',
  doc: 'a namespace; "*" stands for any characters',
  example: 'ns=shop',
  parse: (text) => namePattern(text, 'a namespace'),
  print: (pattern) => pattern,
  list: ({ namespace }) => (namespace === '' ? [] : [namespace]),
  matcher(pattern) {
    const named = glob(pattern);
    return (endpoint) => endpoint.namespace !== '' && named(endpoint.namespace);
  },
});

import { isIcmp, protocols } from '../flow/protocol.ts';
import { rowField, vocabularyWords } from './filter-field.ts';

const words = vocabularyWords(protocols);

export const protocolField = rowField<number | 'icmp'>({
  name: 'proto',
  doc: 'the IP protocol; "icmp" is that of both IP families',
  example: 'proto=udp',
  choices: [...words.choices, 'icmp'],
  parse: (text) => (text.toLowerCase() === 'icmp' ? { value: 'icmp' } : words.parse(text)),
  print: (protocol) => (protocol === 'icmp' ? 'icmp' : words.print(protocol)),
  number: (columns, row) => columns.protocol[row],
  predicate: (protocol) =>
    protocol === 'icmp'
      ? (columns, row) => isIcmp(columns.protocol[row])
      : (columns, row) => columns.protocol[row] === protocol,
});

import { PROTOCOL } from '../flow/protocol.ts';
import { parseTcpFlag, TCP_FLAG, tcpFlagNames } from '../flow/tcp-flags.ts';
import { rowField } from './filter-field.ts';

export const tcpFlagField = rowField<number>({
  name: 'tcp-flag',
  doc: 'TCP flags that are set; "syn+ack" asks for both',
  example: 'tcp-flag=syn,rst',
  choices: Object.keys(TCP_FLAG).map((name) => name.toLowerCase()),
  parse(text) {
    let bits = 0;
    for (const name of text.split('+')) {
      const bit = parseTcpFlag(name.trim());
      if (bit === undefined) return { problem: `"${name}" is not a TCP flag: ${Object.keys(TCP_FLAG).join(', ')}` };
      bits |= bit;
    }
    return { value: bits };
  },
  print: (bits) => tcpFlagNames(bits).toLowerCase().replaceAll(', ', '+'),
  number: (columns, row) => (columns.protocol[row] === PROTOCOL.TCP && columns.tcpFlags[row]) || undefined,
  predicate: (bits) => (columns, row) =>
    (columns.tcpFlags[row] & bits) === bits && columns.protocol[row] === PROTOCOL.TCP,
});

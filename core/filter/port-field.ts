import { REPLY } from '../flow/direction.ts';
import { hasPorts } from '../flow/protocol.ts';
import { rowField } from './filter-field.ts';

export const portField = rowField<{ from: number; to: number }>({
  name: 'port',
  doc: 'a port of TCP, UDP or SCTP, or a range of them',
  example: 'port=80,8000-8099',
  sided: true,
  parse(text) {
    const [first, last = first, ...rest] = text.split('-');
    const from = port(first);
    const to = port(last);
    if (from === undefined || to === undefined || rest.length > 0)
      return { problem: `"${text}" is not a port: 0 to 65535` };
    return from > to ? { problem: `the range ${text} ends before it begins` } : { value: { from, to } };
  },
  print: ({ from, to }) => (from === to ? String(from) : `${from}-${to}`),
  // Of both ends, the one that was connected to: the other's says nothing.
  number(columns, row, side) {
    if (!hasPorts(columns.protocol[row])) return undefined;
    const ofSource = columns.reply[row] === REPLY.REPLY;
    if (side !== 'any' && ofSource !== (side === 'from')) return undefined;
    return ofSource ? columns.sourcePort[row] : columns.destinationPort[row];
  },
  listOf: (port) => [String(port)],
  predicate({ from, to }, side) {
    if (side === 'from') {
      return (columns, row) => {
        const port = columns.sourcePort[row];
        return port >= from && port <= to && hasPorts(columns.protocol[row]);
      };
    }
    if (side === 'to') {
      return (columns, row) => {
        const port = columns.destinationPort[row];
        return port >= from && port <= to && hasPorts(columns.protocol[row]);
      };
    }
    return (columns, row) => {
      const source = columns.sourcePort[row];
      const destination = columns.destinationPort[row];
      return (
        ((source >= from && source <= to) || (destination >= from && destination <= to)) &&
        hasPorts(columns.protocol[row])
      );
    };
  },
});

function port(text: string): number | undefined {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

import { REPLY } from '../flow/direction.ts';
import { VERDICT } from '../flow/verdict.ts';
import { rowField } from './filter-field.ts';

const VALUES = { false: REPLY.ORIGINAL, true: REPLY.REPLY, unknown: REPLY.UNKNOWN } as const;
type ReplyName = keyof typeof VALUES;

/** As in Hubble, a dropped packet of unknown orientation counts as no reply. */
export const replyField = rowField<ReplyName>({
  name: 'reply',
  doc: 'whether the packet travels against the direction in which its connection was opened',
  example: 'reply=false',
  choices: Object.keys(VALUES),
  parse(text) {
    const name = text.toLowerCase();
    return Object.hasOwn(VALUES, name)
      ? { value: name as ReplyName }
      : { problem: `"${text}" is not one of ${Object.keys(VALUES).join(', ')}` };
  },
  print: (name) => name,
  number: (columns, row) => columns.reply[row],
  listOf: (reply) => [reply === REPLY.ORIGINAL ? 'false' : reply === REPLY.REPLY ? 'true' : 'unknown'],
  predicate(name) {
    const wanted = VALUES[name];
    if (wanted !== REPLY.ORIGINAL) return (columns, row) => columns.reply[row] === wanted;
    return (columns, row) =>
      columns.reply[row] === REPLY.ORIGINAL ||
      (columns.reply[row] === REPLY.UNKNOWN && columns.verdict[row] === VERDICT.DROPPED);
  },
});

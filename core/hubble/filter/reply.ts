import { REPLY } from '../../flow/direction.ts';
import { VERDICT } from '../../flow/verdict.ts';
import type { FilterPart } from './filter-part.ts';

/** `reply`: what is not known is neither, but a drop then counts as no reply. */
export const replyFilter: FilterPart = ({ reply: wanted }) => {
  if (wanted.length === 0) return [];
  const replies = wanted.includes(true);
  const originals = wanted.includes(false);
  return [
    ({ reply, verdict }, row) => {
      if (reply[row] === REPLY.REPLY) return replies;
      return originals && (reply[row] === REPLY.ORIGINAL || verdict[row] === VERDICT.DROPPED);
    },
  ];
};

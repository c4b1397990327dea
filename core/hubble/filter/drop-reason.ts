import { toldDropReason } from '../../flow/drop-reason.ts';
import { VERDICT } from '../../flow/verdict.ts';
import type { FilterPart } from './filter-part.ts';

/** `drop_reason_desc`; 0 is what flows have that were not dropped. */
export const dropReasonFilter: FilterPart = ({ dropReasonDesc }) => {
  if (dropReasonDesc.length === 0) return [];
  const wanted = new Set<number>(dropReasonDesc);
  return [
    ({ verdict, dropReason }, row) =>
      wanted.has(verdict[row] === VERDICT.DROPPED ? toldDropReason(dropReason[row]) : 0),
  ];
};

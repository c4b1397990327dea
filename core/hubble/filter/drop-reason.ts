import { toldDropReason } from '../../flow/drop-reason.ts';
import { VERDICT } from '../../flow/verdict.ts';
import type { FilterPart } from './filter-part.ts';

/** `drop_reason_desc`: of drops alone, 0 among them where nobody told the reason. */
export const dropReasonFilter: FilterPart = ({ dropReasonDesc }) => {
  if (dropReasonDesc.length === 0) return [];
  const wanted = new Set<number>(dropReasonDesc);
  return [
    ({ verdict, dropReason }, row) => verdict[row] === VERDICT.DROPPED && wanted.has(toldDropReason(dropReason[row])),
  ];
};

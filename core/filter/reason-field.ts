import { dropReasons } from '../flow/drop-reason.ts';
import { VERDICT } from '../flow/verdict.ts';
import { rowField, vocabularyWords } from './filter-field.ts';

export const reasonField = rowField<number>({
  name: 'reason',
  doc: 'why the packet was dropped',
  example: 'reason=policy-denied',
  ...vocabularyWords(dropReasons),
  number: (columns, row) => (columns.verdict[row] === VERDICT.DROPPED ? columns.dropReason[row] : undefined),
  predicate: (reason) => (columns, row) =>
    columns.dropReason[row] === reason && columns.verdict[row] === VERDICT.DROPPED,
});

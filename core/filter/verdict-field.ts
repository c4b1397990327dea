import { verdicts } from '../flow/verdict.ts';
import { rowField, vocabularyWords } from './filter-field.ts';

export const verdictField = rowField<number>({
  name: 'verdict',
  doc: 'what became of the packet',
  example: 'verdict=dropped',
  ...vocabularyWords(verdicts),
  number: (columns, row) => columns.verdict[row],
  predicate: (verdict) => (columns, row) => columns.verdict[row] === verdict,
});

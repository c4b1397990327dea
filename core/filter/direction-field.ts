import { directions } from '../flow/direction.ts';
import { rowField, vocabularyWords } from './filter-field.ts';

export const directionField = rowField<number>({
  name: 'direction',
  doc: "the connection's direction at the endpoint that observed it",
  example: 'direction=ingress',
  ...vocabularyWords(directions),
  number: (columns, row) => columns.direction[row],
  predicate: (direction) => (columns, row) => columns.direction[row] === direction,
});

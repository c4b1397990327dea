import { type Layer7, layer7Number } from '../flow/layer7.ts';
import { NO_LAYER7_WHY } from '../flow/no-layer7.ts';
import { memoised } from './endpoint-predicate.ts';
import { type FilterField, type Parsed, rowField } from './filter-field.ts';

/** A field about what a request or its answer says. Values that flows have are offered. */
export function layer7Field(field: {
  readonly name: string;
  readonly doc: string;
  readonly example: string;
  readonly choices?: readonly string[];
  parse(text: string): Parsed<string>;
  /** The record's own value, as it would be written; none where it has none. */
  saidBy(record: Layer7): string | undefined;
  matcher(value: string): (record: Layer7) => boolean;
}): FilterField {
  const { saidBy, matcher } = field;
  const row = rowField<string>({
    ...field,
    print: (value) => value,
    number: (columns, at) => layer7Number(columns, at) || undefined,
    listOf: (number, { layer7 }) => {
      const value = layer7 === undefined ? undefined : saidBy(layer7.get(number));
      return value === undefined ? [] : [value];
    },
    predicate(value, _side, { layer7 }) {
      if (layer7 === undefined) return () => false;
      const matches = memoised(layer7, matcher(value));
      return (columns, at) => {
        const number = layer7Number(columns, at);
        return number !== 0 && matches(number);
      };
    },
  });
  return { ...row, unobserved: NO_LAYER7_WHY };
}

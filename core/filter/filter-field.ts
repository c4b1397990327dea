import type { FlowColumns } from '../flow/columns.ts';
import type { DecisionStore } from '../flow/decision-store.ts';
import type { Endpoint } from '../flow/endpoint.ts';
import type { EndpointStore } from '../flow/endpoint-store.ts';
import type { Layer7 } from '../flow/layer7.ts';
import type { Layer7Store } from '../flow/layer7-store.ts';
import type { NodeBoot } from '../flow/node-boot.ts';
import { all, any, type RowPredicate } from './algebra.ts';
import { memoised } from './endpoint-predicate.ts';
import type { FilterSide } from './filter.ts';

/** What the numbers in a row refer to; a FlowWindow is one. */
export interface FilterTables {
  readonly endpoints: EndpointStore;
  /** Node boots by the number in the `node` column. May grow while a compiled filter is in use. */
  readonly nodes: readonly NodeBoot[];
  /** Policy decisions by the number in the `policy` column. */
  readonly decisions: DecisionStore;
  /** Records of layer 7 by the number that rows of requests hold; without it nothing is known of them. */
  readonly layer7?: Layer7Store;
}

/** A value of a field, read: or why its text is none. */
export type Parsed<V> = { readonly value: V } | { readonly problem: string };

/** What flows themselves have to offer as values of a field: what is known of one end, or a number of the row's own. */
export type LiveValues =
  | {
      readonly of: 'endpoint';
      list(endpoint: Endpoint): readonly string[];
      /** Values of the row's record of layer 7 beside, where no side is asked for. */
      readonly asked?: {
        number(columns: FlowColumns, row: number): number;
        list(record: Layer7): readonly string[];
      };
    }
  | {
      readonly of: 'row';
      /** Undefined where the row has none. */
      number(columns: FlowColumns, row: number, side: FilterSide): number | undefined;
      list(number: number, tables: FilterTables): readonly string[];
    };

/** One kind of token. Parsing, printing, compiling and completing all go through this. */
export interface FilterField {
  /** As it stands before `=`. */
  readonly name: string;
  /** One line for help and completion. */
  readonly doc: string;
  readonly example: string;
  /** Whether `from:` and `to:` make sense before it. */
  readonly sided: boolean;
  /** The values to choose from, where the list is closed; else empty. */
  readonly choices: readonly string[];
  /** `pod=a` has a `=`, `label a=b` has a space. */
  readonly separator: '=' | ' ';
  readonly live: LiveValues | undefined;
  /** Where nobody may have told what this looks at: why, for people. Such a condition then holds for no flow. */
  readonly unobserved: string | undefined;
  /** The one way in which this value is written. */
  canonical(text: string): Parsed<string>;
  /** Compiles canonical values. Throws for others. */
  compile(values: readonly string[], side: FilterSide, tables: FilterTables): RowPredicate;
}

interface FieldWords<V> {
  readonly name: string;
  readonly doc: string;
  readonly example: string;
  readonly choices?: readonly string[];
  readonly separator?: '=' | ' ';
  parse(text: string): Parsed<V>;
  print(value: V): string;
}

/** A field about what is known of one end of the flow. */
export function endpointField<V>(
  field: FieldWords<V> & {
    /** Values that this endpoint has, as they would be written. */
    list?(endpoint: Endpoint): readonly string[];
    /** Makes the question out of a value, once. */
    matcher(value: V): (endpoint: Endpoint) => boolean;
    /** Whether values are alternatives (the default) or must all hold. */
    combine?: 'any' | 'all';
  },
): FilterField {
  const { list } = field;
  return {
    ...words(field),
    live: list && { of: 'endpoint', list },
    sided: true,
    compile(values, side, { endpoints }) {
      const matchers = values.map((text) => field.matcher(known(field, text)));
      const matches = memoised(
        endpoints,
        field.combine === 'all'
          ? (endpoint) => matchers.every((matcher) => matcher(endpoint))
          : (endpoint) => matchers.some((matcher) => matcher(endpoint)),
      );
      if (side === 'from') return (columns, row) => matches(columns.source[row]);
      if (side === 'to') return (columns, row) => matches(columns.destination[row]);
      return (columns, row) => matches(columns.source[row]) || matches(columns.destination[row]);
    },
  };
}

/** A field about the flow's own columns. */
export function rowField<V>(
  field: FieldWords<V> & {
    readonly sided?: boolean;
    readonly combine?: 'any' | 'all';
    /** The number this row has; by default printed as a value of the field. */
    number?(columns: FlowColumns, row: number, side: FilterSide): number | undefined;
    listOf?(number: number, tables: FilterTables): readonly string[];
    predicate(value: V, side: FilterSide, tables: FilterTables): RowPredicate;
  },
): FilterField {
  const { number, listOf = (value: number) => [field.print(value as V)] } = field;
  return {
    ...words(field),
    live: number && { of: 'row', number, list: listOf },
    sided: field.sided ?? false,
    compile(values, side, tables) {
      const predicates = values.map((text) => field.predicate(known(field, text), side, tables));
      return field.combine === 'all' ? all(predicates) : any(predicates);
    },
  };
}

function words<V>(field: FieldWords<V>) {
  return {
    name: field.name,
    doc: field.doc,
    example: field.example,
    choices: field.choices ?? [],
    separator: field.separator ?? '=',
    unobserved: undefined,
    canonical(text: string): Parsed<string> {
      const parsed = field.parse(text);
      return 'problem' in parsed ? parsed : { value: field.print(parsed.value) };
    },
  } as const;
}

function known<V>(field: FieldWords<V>, text: string): V {
  const parsed = field.parse(text);
  if ('problem' in parsed) throw new RangeError(`filter ${field.name}: ${parsed.problem}`);
  return parsed.value;
}

/** A complaint about a value lists as many that would do. */
const MOST_LISTED = 16;

/** Parses names of one vocabulary, in its numbers or names; prints lower case with dashes. */
export function vocabularyWords(vocabulary: {
  readonly subject: string;
  readonly names: readonly string[];
  name(value: number): string;
  parse(name: string): number | undefined;
}) {
  const print = (value: number) => {
    const name = vocabulary.name(value);
    return vocabulary.parse(name) === value ? name.toLowerCase().replaceAll('_', '-') : String(value);
  };
  const choices = vocabulary.names.map((name) => name.toLowerCase().replaceAll('_', '-'));
  const listed = choices.length > MOST_LISTED ? '' : `: ${choices.join(', ')}`;
  return {
    choices,
    print,
    parse(text: string): Parsed<number> {
      const value = /^\d{1,3}$/.test(text) && Number(text) < 256 ? Number(text) : vocabulary.parse(text);
      return value === undefined ? { problem: `"${text}" is not a ${vocabulary.subject}${listed}` } : { value };
    },
  };
}

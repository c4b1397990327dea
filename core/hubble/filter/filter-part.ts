import type { Flow, FlowFilter, Layer7 as Layer7Message } from '#proto/gen/flow/flow_pb.ts';
import type { RowPredicate } from '../../filter/algebra.ts';
import { memoised } from '../../filter/endpoint-predicate.ts';
import type { FilterTables } from '../../filter/filter-field.ts';
import type { Endpoint } from '../../flow/endpoint.ts';
import { type Layer7, layer7Number } from '../../flow/layer7.ts';
import { hubbleLayer7 } from '../layer7-part.ts';

/** A value of a filter that means nothing. The message names the field and the value. */
export class FlowFilterError extends Error {
  override readonly name = 'FlowFilterError';

  constructor(field: string, value: string, problem: string) {
    super(`filter ${field}: ${JSON.stringify(value.slice(0, 200))} ${problem}`);
  }
}

/** What the numbers in a row refer to. */
export interface FlowTables extends FilterTables {
  /**
   * The flow as somebody told it, where rows are made of flows that are not ours, as those of a file: it holds what our
   * columns do not, such as layer 7.
   */
  told?(row: number): Flow;
}

/**
 * One field of Hubble's FlowFilter, or the two of a kind for source and destination: the questions it asks of rows, all of
 * which must hold; none where the filter does not set it. Throws FlowFilterError.
 */
export type FilterPart = (filter: FlowFilter, tables: FlowTables) => RowPredicate[];

/** A question about the endpoint at one end, asked once per endpoint. */
function aboutEndpoint(
  side: 'source' | 'destination',
  { endpoints }: FilterTables,
  question: (endpoint: Endpoint) => boolean,
): RowPredicate {
  const matches = memoised(endpoints, question);
  return (columns, row) => matches(columns[side][row]);
}

/** The part that asks the same of source and destination, each with its own values. */
export function sidedPart<V>(
  of: (filter: FlowFilter) => { readonly source: readonly V[]; readonly destination: readonly V[] },
  names: { readonly source: string; readonly destination: string },
  compile: (values: readonly V[], field: string) => (endpoint: Endpoint) => boolean,
): FilterPart {
  return (filter, tables) => {
    const values = of(filter);
    return (['source', 'destination'] as const).flatMap((side) =>
      values[side].length === 0 ? [] : [aboutEndpoint(side, tables, compile(values[side], names[side]))],
    );
  };
}

/**
 * Asks what no column holds: of a flow as it was told, where it was. Our own flows have nothing of it, so that the question
 * holds for none of them.
 */
export function ofTold({ told }: FlowTables, question: (flow: Flow) => boolean): RowPredicate {
  return told === undefined ? () => false : (_, row) => question(told(row));
}

/** Asks what a request or its answer says: of a flow as it was told, else of the record that the row refers to, once each. */
export function ofLayer7(tables: FlowTables, question: (l7: Layer7Message) => boolean): RowPredicate {
  if (tables.told !== undefined) return ofTold(tables, ({ l7 }) => l7 !== undefined && question(l7));
  return ofRecord(tables, (record) => question(hubbleLayer7(record, 0)));
}

/** The same of our own records. */
export function ofRecord({ layer7 }: FilterTables, question: (record: Layer7) => boolean): RowPredicate {
  if (layer7 === undefined) return () => false;
  const holds = memoised(layer7, question);
  return (columns, row) => {
    const number = layer7Number(columns, row);
    return number !== 0 && holds(number);
  };
}

/** Whether the row's number in a column of up to 16 bits is one of these. */
export function isOneOf(
  column: 'verdict' | 'dropReason' | 'direction' | 'sourcePort' | 'destinationPort' | 'protocol',
  numbers: readonly number[],
): RowPredicate {
  if (numbers.length === 1) {
    const [only] = numbers;
    return (columns, row) => columns[column][row] === only;
  }
  const wanted = new Uint8Array(65_536);
  for (const number of numbers) if (number >= 0 && number < wanted.length) wanted[number] = 1;
  return (columns, row) => wanted[columns[column][row]] === 1;
}

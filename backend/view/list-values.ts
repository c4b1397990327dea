import { setImmediate as nextTurn } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { all } from '#core/filter/algebra.ts';
import { compileFilter, compileNamespaces } from '#core/filter/compile-filter.ts';
import { filterField } from '#core/filter/fields.ts';
import type { FilterSide } from '#core/filter/filter.ts';
import { ValueTally } from '#core/filter/value-tally.ts';
import {
  FlowSide,
  type ListValuesRequest,
  type ListValuesResponse,
  ListValuesResponseSchema,
} from '#proto/gen/waggle/v1/view_pb.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';
import { readSelection } from './read-selection.ts';

/** Flows looked at, from the newest back: a completion that comes late is none. */
const MOST_ROWS = 131_072;
const SLICE_ROWS = 16_384;
const DEFAULT_LIMIT = 20;
const MOST_VALUES = 200;
const MOST_TYPED = 1_024;

const SIDES: Record<FlowSide, FilterSide> = {
  [FlowSide.UNSPECIFIED]: 'any',
  [FlowSide.FROM]: 'from',
  [FlowSide.TO]: 'to',
};

/** Which values of a filter field the newest flows of a view have. Throws a StatusError for a request that makes no sense. */
export async function listValues(
  relay: MergedFlows,
  request: ListValuesRequest,
  signal: AbortSignal,
): Promise<ListValuesResponse> {
  const field = filterField(request.field);
  if (field === undefined) {
    throw new StatusError(Code.INVALID_ARGUMENT, `"${request.field.slice(0, 80)}" is not a filter field`);
  }
  const { namespaces, filter } = readSelection(request);
  const { window } = relay;
  const matches = all([compileNamespaces(namespaces, window), compileFilter(filter, window)]);
  const tally = new ValueTally(field, SIDES[request.side] ?? 'any', window);
  const least = Math.max(window.start, window.end - MOST_ROWS);
  let position = window.end;
  let lookedAt = 0;
  while (field.live !== undefined && position > Math.max(least, window.start) && !signal.aborted) {
    const slice = Math.max(least, window.start, position - SLICE_ROWS);
    while (position > slice) {
      const row = window.slot(--position);
      lookedAt++;
      if (matches(window.columns, row)) tally.add(window.columns, row);
    }
    tally.settle();
    await nextTurn();
  }
  const limit = Math.min(request.limit || DEFAULT_LIMIT, MOST_VALUES);
  return create(ListValuesResponseSchema, { values: tally.best(request.typed.slice(0, MOST_TYPED), limit), lookedAt });
}

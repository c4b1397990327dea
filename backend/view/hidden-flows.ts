import { create } from '@bufbuild/protobuf';
import { all, type RowPredicate } from '#core/filter/algebra.ts';
import { compileFilter } from '#core/filter/compile-filter.ts';
import type { FilterTerm } from '#core/filter/filter.ts';
import type { FilterTables } from '#core/filter/filter-field.ts';
import { printTerm } from '#core/filter/print-filter.ts';
import type { FlowColumns } from '#core/flow/columns.ts';
import { type HiddenFlows as HiddenFlowsMessage, HiddenFlowsSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { RateMeter } from '../relay/rate-meter.ts';

interface HidingTerm {
  readonly token: string;
  readonly passes: RowPredicate;
  readonly live: RateMeter;
  /** Of the rows that the window held at first. */
  past: number;
}

/** What a filter's negated terms hide, counted per term: nothing goes out of sight without a number that says so. */
export class HiddenFlows {
  readonly #terms: readonly HidingTerm[];
  /** Whether none of the terms hides the row; counts nothing. */
  readonly passes: RowPredicate;

  constructor(terms: readonly FilterTerm[], tables: FilterTables) {
    this.#terms = terms.map((term) => ({
      token: printTerm(term),
      passes: compileFilter({ terms: [term] }, tables),
      live: new RateMeter(),
      past: 0,
    }));
    this.passes = all(this.#terms.map(({ passes }) => passes));
  }

  get any(): boolean {
    return this.#terms.length > 0;
  }

  /** Whether a row that just came is hidden; if so it is counted for the first term that hides it. */
  hides(columns: FlowColumns, row: number, nowMs: number): boolean {
    for (const term of this.#terms) {
      if (term.passes(columns, row)) continue;
      term.live.add(1, nowMs);
      return true;
    }
    return false;
  }

  /** The same for a row that the window held before anyone asked. */
  hidesPast(columns: FlowColumns, row: number): boolean {
    for (const term of this.#terms) {
      if (term.passes(columns, row)) continue;
      term.past++;
      return true;
    }
    return false;
  }

  message(): HiddenFlowsMessage {
    return create(HiddenFlowsSchema, {
      tokens: this.#terms.map(({ token, live, past }) => ({
        token,
        flows: BigInt(past + live.total),
        flowsPerSecond: live.perSecond(),
      })),
    });
  }
}

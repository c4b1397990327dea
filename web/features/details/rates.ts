import type { Description, VerdictSeries } from '../../worker/question.ts';

/** Steps of a chart: what the server tells of at most. */
export const STEPS = 60;

/** Flows per second, step by step, oldest first. */
export interface Rates {
  readonly stepMs: number;
  /** All of them, whatever the verdict. */
  readonly flows: readonly number[];
  readonly dropped: readonly number[];
  readonly audited: readonly number[];
}

/** How connections fared over the time that the series cover; flows where none was opened. */
export interface VerdictCounts {
  readonly of: 'connections' | 'flows';
  readonly forwarded: number;
  readonly dropped: number;
  readonly audited: number;
}

/** Of these edges together; undefined while nothing is known. */
export function ratesOf(description: Description | null, edges: Iterable<string>): Rates | undefined {
  if (description === null) return undefined;
  const { stepMs } = description;
  const length = longest(description);
  const sum = (verdicts: readonly (keyof VerdictSeries)[]) => {
    const total = new Array<number>(length).fill(0);
    for (const edge of keys) {
      const series = description.series.get(edge);
      if (series === undefined) continue;
      for (const verdict of verdicts) for (const [step, count] of series[verdict].entries()) total[step] += count;
    }
    return total.map((count) => (count * 1000) / stepMs);
  };
  const keys = [...edges];
  const flows = sum(['forwarded', 'dropped', 'audited']);
  const isRare = Math.max(...flows) * stepMs < RARE * 1000;
  const told = (values: readonly number[]) => (isRare ? trailingMeans(values) : values);
  return { stepMs, flows: told(flows), dropped: told(sum(['dropped'])), audited: told(sum(['audited'])) };
}

/** With fewer flows than so many in each step, */
const RARE = 3;
/** the mean of so many steps says more: a connection that goes on is told of every five seconds, and would be drawn as teeth. */
const MEAN_STEPS = 5;

function trailingMeans(values: readonly number[]): number[] {
  return values.map((_, at) => {
    const last = values.slice(Math.max(0, at + 1 - MEAN_STEPS), at + 1);
    return last.reduce((sum, value) => sum + value, 0) / last.length;
  });
}

/** The same with two steps to a value, the newest two in the last. */
export function inPairs(rates: Rates | undefined): Rates | undefined {
  if (rates === undefined) return undefined;
  const merge = (values: readonly number[]) => {
    const odd = values.length % 2;
    return Array.from(
      { length: (values.length - odd) / 2 },
      (_, at) => (values[odd + 2 * at] + values[odd + 2 * at + 1]) / 2,
    );
  };
  const { stepMs, flows, dropped, audited } = rates;
  return { stepMs: stepMs * 2, flows: merge(flows), dropped: merge(dropped), audited: merge(audited) };
}

/** As with shares of the map (`summary.ts`): a connection that lives makes several flows, one that is dropped makes one. */
export function verdictCounts(description: Description): VerdictCounts {
  const flows = { forwarded: 0, dropped: 0, audited: 0, opened: 0 };
  for (const series of description.series.values()) {
    for (const kind of ['forwarded', 'dropped', 'audited', 'opened'] as const) {
      flows[kind] += series[kind].reduce((sum, count) => sum + count, 0);
    }
  }
  const { forwarded, dropped, opened } = flows;
  if (opened === 0) return { of: 'flows', forwarded, dropped, audited: flows.audited };
  const audited = Math.round((opened * flows.audited) / Math.max(1, forwarded + flows.audited));
  return { of: 'connections', forwarded: opened - audited, dropped, audited };
}

function longest({ series }: Description): number {
  let length = 0;
  for (const { forwarded } of series.values()) length = Math.max(length, forwarded.length);
  return length;
}

import { parseFlowId } from '#core/flow/node-boot.ts';
import { type FlowSort, isFlowColumnId } from '../worker/flow-column.ts';
import type { UrlProblem } from './url-problem.ts';

/** How the flow table shows what the view holds. Part of the URL; which columns it has is this browser's own. */
export interface TableOptions {
  /** Null: as they arrive, the newest first. */
  readonly sort: FlowSort | null;
  /** Repeats as one row with a count. */
  readonly aggregate: boolean;
  /** Id of the flow whose details are open; null = none. */
  readonly flow: string | null;
}

export const DEFAULT_TABLE_OPTIONS: TableOptions = { sort: null, aggregate: false, flow: null };

/** Reads `?sort=bytes` (rising), `?sort=-bytes` (falling), `?aggregate=1` and `?flow=<id>`. */
export function readTableOptions(parameters: URLSearchParams, problems: UrlProblem[]): TableOptions {
  const sort = readSort(parameters.get('sort') ?? '');
  if (sort === undefined) {
    problems.push({
      parameter: 'sort',
      value: parameters.get('sort') ?? '',
      message: 'not a column of the flow table',
    });
  }
  const flow = parameters.get('flow') || null;
  const isId = flow === null || parseFlowId(flow) !== undefined;
  if (!isId) problems.push({ parameter: 'flow', value: flow.slice(0, 80), message: 'not the id of a flow' });
  return {
    sort: sort ?? null,
    aggregate: parameters.get('aggregate') === '1',
    flow: isId ? flow : null,
  };
}

export function printTableOptions(
  { sort, aggregate, flow }: TableOptions,
  add: (parameter: string, value: string) => void,
): void {
  if (sort !== null) add('sort', `${sort.descending ? '-' : ''}${sort.column}`);
  if (aggregate) add('aggregate', '1');
  if (flow !== null) add('flow', flow);
}

/** Null: none was asked for; undefined: there is no such column. */
function readSort(text: string): FlowSort | null | undefined {
  if (text === '') return null;
  const descending = text.startsWith('-');
  const column = descending ? text.slice(1) : text;
  return isFlowColumnId(column) ? { column, descending } : undefined;
}

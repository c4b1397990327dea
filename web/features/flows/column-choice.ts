import { FLOW_COLUMN_IDS, type FlowColumnId, isFlowColumnId } from '../../worker/flow-column.ts';

/** How somebody likes the table's columns. Remembered in this browser. */
export interface ColumnChoice {
  /** Every column, in its place. */
  readonly order: readonly FlowColumnId[];
  /** Null: not chosen, what fits is shown. */
  readonly shown: readonly FlowColumnId[] | null;
  /** Pixels of those that were resized. */
  readonly widths: Readonly<Partial<Record<FlowColumnId, number>>>;
}

export const DEFAULT_CHOICE: ColumnChoice = { order: FLOW_COLUMN_IDS, shown: null, widths: {} };

const LEAST_WIDTH = 40;
const MOST_WIDTH = 800;

/** What of a column matters for whether it is shown. */
interface Fits {
  readonly id: FlowColumnId;
  readonly from: number | null;
}

/** Columns to show in a table of that width, in order. The count of repeats belongs to aggregated tables only. */
export function shownColumns(
  { order, shown }: ColumnChoice,
  columns: readonly Fits[],
  width: number,
  aggregate: boolean,
): FlowColumnId[] {
  const byId = new Map(columns.map((column) => [column.id, column]));
  return order.filter((id) => {
    if (id === 'count') return aggregate;
    if (shown !== null) return shown.includes(id);
    const from = byId.get(id)?.from ?? null;
    return from !== null && from <= width;
  });
}

/** Shows or hides a column; what was shown until now becomes somebody's choice. At least one stays. */
export function toggled(choice: ColumnChoice, id: FlowColumnId, shownNow: readonly FlowColumnId[]): ColumnChoice {
  const shown = shownNow.includes(id)
    ? shownNow.filter((each) => each !== id)
    : choice.order.filter((each) => each === id || shownNow.includes(each));
  return shown.length === 0 ? choice : { ...choice, shown };
}

/** Puts a column before another (null: to the end). */
export function movedBefore(choice: ColumnChoice, id: FlowColumnId, before: FlowColumnId | null): ColumnChoice {
  if (id === before) return choice;
  const order = choice.order.filter((each) => each !== id);
  order.splice(before === null ? order.length : order.indexOf(before), 0, id);
  return { ...choice, order };
}

/** Moves a column by one place among those that are shown. */
export function movedBy(
  choice: ColumnChoice,
  id: FlowColumnId,
  by: -1 | 1,
  among: readonly FlowColumnId[],
): ColumnChoice {
  const at = among.indexOf(id);
  const neighbour = among[at + by];
  if (at < 0 || neighbour === undefined) return choice;
  return by === -1
    ? movedBefore(choice, id, neighbour)
    : movedBefore(choice, id, choice.order[choice.order.indexOf(neighbour) + 1] ?? null);
}

export function resized(choice: ColumnChoice, id: FlowColumnId, width: number): ColumnChoice {
  const bounded = Math.round(Math.max(LEAST_WIDTH, Math.min(MOST_WIDTH, width)));
  return { ...choice, widths: { ...choice.widths, [id]: bounded } };
}

/** Lets a column have its own width again. */
export function unsized(choice: ColumnChoice, id: FlowColumnId): ColumnChoice {
  const { [id]: _, ...widths } = choice.widths;
  return { ...choice, widths };
}

export function printChoice({ order, shown, widths }: ColumnChoice): string {
  return JSON.stringify({ order, shown, widths });
}

/** Reads what was remembered, by this build or another: what it does not know is left out, what is missing gets its place. */
export function parseChoice(text: string | null): ColumnChoice {
  let read: unknown;
  try {
    read = JSON.parse(text ?? '');
  } catch {
    return DEFAULT_CHOICE;
  }
  if (typeof read !== 'object' || read === null) return DEFAULT_CHOICE;
  const { order, shown, widths } = read as Record<string, unknown>;
  const known = idsOf(order);
  const complete = [...known];
  for (const [index, id] of FLOW_COLUMN_IDS.entries()) {
    if (complete.includes(id)) continue;
    const after = FLOW_COLUMN_IDS.slice(0, index).findLast((each) => complete.includes(each));
    complete.splice(after === undefined ? 0 : complete.indexOf(after) + 1, 0, id);
  }
  const chosen = shown === null || shown === undefined ? null : idsOf(shown);
  const sizes: Partial<Record<FlowColumnId, number>> = {};
  for (const [id, width] of Object.entries(typeof widths === 'object' && widths !== null ? widths : {})) {
    if (isFlowColumnId(id) && typeof width === 'number' && width >= LEAST_WIDTH && width <= MOST_WIDTH) {
      sizes[id] = width;
    }
  }
  return { order: complete, shown: chosen?.length === 0 ? null : chosen, widths: sizes };
}

function idsOf(list: unknown): FlowColumnId[] {
  if (!Array.isArray(list)) return [];
  return [...new Set(list.filter((each): each is FlowColumnId => typeof each === 'string' && isFlowColumnId(each)))];
}

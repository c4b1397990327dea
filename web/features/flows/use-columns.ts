import { useMemo } from 'react';
import { useStore } from '../../live/store.ts';
import { shownColumns } from './column-choice.ts';
import { columnStore } from './column-store.ts';
import { FLOW_COLUMNS, type FlowColumn, flowColumn } from './columns.ts';

/** Pixels between columns, and at either end of a row. */
const GAP = 12;
const PADDING = 12;
/** Pixels a scroll bar may take. */
const SCROLLBAR = 12;

export interface TableColumns {
  readonly columns: readonly FlowColumn[];
  /** The tracks of a CSS grid. */
  readonly template: string;
  /** The same for rows: left edge and width of each, in pixels. */
  readonly tracks: readonly (readonly [left: number, width: number])[];
  /** Pixels below which the table scrolls sideways. */
  readonly least: number;
}

/** The columns to draw in a table of that width. */
export function useColumns(width: number, aggregate: boolean): TableColumns {
  const choice = useStore(columnStore);
  return useMemo(() => {
    const columns = shownColumns(choice, FLOW_COLUMNS, width, aggregate).map(flowColumn);
    const grows = columns.filter(({ id, grow }) => grow > 0 && choice.widths[id] === undefined);
    const shares = grows.reduce((sum, { grow }) => sum + grow, 0);
    const least =
      columns.reduce((sum, { id, width: own }) => sum + (choice.widths[id] ?? own), 0) +
      GAP * (columns.length - 1) +
      2 * PADDING;
    const spare = Math.max(0, width - SCROLLBAR - least);
    // First what it takes to read names, then what is left.
    const wish = ({ width: own, wanted }: FlowColumn) => Math.max(0, (wanted ?? own) - own);
    const wishes = grows.reduce((sum, column) => sum + wish(column), 0);
    const granted = Math.min(1, wishes === 0 ? 1 : spare / wishes);
    const rest = spare - granted * wishes;
    // In pixels: a row is laid out faster when its tracks ask nothing of its content.
    const track = (column: FlowColumn) =>
      choice.widths[column.id] ??
      column.width +
        (column.grow > 0 ? Math.floor(granted * wish(column) + (rest * column.grow) / Math.max(shares, 1e-9)) : 0);
    const widths = columns.map(track);
    let left = PADDING;
    const tracks = widths.map((each) => {
      const at = [left, each] as const;
      left += each + GAP;
      return at;
    });
    return { columns, template: widths.map((each) => `${each}px`).join(' '), tracks, least };
  }, [choice, width, aggregate]);
}

import { useMemo } from 'react';
import { useStore } from '../../live/store.ts';
import { shownColumns } from './column-choice.ts';
import { columnStore } from './column-store.ts';
import { FLOW_COLUMNS, type FlowColumn, flowColumn } from './columns.tsx';

/** Pixels between columns, and at either end of a row. */
const GAP = 12;
const PADDING = 12;

export interface TableColumns {
  readonly columns: readonly FlowColumn[];
  /** The tracks of a CSS grid. */
  readonly template: string;
  /** Pixels below which the table scrolls sideways. */
  readonly least: number;
}

/** The columns to draw in a table of that width. */
export function useColumns(width: number, aggregate: boolean): TableColumns {
  const choice = useStore(columnStore);
  return useMemo(() => {
    const columns = shownColumns(choice, FLOW_COLUMNS, width, aggregate).map(flowColumn);
    const track = ({ id, width: own, grow }: FlowColumn) => {
      const set = choice.widths[id];
      if (set !== undefined) return `${set}px`;
      return grow > 0 ? `minmax(${own}px, ${grow}fr)` : `${own}px`;
    };
    const widths = columns.map(({ id, width: own }) => choice.widths[id] ?? own);
    return {
      columns,
      template: columns.map(track).join(' '),
      least: widths.reduce((sum, each) => sum + each, 0) + GAP * (columns.length - 1) + 2 * PADDING,
    };
  }, [choice, width, aggregate]);
}

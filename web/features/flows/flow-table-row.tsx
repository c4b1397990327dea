import { memo } from 'react';
import { VERDICT } from '#core/flow/verdict.ts';
import { classNames } from '../../ui/class-names.ts';
import type { FlowRow } from '../../worker/protocol.ts';
import type { FlowColumn } from './columns.tsx';

interface FlowTableRowProps {
  /** Undefined until the worker has answered for this place; null where the flow is no longer held. */
  readonly row: FlowRow | null | undefined;
  readonly index: number;
  readonly top: number;
  readonly columns: readonly FlowColumn[];
  readonly template: string;
  readonly opened: boolean;
  /** Whether it is the row that the keyboard has reached. */
  readonly reached: boolean;
  onOpen(index: number, row: FlowRow): void;
}

/** One flow. When others come it only moves: its cells are drawn again for another flow, or other columns. */
export const FlowTableRow = memo(function FlowTableRow(props: FlowTableRowProps) {
  const { row, index, top, columns, template, opened, reached, onOpen } = props;
  return (
    // biome-ignore lint/a11y/useSemanticElements: see the table
    // biome-ignore lint/a11y/useKeyWithClickEvents: the table's own keys open the row
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={opened}
      data-index={index}
      tabIndex={reached ? 0 : -1}
      onClick={() => row != null && onOpen(index, row)}
      style={{ gridTemplateColumns: template, transform: `translateY(${top}px)` }}
      className={classNames(
        'absolute inset-x-0 grid h-[26px] [contain:strict] cursor-default items-center gap-x-3 border-b border-line/60 px-3 text-xs whitespace-nowrap hover:bg-hover focus-visible:-outline-offset-2',
        opened ? 'bg-selected' : row?.verdict === VERDICT.DROPPED && 'bg-selected/45',
        opened && 'shadow-[inset_2px_0_var(--accent)]',
      )}
    >
      <Cells row={row} columns={columns} />
    </div>
  );
});

const Cells = memo(
  function Cells({ row, columns }: Pick<FlowTableRowProps, 'row' | 'columns'>) {
    if (row === null) {
      return (
        // biome-ignore lint/a11y/useSemanticElements: see the table
        <span role="cell" className="col-span-full text-faint">
          overwritten by newer flows
        </span>
      );
    }
    return columns.map((column) => (
      // biome-ignore lint/a11y/useSemanticElements: see the table
      <span key={column.id} role="cell" className={classNames('truncate', column.numeric && 'text-right')}>
        {row === undefined ? null : column.cell(row)}
      </span>
    ));
  },
  (before, after) => before.columns === after.columns && sameRow(before.row, after.row),
);

function sameRow(before: FlowRow | null | undefined, after: FlowRow | null | undefined): boolean {
  if (before == null || after == null) return before === after;
  // A row that stands for several grows.
  return before.id === after.id && before.count === after.count;
}

import { memo } from 'react';
import { VERDICT } from '#core/flow/verdict.ts';
import { classNames } from '../../ui/class-names.ts';
import type { FlowRow } from '../../worker/protocol.ts';
import type { FlowColumn } from './columns.tsx';

interface FlowTableRowProps {
  /** Undefined until the worker has answered for this place. */
  readonly row: FlowRow | undefined;
  readonly index: number;
  readonly top: number;
  readonly columns: readonly FlowColumn[];
  readonly template: string;
  readonly opened: boolean;
  onOpen(position: number | null): void;
}

/** One flow. Drawn again only when it is another flow or moved: flows do not change. */
export const FlowTableRow = memo(
  function FlowTableRow({ row, index, top, columns, template, opened, onOpen }: FlowTableRowProps) {
    return (
      // biome-ignore lint/a11y/useSemanticElements: see the table
      // biome-ignore lint/a11y/useFocusableInteractive: the button in its first cell is
      // biome-ignore lint/a11y/useKeyWithClickEvents: the table's own keys open the row
      <div
        role="row"
        aria-rowindex={index}
        aria-selected={opened}
        onClick={() => row !== undefined && onOpen(opened ? null : row.position)}
        style={{ gridTemplateColumns: template, transform: `translateY(${top}px)` }}
        className={classNames(
          'absolute inset-x-0 grid h-[26px] cursor-default items-center gap-x-3 border-b border-line/60 px-3 text-xs whitespace-nowrap hover:bg-hover',
          (opened || row?.verdict === VERDICT.DROPPED) && 'bg-selected',
          opened && 'shadow-[inset_2px_0_var(--accent)]',
        )}
      >
        {columns.map((column) => (
          // biome-ignore lint/a11y/useSemanticElements: see the table
          <span key={column.id} role="cell" className="truncate">
            {row === undefined ? null : column.cell(row)}
          </span>
        ))}
      </div>
    );
  },
  (before, after) =>
    before.row?.id === after.row?.id &&
    before.top === after.top &&
    before.index === after.index &&
    before.opened === after.opened &&
    before.template === after.template,
);

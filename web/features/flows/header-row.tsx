import { ArrowDown, ArrowUp } from 'lucide-react';
import { type KeyboardEvent, memo, type PointerEvent, useRef, useState } from 'react';
import { classNames } from '../../ui/class-names.ts';
import { changeTableOptions, useView } from '../../view/view-store.ts';
import type { FlowColumnId, FlowSort } from '../../worker/flow-column.ts';
import { movedBefore, movedBy, resized, unsized } from './column-choice.ts';
import { chooseColumns } from './column-store.ts';
import type { FlowColumn } from './columns.ts';

const STEP = 16;
/** Pixels a pointer moves before a press becomes a drag. */
const SLACK = 5;

/** Names of the columns: sort by pressing, move by dragging, resize at the edge; with Alt or Shift and the arrows too. */
export const HeaderRow = memo(function HeaderRow({
  columns,
  template,
}: {
  columns: readonly FlowColumn[];
  template: string;
}) {
  const row = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ id: FlowColumnId; before: FlowColumnId | null } | null>(null);
  const shown = columns.map(({ id }) => id);

  /** The column before which a pointer would drop; null = the end. */
  const placeOf = (x: number): FlowColumnId | null => {
    const cells = [...(row.current?.children ?? [])];
    const at = cells.findIndex((cell) => {
      const box = cell.getBoundingClientRect();
      return x < box.left + box.width / 2;
    });
    return at < 0 ? null : shown[at];
  };
  const drop = () => {
    if (drag !== null) chooseColumns((choice) => movedBefore(choice, drag.id, drag.before));
    setDrag(null);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: see the table
    <div role="rowgroup" className="sticky top-0 z-10">
      {/* biome-ignore lint/a11y/useSemanticElements: see the table */}
      {/* biome-ignore lint/a11y/useFocusableInteractive: the buttons in it are */}
      <div
        ref={row}
        role="row"
        aria-rowindex={1}
        style={{ gridTemplateColumns: template }}
        className="grid h-7 items-stretch gap-x-3 border-b border-line bg-background px-3 text-xs text-dim"
      >
        {columns.map((column, index) => (
          <HeaderCell
            key={column.id}
            column={column}
            shown={shown}
            dropBefore={drag?.before === column.id && drag.id !== column.id}
            dropAfter={drag !== null && drag.before === null && index === columns.length - 1}
            dragged={drag?.id === column.id}
            onDrag={(x) => setDrag(x === null ? null : { id: column.id, before: placeOf(x) })}
            onDrop={drop}
          />
        ))}
      </div>
    </div>
  );
});

interface HeaderCellProps {
  readonly column: FlowColumn;
  readonly shown: readonly FlowColumnId[];
  readonly dropBefore: boolean;
  readonly dropAfter: boolean;
  readonly dragged: boolean;
  /** Null: not any more. */
  onDrag(x: number | null): void;
  onDrop(): void;
}

function HeaderCell({ column, shown, dropBefore, dropAfter, dragged, onDrag, onDrop }: HeaderCellProps) {
  const { sort, aggregate } = useView().table;
  const cell = useRef<HTMLDivElement>(null);
  const press = useRef<{ x: number; moved: boolean } | null>(null);
  const { id, numeric } = column;
  // Rows that stand for many stay where they first appeared, and tell when the last of them came.
  const isLatest = id === 'time' && aggregate;
  const title = isLatest ? 'Latest' : column.title;
  const order = sort?.column === id ? (sort.descending ? 'descending' : 'ascending') : undefined;
  const width = () => cell.current?.getBoundingClientRect().width ?? column.width;
  const onKeyDown = (event: KeyboardEvent) => {
    const by = event.key === 'ArrowLeft' ? -1 : event.key === 'ArrowRight' ? 1 : 0;
    if (by === 0 || event.altKey === event.shiftKey) return;
    event.preventDefault();
    if (event.altKey) chooseColumns((choice) => movedBy(choice, id, by, shown));
    else chooseColumns((choice) => resized(choice, id, width() + by * STEP));
  };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button === 0) press.current = { x: event.clientX, moved: false };
  };
  const onPointerMove = (event: PointerEvent<HTMLElement>) => {
    const pressed = press.current;
    if (pressed === null) return;
    if (!pressed.moved && Math.abs(event.clientX - pressed.x) < SLACK) return;
    pressed.moved = true;
    event.currentTarget.setPointerCapture(event.pointerId);
    onDrag(event.clientX);
  };
  const onPointerUp = () => {
    if (press.current?.moved) onDrop();
    // The click that follows belongs to the drag.
    setTimeout(() => (press.current = null));
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: see the table
    // biome-ignore lint/a11y/useFocusableInteractive: the button in it is
    <div
      ref={cell}
      role="columnheader"
      aria-sort={order}
      className={classNames(
        'relative flex min-w-0 items-center',
        dragged && 'opacity-50',
        dropBefore && 'shadow-[-7px_0_0_-5px_var(--accent)]',
        dropAfter && 'shadow-[7px_0_0_-5px_var(--accent)]',
      )}
    >
      <button
        type="button"
        title={`${title}: sort. Drag to move; Alt and arrows move, Shift and arrows resize`}
        aria-keyshortcuts="Alt+ArrowLeft Alt+ArrowRight Shift+ArrowLeft Shift+ArrowRight"
        onClick={() => {
          if (!press.current?.moved) changeTableOptions({ sort: nextSort(sort, column) });
        }}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={onPointerUp}
        onPointerCancel={() => {
          press.current = null;
          onDrag(null);
        }}
        className={classNames(
          'flex h-full min-w-0 flex-1 touch-pan-y items-center gap-1 select-none hover:text-text focus-visible:-outline-offset-2',
          numeric && 'justify-end',
          order !== undefined && 'text-text',
        )}
      >
        <span className="truncate">{title}</span>
        {order === 'ascending' && <ArrowUp aria-hidden size={12} className="shrink-0 text-accent-text" />}
        {order === 'descending' && <ArrowDown aria-hidden size={12} className="shrink-0 text-accent-text" />}
      </button>
      <ResizeHandle id={id} width={width} />
    </div>
  );
}

/** The edge of a column, for a pointer; the header's button does the same by keyboard. */
function ResizeHandle({ id, width }: { id: FlowColumnId; width(): number }) {
  const from = useRef<{ x: number; width: number } | null>(null);
  return (
    <span
      aria-hidden
      onDoubleClick={() => chooseColumns((choice) => unsized(choice, id))}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        from.current = { x: event.clientX, width: width() };
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        const began = from.current;
        if (began === null) return;
        chooseColumns((choice) => resized(choice, id, began.width + event.clientX - began.x));
      }}
      onPointerUp={() => (from.current = null)}
      onPointerCancel={() => (from.current = null)}
      className="absolute inset-y-0 -right-[13px] z-10 w-3.5 cursor-col-resize touch-none after:absolute after:inset-y-1.5 after:left-1/2 after:w-px after:bg-line after:content-[''] hover:after:bg-accent"
    />
  );
}

/** Pressed again and again: the one way that is asked for most, the other, none. */
function nextSort(sort: FlowSort | null, { id, numeric }: FlowColumn): FlowSort | null {
  // Not sorted is by time already, the newest first: what is left to ask for is the oldest first.
  if (id === 'time') return sort?.column === 'time' ? null : { column: 'time', descending: false };
  const first = numeric === true;
  if (sort?.column !== id) return { column: id, descending: first };
  return sort.descending === first ? { column: id, descending: !first } : null;
}

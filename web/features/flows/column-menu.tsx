import { ArrowDown, ArrowUp, GripVertical } from 'lucide-react';
import { type ReactElement, useRef, useState } from 'react';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { useView } from '../../view/view-store.ts';
import type { FlowColumnId } from '../../worker/flow-column.ts';
import { BarMenu } from './bar-menu.tsx';
import { DEFAULT_CHOICE, movedBefore, movedBy, shownColumns, toggled } from './column-choice.ts';
import { chooseColumns, columnStore } from './column-store.ts';
import { FLOW_COLUMNS, flowColumn } from './columns.ts';

/** Which columns there are, and in which order: ticked, dragged, or moved by the buttons. */
export function ColumnMenu({ trigger, width }: { trigger: ReactElement; width: number }) {
  return (
    <BarMenu label="Columns" trigger={trigger} className="max-h-[min(480px,calc(100vh-24px))] w-64">
      <Columns width={width} />
      <button
        type="button"
        onClick={() => chooseColumns(() => DEFAULT_CHOICE)}
        className="border-t border-line px-3 py-2 text-left text-link hover:bg-hover"
      >
        Reset columns
      </button>
    </BarMenu>
  );
}

function Columns({ width }: { width: number }) {
  const choice = useStore(columnStore);
  const { aggregate } = useView().table;
  const list = useRef<HTMLUListElement>(null);
  const [dragged, setDragged] = useState<FlowColumnId | null>(null);
  const order = choice.order.filter((id) => id !== 'count' || aggregate);
  const shown = shownColumns(choice, FLOW_COLUMNS, width, aggregate);
  const dragTo = (id: FlowColumnId, y: number) => {
    const items = [...(list.current?.children ?? [])];
    const at = items.findIndex((item) => {
      const box = item.getBoundingClientRect();
      return y < box.top + box.height / 2;
    });
    const before = at < 0 ? null : order[at];
    if (before !== id && order[order.indexOf(id) + 1] !== before) chooseColumns((now) => movedBefore(now, id, before));
  };
  return (
    <ul ref={list} className="min-h-0 flex-1 overflow-y-auto p-1">
      {order.map((id, index) => {
        const { title } = flowColumn(id);
        return (
          <li
            key={id}
            className={classNames('group flex items-center gap-1 rounded-md px-1', dragged === id && 'bg-hover')}
          >
            <span
              aria-hidden
              onPointerDown={(event) => {
                event.currentTarget.setPointerCapture(event.pointerId);
                event.preventDefault();
                setDragged(id);
              }}
              onPointerMove={(event) => dragged === id && dragTo(id, event.clientY)}
              onPointerUp={() => setDragged(null)}
              onPointerCancel={() => setDragged(null)}
              className="cursor-grab touch-none text-faint"
            >
              <GripVertical size={14} />
            </span>
            <label className="flex min-w-0 flex-1 cursor-pointer items-center gap-2 py-1">
              <input
                type="checkbox"
                checked={shown.includes(id)}
                // The count of repeats comes and goes with aggregation.
                disabled={id === 'count'}
                onChange={() => chooseColumns((now) => toggled(now, id, shown))}
                className="size-3.5 accent-[var(--accent)]"
              />
              <span className="truncate">{title}</span>
            </label>
            {([-1, 1] as const).map((by) => (
              <button
                key={by}
                type="button"
                aria-label={`Move ${title} ${by === -1 ? 'up' : 'down'}`}
                disabled={index + by < 0 || index + by >= order.length}
                onClick={() => chooseColumns((now) => movedBy(now, id, by, order))}
                className="rounded-sm p-1 text-faint opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:text-text focus-visible:opacity-100 disabled:invisible"
              >
                {by === -1 ? <ArrowUp aria-hidden size={13} /> : <ArrowDown aria-hidden size={13} />}
              </button>
            ))}
          </li>
        );
      })}
    </ul>
  );
}

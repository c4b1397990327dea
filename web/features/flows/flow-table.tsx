import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowUp } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { formatCount } from '../../format/quantity.ts';
import { connectionStore, rowsStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { useWidth } from '../../ui/use-width.ts';
import type { Selection } from '../../worker/protocol.ts';
import { Waiting } from '../status/notices.tsx';
import { FLOW_COLUMNS } from './columns.tsx';
import { FlowTableRow } from './flow-table-row.tsx';
import { useRowsQuery } from './use-rows-query.ts';

const ROW_HEIGHT = 26;

/** Flows, newest first. At the top it follows what arrives; scrolled, it holds still and says how many arrived. */
export function FlowTable(props: {
  selection: Selection | null;
  opened: number | null;
  onOpen(position: number | null): void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const [held, setHeld] = useState(false);
  const slice = useStore(rowsStore);
  const total = slice?.total ?? 0;
  const rows = useVirtualizer({
    count: total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  });
  const items = rows.getVirtualItems();
  useRowsQuery(props.selection, held, items[0]?.index ?? 0, items.at(-1)?.index ?? 40);
  const selectedKey = props.selection?.key;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another selection starts at its newest flow
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
    setHeld(false);
  }, [selectedKey]);
  const columns = FLOW_COLUMNS.filter(({ from }) => from <= width);
  const template = columns.map((column) => column.width).join(' ');
  return (
    <div ref={frame} className="relative flex size-full min-h-0 flex-col bg-background">
      {/* biome-ignore lint/a11y/useSemanticElements: rows are drawn as they scroll into view, which a table element cannot lay out */}
      <div
        ref={scroller}
        role="table"
        aria-label={props.selection === null ? 'Flows' : `Flows of ${props.selection.name}`}
        aria-rowcount={total + 1}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        tabIndex={0}
        onScroll={(event) => setHeld(event.currentTarget.scrollTop > ROW_HEIGHT / 2)}
        className="min-h-0 flex-1 overflow-y-auto overflow-x-hidden focus-visible:-outline-offset-2"
      >
        {/* biome-ignore lint/a11y/useSemanticElements: see above */}
        <div role="rowgroup" className="sticky top-0 z-10">
          {/* biome-ignore lint/a11y/useSemanticElements: see above */}
          {/* biome-ignore lint/a11y/useFocusableInteractive: rows are read, not operated */}
          <div
            role="row"
            aria-rowindex={1}
            style={{ gridTemplateColumns: template }}
            className="grid h-8 items-center gap-x-3 border-b border-line bg-background px-3 text-xs text-dim"
          >
            {columns.map(({ id, title }) => (
              // biome-ignore lint/a11y/useSemanticElements: see above
              // biome-ignore lint/a11y/useFocusableInteractive: see above
              <span key={id} role="columnheader" className="truncate">
                {title}
              </span>
            ))}
          </div>
        </div>
        {/* biome-ignore lint/a11y/useSemanticElements: see above */}
        <div role="rowgroup" style={{ height: rows.getTotalSize() }} className="relative">
          {items.map((item) => {
            const row = slice?.rows[item.index - slice.query.first] ?? undefined;
            return (
              <FlowTableRow
                key={item.index}
                row={row}
                index={item.index + 2}
                top={item.start}
                columns={columns}
                template={template}
                opened={row !== undefined && row.position === props.opened}
                onOpen={props.onOpen}
              />
            );
          })}
        </div>
        {total === 0 && <NoRows selection={props.selection} />}
      </div>
      {held && (
        <button
          type="button"
          onClick={() => scroller.current?.scrollTo({ top: 0 })}
          className={classNames(
            'absolute top-10 left-1/2 z-20 flex -translate-x-1/2 items-center gap-1.5 rounded-full border border-line bg-card px-3 py-1 text-xs shadow-[var(--shadow)] hover:bg-hover',
          )}
        >
          <ArrowUp aria-hidden size={13} />
          <span className="numbers">{formatCount(slice?.arrived ?? 0)}</span> new
        </button>
      )}
    </div>
  );
}

function NoRows({ selection }: { selection: Selection | null }) {
  const live = useStore(connectionStore).phase === 'live';
  return (
    <div className="h-24">
      {live ? (
        <p className="px-4 py-6 text-sm text-dim">
          {selection === null
            ? 'No flow matches this view yet. Flows appear here as they happen.'
            : `No flow of ${selection.name} in the last flows held.`}
        </p>
      ) : (
        <Waiting>Waiting for flows</Waiting>
      )}
    </div>
  );
}

import { Suspense, useCallback, useEffect, useLayoutEffect, useRef, useState, useSyncExternalStore } from 'react';
import { secondStore } from '../../live/second.ts';
import { connectionStore, rowsStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { latePart } from '../../ui/late-part.ts';
import { useWidth } from '../../ui/use-width.ts';
import { whenIdle } from '../../ui/when-idle.ts';
import { settingsStore } from '../../view/settings.ts';
import { changeTableOptions, useView } from '../../view/view-store.ts';
import type { Selection } from '../../worker/protocol.ts';
import type { FlowRow } from '../../worker/shown-flow.ts';
import { Waiting } from '../status/notices.tsx';
import { FlowRows } from './flow-rows.ts';
import { HeaderRow } from './header-row.tsx';
import { registerTableActions } from './table-actions.ts';
import { TableBar } from './table-bar.tsx';
import { useColumns } from './use-columns.ts';
import { useCovered } from './use-covered.ts';
import { ROW_HEIGHT, showRow, useDrawnRows } from './use-drawn-rows.ts';
import { usePointed } from './use-pointed.ts';
import { useRowKeys } from './use-row-keys.ts';
import { useRowsQuery } from './use-rows-query.ts';

const FlowDrawer = latePart(() => import('./flow-drawer.tsx').then(({ FlowDrawer }) => FlowDrawer));

/** Milliseconds until the details follow who goes through the rows. */
const FOLLOWS_MS = 60;

/**
 * Flows, newest first or sorted. It follows what arrives; scrolled away, paused or with a row being read, it holds still
 * and says how many arrived.
 */
export function FlowTable({ selection }: { selection: Selection | null }) {
  const { table: options } = useView();
  const { flow } = options;
  const scroller = useRef<HTMLDivElement>(null);
  const outer = useRef<HTMLDivElement>(null);
  const room = useWidth(outer);
  const inner = useWidth(scroller);
  const [scrolled, setScrolled] = useState(false);
  const [paused, setPaused] = useState(false);
  /** A row was opened here: what is around it is being read. A link that was followed holds nothing. */
  const [reading, setReading] = useState(false);
  const pointed = usePointed();
  const heard = useStore(rowsStore);
  const anchor = useRef<number | null>(null);
  // An answer that was on its way when holding began would move the rows once more.
  const last = useRef(heard);
  // Under another filter flows are numbered anew: what was held is no longer what is asked for.
  if (anchor.current !== null && heard !== null && heard.anchor < anchor.current) anchor.current = null;
  if (anchor.current === null || heard?.anchor === anchor.current) last.current = heard;
  const slice = last.current;
  const total = slice?.total ?? 0;
  const rowAt = (index: number) => slice?.rows[index - slice.query.first];

  const toggle = useCallback(
    (row: FlowRow) => {
      const opens = row.id !== flow;
      setReading(opens);
      changeTableOptions({ flow: opens ? row.id : null }, flow === null || !opens ? 'push' : 'replace');
    },
    [flow],
  );
  const close = useCallback(() => {
    setReading(false);
    if (flow === null) return;
    changeTableOptions({ flow: null });
    // Who closed it from the table goes on where they were; giving the focus has all of the page laid out at once.
    if (!scroller.current?.contains(document.activeElement)) scroller.current?.focus({ preventScroll: true });
  }, [flow]);
  const keys = useRowKeys({
    list: scroller,
    total,
    page: () => Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2),
    first: () => Math.ceil((scroller.current?.scrollTop ?? 0) / ROW_HEIGHT),
    show: (index) => showRow(scroller.current, index),
    open: (index) => {
      const row = rowAt(index);
      if (row != null) toggle(row);
    },
    close,
  });
  const { first: firstDrawn, count: drawn, totalHeight, scrolling, top, seen } = useDrawnRows(scroller, total);
  const held = scrolled || paused || reading || pointed.now || keys.reached !== null;
  // A table without rows holds nothing: the first that come are those to be read.
  if (!held || total === 0) anchor.current = null;
  else anchor.current ??= slice?.anchor ?? null;
  const query = useRowsQuery(selection, options, anchor.current, firstDrawn, firstDrawn + drawn);
  const toNewest = useCallback(() => {
    scroller.current?.scrollTo({ top: 0 });
    setScrolled(false);
    setReading(false);
    setPaused(false);
    pointed.end();
    keys.reach(null);
  }, [keys.reach, pointed.end]);
  const hasRows = total > 0;
  useEffect(() => (hasRows ? whenIdle(FlowDrawer.preload) : undefined), [hasRows]);
  const holdOrGoOn = useRef<() => void>(undefined);
  holdOrGoOn.current = () => (held ? toNewest() : setPaused(true));
  useEffect(() => registerTableActions(() => holdOrGoOn.current?.()), []);

  const shows = `${selection?.key} ${options.sort?.column} ${options.sort?.descending} ${options.aggregate}`;
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is shown in another way is shown from its beginning
  useEffect(() => {
    // Only if it has to: to be scrolled, all of the page is laid out at once.
    if (top > 0) scroller.current?.scrollTo({ top: 0 });
    setScrolled(false);
    keys.reach(null);
  }, [shows]);
  // Whoever goes through the rows with the details open sees the details of each.
  const reachedRow = keys.reached === null ? undefined : rowAt(keys.reached);
  const reachedId = reachedRow?.id;
  useEffect(() => {
    if (!reading || reachedId === undefined || reachedId === flow) return;
    // The row first: who holds a key down goes on before the details are drawn.
    const timer = setTimeout(() => changeTableOptions({ flow: reachedId }, 'replace'), FOLLOWS_MS);
    return () => clearTimeout(timer);
  }, [reading, reachedId, flow]);

  const covered = useCovered(outer, room, flow !== null);
  const width = room - covered;
  // By arrival, a flow keeps its element while others come.
  const fromOldest = options.sort === null && !options.aggregate;
  const bottom = (selection === null ? slice?.anchor : total) ?? 0;
  const { columns, template, tracks, least } = useColumns(width, options.aggregate);
  const times = useTimes();
  const onOpen = useCallback(
    (index: number, row: FlowRow) => {
      keys.reach(row.id === flow ? null : index);
      toggle(row);
    },
    [keys.reach, toggle, flow],
  );
  const group = useRef<HTMLDivElement>(null);
  const drawnRows = useRef<FlowRows>(undefined);
  useLayoutEffect(() => {
    drawnRows.current ??= new FlowRows(group.current!);
    drawnRows.current.show({
      first: firstDrawn,
      count: drawn,
      total,
      rowAt,
      slotOf: (index) => (((fromOldest ? bottom - index : index) % drawn) + drawn) % drawn,
      columns,
      tracks,
      opened: flow,
      reached: keys.reached,
      times,
      scrolling,
      held,
      seen,
    });
  });
  return (
    <>
      <div ref={outer} style={{ paddingRight: covered }} className="size-full">
        <div className="flex size-full min-h-0 flex-col bg-background">
          <TableBar
            width={width}
            slice={slice}
            query={query}
            held={held}
            paused={paused}
            onPause={setPaused}
            onNewest={toNewest}
          />
          {/* biome-ignore lint/a11y/useSemanticElements: rows are drawn as they scroll into view, which a table element cannot lay out */}
          <div
            ref={scroller}
            role="table"
            aria-label={selection === null ? 'Flows' : `Flows of ${selection.name}`}
            aria-rowcount={total + 1}
            aria-busy={slice === null}
            // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
            tabIndex={0}
            onKeyDown={(event) => {
              if (event.target instanceof HTMLElement && event.target.closest('[role=columnheader]') === null) {
                keys.onKeyDown(event);
              }
            }}
            onBlur={(event) => {
              if (!event.currentTarget.contains(event.relatedTarget)) keys.reach(null);
            }}
            onScroll={(event) => setScrolled(event.currentTarget.scrollTop > ROW_HEIGHT / 2)}
            className={classNames(
              'min-h-0 flex-1 overflow-y-auto will-change-scroll focus-visible:-outline-offset-2',
              // The rows keep their width for the frame in which the table gets another.
              least > inner ? 'overflow-x-auto' : 'overflow-x-hidden',
            )}
          >
            <div style={{ width: Math.max(least, inner) }}>
              <HeaderRow columns={columns} template={template} />
              {/* biome-ignore lint/a11y/useSemanticElements: see above */}
              {/* biome-ignore lint/a11y/useKeyWithClickEvents: the table's own keys open a row */}
              <div
                role="rowgroup"
                ref={group}
                onClick={(event) => {
                  const hit = drawnRows.current?.rowOf(event.target);
                  if (hit !== undefined) onOpen(hit.index, hit.row);
                }}
                onPointerOver={(event) => drawnRows.current?.hint(event.target)}
                onPointerMove={pointed.move}
                onPointerLeave={pointed.end}
                style={{ height: totalHeight }}
                className="relative"
              />
            </div>
            {total === 0 && <NoRows selection={selection} />}
          </div>
        </div>
      </div>
      {flow !== null && (
        <Suspense>
          <FlowDrawer id={flow} onClose={close} />
        </Suspense>
      )}
    </>
  );
}

/** Changes whenever times are to be written in another way. */
function useTimes(): string {
  const { time, timeZone } = useStore(settingsStore);
  const isRelative = time === 'relative';
  const second = useSyncExternalStore(isRelative ? secondStore.subscribe : neverChanges, secondStore.get);
  return isRelative ? `relative ${second}` : `clock ${timeZone}`;
}

const neverChanges = () => () => {};

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

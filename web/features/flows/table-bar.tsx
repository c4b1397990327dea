import { ArrowUp, Columns3, Download, Layers, Pause, Play } from 'lucide-react';
import { type ComponentProps, type ReactNode, Suspense, useState } from 'react';
import { formatCount } from '../../format/quantity.ts';
import { classNames } from '../../ui/class-names.ts';
import { latePart } from '../../ui/late-part.ts';
import { changeTableOptions, useView } from '../../view/view-store.ts';
import type { RowsQuery, RowsSlice } from '../../worker/protocol.ts';

const loadColumns = () => import('./column-menu.tsx').then(({ ColumnMenu }) => ColumnMenu);
const loadExport = () => import('./export-menu.tsx').then(({ ExportMenu }) => ExportMenu);
const ColumnMenu = latePart(loadColumns);
const ExportMenu = latePart(loadExport);

/** Least width of the table at which buttons have words. */
const WORDS_FROM = 640;

/** What the table shows and whether it moves, and what can be done with it. */
export function TableBar(props: {
  width: number;
  slice: RowsSlice | null;
  query: RowsQuery;
  held: boolean;
  paused: boolean;
  onPause(paused: boolean): void;
  onNewest(): void;
}) {
  const { aggregate } = useView().table;
  const { width, slice, held, paused } = props;
  const words = width >= WORDS_FROM;
  const arrived = slice?.arrived ?? 0;
  return (
    <div
      role="toolbar"
      aria-label="Flow table"
      className="flex h-8 shrink-0 items-center gap-1 border-b border-line px-2 text-xs text-dim"
    >
      <BarButton
        label={paused ? 'Resume' : 'Pause'}
        words={words}
        aria-pressed={paused}
        icon={paused ? <Play aria-hidden size={14} /> : <Pause aria-hidden size={14} />}
        onClick={() => (paused ? props.onNewest() : props.onPause(true))}
      />
      <span className="numbers min-w-[12ch] px-1 whitespace-nowrap">
        {formatCount(slice?.total ?? 0)} {aggregate ? 'kinds of flows' : 'flows'}
      </span>
      {held && (
        <button
          type="button"
          onClick={props.onNewest}
          title="Go on with the newest"
          className="flex h-6 items-center gap-1 rounded-full border border-accent px-2 whitespace-nowrap text-accent-text hover:bg-hover"
        >
          <ArrowUp aria-hidden size={12} />
          <span className="numbers inline-block min-w-[3ch] text-right">{formatCount(arrived)}</span> new
        </button>
      )}
      <span className="flex-1" />
      <BarButton
        label="Aggregate"
        title="Repeats as one row: same ends, port, protocol, verdict and direction"
        words={words}
        aria-pressed={aggregate}
        icon={<Layers aria-hidden size={14} />}
        onClick={() => changeTableOptions({ aggregate: !aggregate, sort: null })}
      />
      <Later
        label="Columns"
        words={words}
        icon={<Columns3 aria-hidden size={14} />}
        load={loadColumns}
        menu={(trigger) => <ColumnMenu trigger={trigger} width={width} />}
      />
      <Later
        label="Export"
        words={words}
        icon={<Download aria-hidden size={14} />}
        load={loadExport}
        menu={(trigger) => <ExportMenu trigger={trigger} query={props.query} total={slice?.total ?? 0} />}
      />
    </div>
  );
}

/** A button whose menu is loaded when it is first wanted. */
function Later(props: {
  label: string;
  words: boolean;
  icon: ReactNode;
  load(): Promise<unknown>;
  menu(trigger: ReturnType<typeof BarButton>): ReactNode;
}) {
  const { label, words, icon, load } = props;
  const [wanted, setWanted] = useState(false);
  const look = { label, words, icon };
  const button = (
    <BarButton
      {...look}
      aria-haspopup="dialog"
      aria-expanded={false}
      onClick={() => setWanted(true)}
      onPointerEnter={() => void load().catch(() => {})}
      onFocus={() => void load().catch(() => {})}
    />
  );
  return wanted ? <Suspense fallback={button}>{props.menu(<BarButton {...look} />)}</Suspense> : button;
}

function BarButton({
  label,
  words,
  icon,
  ...props
}: ComponentProps<'button'> & { label: string; words: boolean; icon: ReactNode }) {
  return (
    <button
      type="button"
      title={label}
      {...props}
      aria-label={words ? undefined : label}
      className={classNames(
        'flex h-6 items-center gap-1.5 rounded-md px-1.5 whitespace-nowrap hover:bg-hover hover:text-text',
        props['aria-pressed'] && 'bg-chip text-accent-text',
      )}
    >
      {icon}
      {words && label}
    </button>
  );
}

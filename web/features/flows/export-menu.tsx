import { FileBraces, FileSpreadsheet } from 'lucide-react';
import { Fragment, type ReactElement, type ReactNode, useEffect, useRef, useState } from 'react';
import { observeArguments, shellQuoted } from '#core/observe/command-line.ts';
import { formatCount } from '../../format/quantity.ts';
import { exportFlows } from '../../live/session-client.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { streamView } from '../../view/view.ts';
import { useView } from '../../view/view-store.ts';
import type { ExportAnswer, ExportForm, RowsQuery } from '../../worker/protocol.ts';
import { isValidToken } from '../filters/token-check.ts';
import { BarMenu } from './bar-menu.tsx';
import { selectionFilter } from './selection-filter.ts';

/** Past flows the command begins with: as many as a page does. */
const LAST = 4_096;

/** The flows of the table as a file, or as a command that shows them. */
export function ExportMenu({ trigger, query, total }: { trigger: ReactElement; query: RowsQuery; total: number }) {
  return (
    <BarMenu label="Export" trigger={trigger} className="w-[min(400px,calc(100vw-16px))] gap-3 p-3">
      <Files query={query} total={total} />
      <Command query={query} />
    </BarMenu>
  );
}

function Files({ query, total }: { query: RowsQuery; total: number }) {
  const [answer, setAnswer] = useState<ExportAnswer | null>(null);
  const cancel = useRef<() => void>(undefined);
  useEffect(() => () => cancel.current?.(), []);
  const write = (form: ExportForm) => {
    setAnswer({ state: 'running', done: 0, total });
    cancel.current = exportFlows(form, query, (heard) => {
      setAnswer(heard);
      if (heard.state === 'done') save(heard.file, form);
    });
  };
  const running = answer?.state === 'running';
  return (
    <section className="flex flex-col gap-2">
      <h2 className="font-semibold">
        {query.group ? 'Every flow of the table, one by one' : `${formatCount(total)} flows`}
      </h2>
      <div className="flex gap-2">
        <FileButton disabled={running || total === 0} onClick={() => write('csv')}>
          <FileSpreadsheet aria-hidden size={15} /> CSV
        </FileButton>
        <FileButton disabled={running || total === 0} onClick={() => write('jsonl')}>
          <FileBraces aria-hidden size={15} /> JSON lines, as Hubble's
        </FileButton>
      </div>
      <p role="status" className="flex min-h-5 items-center gap-2 text-xs text-dim">
        {answer?.state === 'running' && (
          <>
            <progress
              aria-label="Export"
              value={answer.done}
              max={Math.max(1, answer.total)}
              className="h-1 flex-1 accent-[var(--accent)]"
            />
            <button type="button" onClick={() => cancel.current?.()} className="text-link hover:underline">
              Cancel
            </button>
          </>
        )}
        {answer?.state === 'done' && `${answer.rows.toLocaleString('en')} flows written.`}
        {answer?.state === 'stopped' && 'Not written.'}
      </p>
    </section>
  );
}

function FileButton(props: { disabled: boolean; onClick(): void; children: ReactNode }) {
  return (
    <button
      type="button"
      disabled={props.disabled}
      onClick={props.onClick}
      className="flex h-8 items-center gap-2 rounded-md border border-line px-3 hover:bg-hover disabled:pointer-events-none disabled:opacity-50"
    >
      {props.children}
    </button>
  );
}

function Command({ query }: { query: RowsQuery }) {
  const view = useView();
  const { namespaces, filter } = streamView(view, isValidToken);
  const { tokens, caveat } = selectionFilter(query.selection);
  const words = observeArguments({ namespaces, filter: [...filter, ...tokens], last: LAST, follow: true }).map(
    shellQuoted,
  );
  return (
    <section className="flex flex-col gap-2 border-t border-line pt-3">
      <div className="flex items-center justify-between">
        <h2 className="font-semibold">The same in a terminal</h2>
        <CopyButton label="Copy command" text={() => words.join(' ')} words />
      </div>
      <code
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        tabIndex={0}
        className="max-h-32 overflow-auto rounded-md bg-chip px-2 py-1.5 font-mono text-xs"
      >
        {/* Lines break between words only: most words begin with dashes. */}
        {words.map((word, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: the words of a command have no other name
          <Fragment key={index}>
            <span className="inline-block max-w-full break-all">{word}</span>{' '}
          </Fragment>
        ))}
      </code>
      {caveat !== '' && <p className="text-xs text-dim">{caveat}</p>}
    </section>
  );
}

function save(file: Blob, form: ExportForm): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = `waggle-flows-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}Z.${form}`;
  link.click();
  // The browser has to begin reading first.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

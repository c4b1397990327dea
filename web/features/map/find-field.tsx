import { ChevronDown, ChevronUp, Search, X } from 'lucide-react';
import { Suspense, useEffect, useId, useRef, useState } from 'react';
import { parseExpression } from '../../graph/expression.ts';
import { sceneStore } from '../../live/map-client.ts';
import { useStore } from '../../live/store.ts';
import { InnerButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { latePart } from '../../ui/late-part.ts';
import { changeMapOptions, useView } from '../../view/view-store.ts';

const NO_CARDS: readonly string[] = [];
const SMALL = 'size-6 rounded-sm';

const FindHelp = latePart(() => import('./find-help.tsx').then(({ FindHelp }) => FindHelp));

/** Looks for cards and arrows on the map: what matches stands out; Enter goes from one to the next. */
export function FindField({ onReveal }: { onReveal(key: string): void }) {
  const { map } = useView();
  const found = useStore(sceneStore)?.scene.found?.cards ?? NO_CARDS;
  const [at, setAt] = useState(-1);
  const [focused, setFocused] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const problem = problemOf(map.find);
  const help = useId();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text begins at its first match
  useEffect(() => setAt(-1), [map.find]);
  const step = (by: number) => {
    if (found.length === 0) return;
    const next = at < 0 ? (by > 0 ? 0 : found.length - 1) : (at + by + found.length) % found.length;
    setAt(next);
    onReveal(found[next]);
  };
  const active = map.find !== '';
  return (
    // biome-ignore lint/a11y/useSemanticElements: the search element is not in every browser yet
    <div role="search" aria-label="On the map" className="relative flex items-center gap-1">
      <div
        className={classNames(
          'flex h-8 items-center gap-1.5 rounded-md border bg-card pl-2 focus-within:border-accent',
          problem === undefined ? 'border-line' : 'border-dropped',
          active ? 'pr-1' : 'pr-2',
        )}
      >
        <Search aria-hidden size={14} className="shrink-0 text-dim" />
        <input
          ref={input}
          aria-label="Find on the map"
          aria-invalid={problem !== undefined}
          aria-describedby={help}
          placeholder="Find a card"
          value={map.find}
          spellCheck={false}
          autoComplete="off"
          onFocus={() => setFocused(true)}
          onBlur={() => setFocused(false)}
          onChange={(event) => changeMapOptions({ find: event.target.value }, 'replace')}
          onKeyDown={(event) => {
            if (event.key === 'Enter') step(event.shiftKey ? -1 : 1);
            else if (event.key === 'Escape' && active) changeMapOptions({ find: '' }, 'replace');
            else return;
            event.preventDefault();
            event.stopPropagation();
          }}
          className="h-full w-32 min-w-0 bg-transparent text-sm outline-none placeholder:text-faint max-sm:w-24"
        />
        {active && (
          <>
            <span role="status" className="numbers text-2xs whitespace-nowrap text-dim">
              {problem !== undefined ? '' : at >= 0 && at < found.length ? `${at + 1}/${found.length}` : found.length}
              <span className="sr-only"> found</span>
            </span>
            <InnerButton
              className={SMALL}
              label="Next found card"
              onClick={() => step(1)}
              disabled={found.length === 0}
            >
              <ChevronDown aria-hidden size={14} />
            </InnerButton>
            <InnerButton
              className={SMALL}
              label="Previous found card"
              onClick={() => step(-1)}
              disabled={found.length === 0}
            >
              <ChevronUp aria-hidden size={14} />
            </InnerButton>
            <InnerButton
              className={SMALL}
              label="Stop finding"
              onClick={() => {
                changeMapOptions({ find: '' }, 'replace');
                input.current?.focus();
              }}
            >
              <X aria-hidden size={14} />
            </InnerButton>
          </>
        )}
      </div>
      {focused && !active && (
        <Suspense>
          <FindHelp />
        </Suspense>
      )}
      <span
        id={help}
        className={
          problem === undefined
            ? 'sr-only'
            : 'absolute top-9 left-0 z-20 w-64 rounded-md border border-dropped bg-card px-2 py-1 text-xs text-dropped-text shadow-[var(--shadow)]'
        }
      >
        {problem ??
          'Part of a name, or a condition like ns=shop, port=3306, verdict=dropped, rtt>5ms. Enter goes to the next match.'}
      </span>
    </div>
  );
}

/** What is wrong with an expression, in words. */
export function problemOf(text: string): string | undefined {
  const parsed = parseExpression(text);
  if (parsed === undefined || !('problem' in parsed)) return undefined;
  const { start, end, message } = parsed.problem;
  return `“${text.slice(start, end)}”: ${message}`;
}

import { Bookmark, ChevronDown } from 'lucide-react';
import { Suspense, useRef } from 'react';
import { sceneStore } from '../../live/map-client.ts';
import { latePart, untilLoaded } from '../../ui/late-part.ts';
import { viewStore } from '../../view/view-store.ts';
import type { TypedBefore } from './filter-bar.tsx';

/** The controls come that long after the first map was told, or without one after this long. */
const AFTER_MAP_MS = 400;
const LATEST_MS = 4_000;

/**
 * The filter's controls, with the vocabulary of filters behind them, come after the first map, or as soon as somebody moves.
 * Until then their place is taken by what looks like them; the field takes what is typed, and hands it over.
 */
let loaded: Promise<typeof import('./filter-controls.ts')> | undefined;

function load(): Promise<typeof import('./filter-controls.ts')> {
  loaded ??= wanted().then(() => untilLoaded(() => import('./filter-controls.ts')));
  return loaded;
}

function wanted(): Promise<void> {
  if (viewStore.get().view.filter.length > 0) return Promise.resolve();
  return new Promise((resolve) => {
    const ended = new AbortController();
    const { signal } = ended;
    const end = () => {
      ended.abort();
      leave();
      clearTimeout(timer);
      resolve();
    };
    // A map that is told already is not drawn yet: its own code goes first.
    let timer = setTimeout(end, sceneStore.get() === null ? LATEST_MS : AFTER_MAP_MS);
    const leave = sceneStore.subscribe(() => {
      leave();
      clearTimeout(timer);
      timer = setTimeout(end, AFTER_MAP_MS);
    });
    for (const type of ['pointermove', 'pointerdown', 'keydown', 'focusin']) addEventListener(type, end, { signal });
  });
}

const Bar = latePart(() => load().then(({ FilterBar }) => FilterBar));
const Show = latePart(() => load().then(({ ShowMenu }) => ShowMenu));
const Saved = latePart(() => load().then(({ SavedViews }) => SavedViews));

export function LateFilterBar() {
  const typed = useRef<TypedBefore>({ text: '', focused: false, entered: false });
  return (
    <Suspense
      fallback={
        <div className="flex h-8 min-w-0 flex-1 items-center rounded-md border border-line bg-card px-2 focus-within:border-accent">
          <input
            role="combobox"
            aria-label="Filter"
            aria-expanded={false}
            autoComplete="off"
            spellCheck={false}
            placeholder="Filter: port=53, label app=web, ip=10.0.0.0/8"
            onChange={(event) => Object.assign(typed.current, { text: event.target.value, entered: false })}
            onKeyDown={(event) => event.key === 'Enter' && Object.assign(typed.current, { entered: true })}
            onFocus={() => Object.assign(typed.current, { focused: true })}
            onBlur={() => Object.assign(typed.current, { focused: false })}
            className="h-full min-w-36 flex-1 bg-transparent text-sm outline-none placeholder:text-faint"
          />
        </div>
      }
    >
      <Bar before={typed.current} />
    </Suspense>
  );
}

const BUTTON = 'flex h-8 items-center justify-center gap-2 rounded-md border border-line bg-card text-sm';

export function LateShowMenu() {
  return (
    <Suspense
      fallback={
        <button type="button" disabled className={`${BUTTON} px-2.5`}>
          Show
          <ChevronDown aria-hidden size={14} className="text-dim" />
        </button>
      }
    >
      <Show />
    </Suspense>
  );
}

export function LateSavedViews() {
  return (
    <Suspense
      fallback={
        <button type="button" disabled aria-label="Saved views" className={`${BUTTON} w-8 text-dim`}>
          <Bookmark aria-hidden size={16} />
        </button>
      }
    >
      <Saved />
    </Suspense>
  );
}

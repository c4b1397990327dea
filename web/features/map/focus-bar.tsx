import { Focus, Minus, Plus, X } from 'lucide-react';
import { sceneStore } from '../../live/map-client.ts';
import { useStore } from '../../live/store.ts';
import { InnerButton } from '../../ui/button.tsx';
import { MOST_HOPS } from '../../view/map-options.ts';
import { useView } from '../../view/view-store.ts';
import { changeHops, leaveFocus } from './choose-card.ts';

const STEP = 'h-full w-7 focus-visible:-outline-offset-2';

/** Whose neighbourhood the map shows, and how far it goes. */
export function FocusBar() {
  const { focus, hops } = useView().map;
  const scene = useStore(sceneStore)?.scene;
  if (focus === null) return null;
  const title = scene?.cards.find(({ key }) => key === focus)?.title ?? focus.split('/').at(-1)!;
  return (
    // biome-ignore lint/a11y/useSemanticElements: these are no fields of a form
    <div
      role="group"
      aria-label="Focus"
      className="flex h-8 items-center overflow-hidden rounded-md border border-accent bg-card text-sm"
    >
      <Focus aria-hidden size={14} className="mr-1.5 ml-2.5 shrink-0 text-accent-text" />
      <span className="max-w-40 truncate">
        <span className="text-dim max-sm:sr-only">Around </span>
        {title}
      </span>
      <span className="mx-2 h-4 w-px bg-line" aria-hidden />
      <InnerButton className={STEP} label="Fewer hops" disabled={hops <= 1} onClick={() => changeHops(-1)}>
        <Minus aria-hidden size={13} />
      </InnerButton>
      <span role="status" className="numbers min-w-12 text-center text-xs text-dim">
        {hops === 1 ? '1 hop' : `${hops} hops`}
      </span>
      <InnerButton className={STEP} label="More hops" disabled={hops >= MOST_HOPS} onClick={() => changeHops(1)}>
        <Plus aria-hidden size={13} />
      </InnerButton>
      <InnerButton className={STEP} label="Show the whole map" onClick={leaveFocus}>
        <X aria-hidden size={14} />
      </InnerButton>
    </div>
  );
}

import { ChevronRight } from 'lucide-react';
import { plateOfFolded } from '../../graph/group.ts';
import type { SceneCard } from '../../graph/scene.ts';
import { foldPlate } from '../../live/arrangement.ts';

/** A plate that is folded up, as a line that opens it. */
export function FoldedEntry({ card, rate }: { card: SceneCard; rate: string }) {
  return (
    <li className="border-b border-line">
      <button
        type="button"
        aria-expanded={false}
        data-card={card.key}
        onClick={() => foldPlate(plateOfFolded(card.key)!, false)}
        className="flex w-full items-center gap-2 px-4 py-2 text-left text-sm hover:bg-hover focus-visible:-outline-offset-2"
      >
        <ChevronRight aria-hidden size={13} className="text-dim" />
        <span className="max-w-[60%] shrink-0 truncate font-semibold">{card.title}</span>
        <span className="min-w-0 flex-1 truncate text-xs text-dim">{card.sentence}</span>
        <span className="numbers text-xs text-dim">{rate}</span>
      </button>
    </li>
  );
}

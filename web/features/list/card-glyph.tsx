import type { CardIcon } from '../../graph/card-words.ts';
import { cardIconOutline } from '../map/card-icons.ts';

export function CardGlyph({ icon }: { icon: CardIcon }) {
  return (
    <svg
      aria-hidden
      viewBox="0 0 24 24"
      className="size-4 shrink-0 fill-none stroke-dim stroke-2 [stroke-linecap:round] [stroke-linejoin:round]"
    >
      <path d={cardIconOutline(icon)} />
    </svg>
  );
}

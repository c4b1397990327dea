import { type Keys, keyCaps } from '../actions/keys.ts';
import { onApple } from '../actions/registry.ts';

export function KeyCaps({ keys }: { keys: Keys }) {
  return (
    <span className="flex shrink-0 gap-1">
      {keyCaps(keys, onApple).map((cap) => (
        <kbd
          key={cap}
          className="min-w-5 rounded-sm border border-line bg-chip px-1 text-center font-mono text-2xs leading-[18px] text-dim"
        >
          {cap}
        </kbd>
      ))}
    </span>
  );
}

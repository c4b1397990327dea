import { Fragment } from 'react';
import { type Keys, keyCaps } from '../actions/keys.ts';
import { onApple } from '../actions/registry.ts';

export function KeyCaps({ keys }: { keys: Keys }) {
  return (
    <span className="flex shrink-0 gap-1">
      {keyCaps(keys, onApple).map((cap, index) => (
        <Fragment key={cap}>
          {/* Read aloud and copied, they are words of their own. */}
          {index > 0 && ' '}
          <kbd className="min-w-5 rounded-sm border border-line bg-chip px-1 text-center font-mono text-2xs leading-[18px] text-dim">
            {cap}
          </kbd>
        </Fragment>
      ))}
    </span>
  );
}

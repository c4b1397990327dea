import { Fragment } from 'react';
import { type Keys, keyCaps } from '../actions/keys.ts';
import { onApple } from '../actions/registry.ts';
import { classNames } from './class-names.ts';

export function KeyCaps({ keys }: { keys: Keys }) {
  return (
    <span className="flex shrink-0 gap-1">
      {keyCaps(keys, onApple).map((cap, index) => (
        <Fragment key={cap}>
          {/* Read aloud and copied, they are words of their own. */}
          {index > 0 && ' '}
          <kbd
            className={classNames(
              'min-w-5 rounded-sm border border-line bg-chip px-1 text-center text-2xs leading-[18px] text-dim',
              // The monospaced face that comes with the page has two of the four arrows.
              /[←↑→↓]/.test(cap) ? 'font-sans' : 'font-mono',
            )}
          >
            {cap}
          </kbd>
        </Fragment>
      ))}
    </span>
  );
}

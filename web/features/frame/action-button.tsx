import type { ReactNode } from 'react';
import { keyCaps } from '../../actions/keys.ts';
import { onApple } from '../../actions/registry.ts';
import { classNames } from '../../ui/class-names.ts';
import { frameAction } from './frame-actions.ts';

/** A quiet button that does one of the frame's actions, named as it is. */
export function ActionButton(props: {
  id: string;
  /** After the action's name. */
  more?: string;
  className?: string;
  children: ReactNode;
}) {
  const { name, keys, run } = frameAction(props.id);
  const title = `${name}${props.more ?? ''}`;
  return (
    <button
      type="button"
      aria-label={title}
      title={keys === undefined ? title : `${title} (${keyCaps(keys, onApple).join('+')})`}
      aria-keyshortcuts={keys?.replace('mod', onApple ? 'Meta' : 'Control')}
      onClick={run}
      className={classNames(
        'inline-flex h-6 w-6 shrink-0 items-center justify-center gap-1 rounded-sm text-dim transition-colors duration-150 hover:bg-hover hover:text-text',
        props.className,
      )}
    >
      {props.children}
    </button>
  );
}

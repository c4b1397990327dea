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
  /** The keys are what is seen of it: then they belong to its name. */
  showsKeys?: boolean;
  className?: string;
  children: ReactNode;
}) {
  const { name, keys, run } = frameAction(props.id);
  const title = `${name}${props.more ?? ''}`;
  const caps = keys === undefined ? [] : keyCaps(keys, onApple);
  return (
    <button
      type="button"
      aria-label={props.showsKeys ? `${title}, ${caps.join(' ')}` : title}
      title={caps.length === 0 ? title : `${title} (${caps.join('+')})`}
      aria-keyshortcuts={keys?.replace('mod', onApple ? 'Meta' : 'Control')}
      onClick={run}
      className={classNames(
        'inline-flex h-6 w-6 shrink-0 items-center justify-center gap-1 rounded-sm text-dim hover:bg-hover hover:text-text',
        props.className,
      )}
    >
      {props.children}
    </button>
  );
}

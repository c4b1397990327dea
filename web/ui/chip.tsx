import type { ReactNode } from 'react';
import { classNames } from './class-names.ts';

/** A small fact in a rounded box, set in the monospaced face. */
export function Chip({
  children,
  title,
  tone = 'plain',
}: {
  children: ReactNode;
  title?: string;
  tone?: 'plain' | 'accent';
}) {
  return (
    <span
      title={title}
      className={classNames(
        'inline-block max-w-full truncate rounded-sm bg-chip px-1.5 font-mono text-2xs leading-[18px]',
        tone === 'accent' ? 'text-accent-text' : 'text-text',
      )}
    >
      {children}
    </span>
  );
}

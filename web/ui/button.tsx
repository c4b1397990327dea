import type { ComponentProps } from 'react';
import { classNames } from './class-names.ts';

const LOOK =
  'inline-flex h-8 items-center gap-2 rounded-md border border-line bg-card px-3 text-sm text-text hover:bg-hover disabled:opacity-50 disabled:pointer-events-none';

export function Button({ className, ...props }: ComponentProps<'button'>) {
  return <button type="button" className={classNames(LOOK, className)} {...props} />;
}

/** A button that is an icon: its name is for screen readers and as a tooltip. */
export function IconButton({ label, className, ...props }: ComponentProps<'button'> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={classNames(
        'inline-flex size-8 shrink-0 items-center justify-center rounded-md border border-line bg-card text-dim hover:bg-hover hover:text-text disabled:opacity-40 disabled:pointer-events-none',
        className,
      )}
      {...props}
    />
  );
}

/** An icon among others within a field or bar. */
export function InnerButton({ label, className, ...props }: ComponentProps<'button'> & { label: string }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      className={classNames(
        'flex items-center justify-center text-dim hover:bg-hover hover:text-text disabled:opacity-40',
        className,
      )}
      {...props}
    />
  );
}

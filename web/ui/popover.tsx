import { type ReactNode, Suspense, useId, useRef, useState } from 'react';
import { classNames } from './class-names.ts';

const GAP = 6;

/** A button with a panel that opens above or below it. The browser closes it on Escape and on a click beside it. */
export function Popover(props: {
  /** Accessible name of the button; it should begin with what the button shows. */
  label: string;
  /** Accessible name of the panel. */
  title: string;
  button: ReactNode;
  className?: string;
  /** Where the panel opens; default above. */
  side?: 'above' | 'below';
  children: ReactNode;
}) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        ref={button}
        type="button"
        aria-label={props.label}
        aria-haspopup="dialog"
        aria-expanded={open}
        popoverTarget={id}
        className={classNames('rounded-sm px-1.5 py-0.5 hover:bg-hover', props.className)}
      >
        {props.button}
      </button>
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={props.title}
        onBeforeToggle={(event) => {
          if (event.newState !== 'open') return;
          const anchor = button.current!.getBoundingClientRect();
          const { style } = event.currentTarget;
          style.left = `${Math.max(8, Math.min(anchor.left, innerWidth - 340))}px`;
          if (props.side === 'below') style.top = `${anchor.bottom + GAP}px`;
          else style.bottom = `${innerHeight - anchor.top + GAP}px`;
          setOpen(true);
        }}
        onToggle={(event) => setOpen(event.newState === 'open')}
        className="inset-auto m-0 max-h-[70vh] w-[min(332px,calc(100vw-16px))] overflow-y-auto rounded-lg border border-line bg-card p-3 text-sm whitespace-normal text-text shadow-[var(--shadow)]"
      >
        {open && <Suspense fallback={null}>{props.children}</Suspense>}
      </div>
    </>
  );
}

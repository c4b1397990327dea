import { X } from 'lucide-react';
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { IconButton } from './button.tsx';
import { classNames } from './class-names.ts';

/** A modal dialog: the browser keeps the focus in it, Escape or a click beside it closes it, and the focus goes back. */
export function Dialog(props: {
  title: string;
  /** The title is only for screen readers, and there is no button to close. */
  bare?: boolean;
  onClose(): void;
  className?: string;
  children: ReactNode;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const title = useId();
  useLayoutEffect(() => {
    const dialog = element.current!;
    dialog.showModal();
    // Before it leaves the document: only closing gives the focus back.
    return () => dialog.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it
    <dialog
      ref={element}
      aria-labelledby={title}
      onClose={props.onClose}
      onClick={(event) => {
        if (event.target === element.current) props.onClose();
      }}
      className={classNames(
        'mx-auto mt-[12vh] mb-0 flex max-h-[76vh] w-[min(560px,calc(100vw-24px))] flex-col overflow-hidden rounded-xl border border-line bg-card p-0 text-text shadow-[var(--shadow)] backdrop:bg-[var(--scrim)]',
        props.className,
      )}
    >
      <div className={classNames('flex items-center justify-between py-2 pr-2 pl-4', props.bare && 'sr-only')}>
        <h2 id={title} className="text-base font-semibold">
          {props.title}
        </h2>
        {!props.bare && (
          <IconButton label="Close" className="border-transparent bg-transparent" onClick={props.onClose}>
            <X aria-hidden size={16} />
          </IconButton>
        )}
      </div>
      {props.children}
    </dialog>
  );
}

import type { ReactNode } from 'react';

/** Stands where content would be, and says why there is none and what to do. */
export function State(props: { icon: ReactNode; title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="flex size-full flex-col items-center justify-center gap-1 p-6 text-center">
      <span aria-hidden className="mb-2 flex size-11 items-center justify-center rounded-full bg-chip text-dim">
        {props.icon}
      </span>
      <h2 className="text-base font-semibold">{props.title}</h2>
      {props.children !== undefined && <div className="max-w-md text-sm text-balance text-dim">{props.children}</div>}
      {props.actions && (
        <div className="pointer-events-auto mt-3 flex flex-wrap justify-center gap-2">{props.actions}</div>
      )}
    </div>
  );
}

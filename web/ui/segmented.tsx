import type { ReactNode } from 'react';
import { useRef } from 'react';
import { classNames } from './class-names.ts';

export interface Segment<T extends string> {
  readonly value: T;
  readonly label: ReactNode;
  readonly name: string;
}

/** One of a few, all visible. A radio group: arrow keys choose. */
export function Segmented<T extends string>(props: {
  label: string;
  segments: readonly Segment<T>[];
  value: T;
  onChange(value: T): void;
  className?: string;
}) {
  const group = useRef<HTMLDivElement>(null);
  const step = (by: number) => {
    const at = props.segments.findIndex(({ value }) => value === props.value);
    const next = (at + by + props.segments.length) % props.segments.length;
    props.onChange(props.segments[next].value);
    group.current?.querySelectorAll('button')[next]?.focus();
  };
  return (
    <div
      ref={group}
      role="radiogroup"
      aria-label={props.label}
      className={classNames('flex h-8 shrink-0 overflow-hidden rounded-md border border-line bg-card', props.className)}
    >
      {props.segments.map(({ value, label, name }) => (
        // biome-ignore lint/a11y/useSemanticElements: a native radio cannot be drawn as a segment with an icon
        <button
          key={value}
          type="button"
          role="radio"
          aria-checked={value === props.value}
          aria-label={name}
          tabIndex={value === props.value ? 0 : -1}
          onClick={() => props.onChange(value)}
          onKeyDown={(event) => {
            if (event.key === 'ArrowRight' || event.key === 'ArrowDown') step(1);
            else if (event.key === 'ArrowLeft' || event.key === 'ArrowUp') step(-1);
            else return;
            event.preventDefault();
          }}
          className={classNames(
            'flex items-center gap-1.5 border-l border-line px-2.5 text-xs first:border-l-0 focus-visible:-outline-offset-2',
            value === props.value ? 'bg-chip text-text' : 'text-dim hover:bg-hover hover:text-text',
          )}
        >
          {label}
        </button>
      ))}
    </div>
  );
}

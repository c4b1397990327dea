import { type ReactNode, useRef, useState } from 'react';
import { recall, remember } from '../view/remembered.ts';
import { classNames } from './class-names.ts';

/**
 * Two panes, the second of a size (in pixels) that a person sets with pointer or arrow keys and that is remembered under
 * `name`. The first takes what is left.
 */
export function Split(props: {
  name: string;
  label: string;
  /** `row`: beside each other; `column`: above each other. */
  direction: 'row' | 'column';
  initial: number;
  least: number;
  first: ReactNode;
  /** Null hides the second pane and the handle. */
  second: ReactNode;
}) {
  const { direction, least } = props;
  const [size, setSize] = useState(() => Math.max(least, Number(recall(`split.${props.name}`)) || props.initial));
  const frame = useRef<HTMLDivElement>(null);
  const room = () => {
    const box = frame.current?.getBoundingClientRect();
    return box === undefined ? Number.POSITIVE_INFINITY : direction === 'row' ? box.width : box.height;
  };
  const resize = (next: number) => {
    const bounded = Math.round(Math.max(least, Math.min(next, room() - 160)));
    setSize(bounded);
    remember(`split.${props.name}`, String(bounded));
  };
  const horizontal = direction === 'row';
  return (
    <div ref={frame} className={classNames('flex size-full min-h-0 min-w-0', horizontal ? 'flex-row' : 'flex-col')}>
      <div className="min-h-0 min-w-0 flex-1">{props.first}</div>
      {props.second !== null && (
        <>
          {/* biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is not a line between paragraphs */}
          <div
            role="separator"
            aria-label={props.label}
            aria-orientation={horizontal ? 'vertical' : 'horizontal'}
            aria-valuenow={size}
            aria-valuemin={least}
            tabIndex={0}
            className={classNames(
              'relative z-10 shrink-0 touch-none bg-line hover:bg-accent focus-visible:bg-accent',
              'after:absolute after:content-[""]',
              horizontal
                ? 'w-px cursor-col-resize after:inset-y-0 after:-left-1 after:w-2'
                : 'h-px cursor-row-resize after:inset-x-0 after:-top-1 after:h-2',
            )}
            onPointerDown={(event) => {
              event.currentTarget.setPointerCapture(event.pointerId);
              event.preventDefault();
            }}
            onPointerMove={(event) => {
              if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
              const box = frame.current!.getBoundingClientRect();
              resize(horizontal ? box.right - event.clientX : box.bottom - event.clientY);
            }}
            onKeyDown={(event) => {
              const grow = horizontal ? 'ArrowLeft' : 'ArrowUp';
              const shrink = horizontal ? 'ArrowRight' : 'ArrowDown';
              if (event.key !== grow && event.key !== shrink) return;
              resize(size + (event.key === grow ? 24 : -24));
              event.preventDefault();
            }}
          />
          <div
            className="min-h-0 min-w-0 shrink-0"
            style={{
              [horizontal ? 'width' : 'height']: size,
              maxWidth: horizontal ? '70%' : undefined,
              maxHeight: horizontal ? undefined : '80%',
            }}
          >
            {props.second}
          </div>
        </>
      )}
    </div>
  );
}

import type { Completion } from '#core/filter/complete-token.ts';
import { classNames } from '../../ui/class-names.ts';

/** What could come next, under the filter field. */
export function Completions(props: {
  completions: readonly Completion[];
  active: number;
  onChoose(token: string): void;
}) {
  if (props.completions.length === 0) return null;
  return (
    <div
      id="filter-completions"
      role="listbox"
      aria-label="Filters"
      className="absolute top-9 left-0 z-40 w-max max-w-full min-w-72 overflow-hidden rounded-lg border border-line bg-card py-1 shadow-[var(--shadow)]"
    >
      {props.completions.map(({ token, doc }, index) => (
        // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the field, which names the active option
        // biome-ignore lint/a11y/useKeyWithClickEvents: the field's arrow and Enter keys choose
        <div
          key={token}
          id={`filter-completion-${index}`}
          role="option"
          aria-selected={index === props.active}
          onPointerDown={(event) => event.preventDefault()}
          onClick={() => props.onChoose(token)}
          className={classNames(
            'flex cursor-pointer items-baseline gap-3 px-3 py-1 hover:bg-hover',
            index === props.active && 'bg-chip',
          )}
        >
          <span className="shrink-0 font-mono text-xs">{token}</span>
          <span className="truncate text-2xs text-faint">{doc}</span>
        </div>
      ))}
    </div>
  );
}

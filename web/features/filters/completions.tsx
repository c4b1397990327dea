import type { Completion } from '#core/filter/complete-token.ts';
import type { FilterError } from '#core/filter/filter.ts';
import { classNames } from '../../ui/class-names.ts';
import { MarkedToken } from './marked-token.tsx';

/** What could come next, under the filter field; what is wrong with what stands in it; and what it is about. */
export function Completions(props: {
  completions: readonly Completion[];
  active: number;
  /** Set once somebody tried to use what cannot be used. */
  problem: { readonly token: string; readonly error: FilterError } | undefined;
  hint: string;
  onChoose(token: string): void;
}) {
  const { completions, active, problem, hint } = props;
  if (completions.length === 0 && problem === undefined && hint === '') return null;
  return (
    <div
      onPointerDown={(event) => event.preventDefault()}
      className="absolute top-9 left-0 z-50 w-max max-w-full min-w-72 overflow-hidden rounded-lg border border-line bg-card shadow-[var(--shadow)]"
    >
      {problem !== undefined && (
        <p
          role="alert"
          className="max-h-40 overflow-y-auto border-b wrap-anywhere border-line px-3 py-1.5 text-xs text-text"
        >
          {/* However much was pasted, what is wrong with it is in view. */}
          <span className="line-clamp-2 font-mono">
            <MarkedToken token={problem.token} error={problem.error} />
          </span>
          <span className="block text-dropped-text">{sentence(problem.error.message)}</span>
        </p>
      )}
      {completions.length > 0 && (
        <div
          id="filter-completions"
          role="listbox"
          aria-label="Filters"
          className="max-h-[min(320px,60vh)] overflow-y-auto py-1"
        >
          {completions.map(({ token, doc }, index) => (
            // biome-ignore lint/a11y/useFocusableInteractive: focus stays in the field, which names the active option
            // biome-ignore lint/a11y/useKeyWithClickEvents: the field's arrow and Enter keys choose
            <div
              key={token}
              id={`filter-completion-${index}`}
              role="option"
              aria-selected={index === active}
              ref={(element) => {
                if (index === active) element?.scrollIntoView({ block: 'nearest' });
              }}
              onClick={() => props.onChoose(token)}
              className={classNames(
                'flex cursor-pointer items-baseline gap-3 px-3 py-1 hover:bg-hover',
                index === active && 'bg-chip',
              )}
            >
              <span className="max-w-full shrink-0 truncate font-mono text-xs" title={token}>
                {token}
              </span>
              <span className="truncate text-2xs text-faint">{doc}</span>
            </div>
          ))}
        </div>
      )}
      {hint !== '' && <p className="border-t border-line px-3 py-1 text-2xs text-dim first:border-t-0">{hint}</p>}
    </div>
  );
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
}

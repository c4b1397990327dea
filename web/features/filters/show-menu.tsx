import { ChevronDown } from 'lucide-react';
import { QUICK_HIDES, type QuickHide } from '#core/filter/quick-hides.ts';
import { formatRate } from '../../format/quantity.ts';
import { plural } from '../../graph/card-words.ts';
import { hiddenStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { Popover } from '../../ui/popover.tsx';
import { changeView, useView } from '../../view/view-store.ts';
import { hiddenBy, isHidden, withHidden } from './quick-hide.ts';

/** What is often in the way, to be hidden and shown again. Nothing is hidden unless somebody asked; what is, is counted. */
export function ShowMenu() {
  const { filter } = useView();
  const hidden = QUICK_HIDES.filter((hide) => isHidden(hide, filter)).map(({ name }) => name);
  return (
    <Popover
      label={hidden.length === 0 ? 'Show: everything' : `Show ${hidden.length} hidden: ${hidden.join(', ')}`}
      title="What is shown"
      side="below"
      className="flex h-8 items-center gap-2 rounded-md border border-line bg-card px-2.5 text-sm"
      button={
        <>
          <span>Show</span>{' '}
          {hidden.length > 0 && <span className="numbers text-2xs text-accent-text">{hidden.length} hidden</span>}
          <ChevronDown aria-hidden size={14} className="text-dim" />
        </>
      }
    >
      <Choices />
    </Popover>
  );
}

function Choices() {
  const { filter } = useView();
  return (
    <fieldset>
      <legend className="pb-1 text-xs text-dim">Show traffic of</legend>
      {QUICK_HIDES.map((hide) => (
        <Choice
          key={hide.name}
          hide={hide}
          hidden={isHidden(hide, filter)}
          onChange={(next) => changeView({ filter: withHidden(hide, filter, next) })}
        />
      ))}
    </fieldset>
  );
}

function Choice({ hide, hidden, onChange }: { hide: QuickHide; hidden: boolean; onChange(hidden: boolean): void }) {
  const { flows, flowsPerSecond } = hiddenBy(hide, useStore(hiddenStore));
  return (
    <label className="flex cursor-pointer items-start gap-2.5 rounded-md px-1 py-1.5 hover:bg-hover">
      <input
        type="checkbox"
        aria-label={hide.name}
        checked={!hidden}
        onChange={(event) => onChange(!event.target.checked)}
        className="mt-[3px] size-3.5 shrink-0 accent-[var(--accent)]"
      />
      <span className="min-w-0 flex-1">
        <span className="block">{hide.name}</span>
        <span className="block text-2xs text-faint">{hide.doc}</span>
      </span>
      {hidden && (
        <span className="numbers shrink-0 text-right text-2xs text-dim">
          {plural(flows, 'flow', 'flows')} hidden
          <span className="block text-faint">{formatRate(flowsPerSecond)}</span>
        </span>
      )}
    </label>
  );
}

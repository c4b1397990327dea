import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { eventsStore, type LoggedEvent } from '../../events/event-store.ts';
import { useStore } from '../../live/store.ts';
import { IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Dot } from '../../ui/verdict.tsx';
import { settingsStore } from '../../view/settings.ts';

/** How long one shows, unless pointer or focus is on it. */
const SHOWN_MS = 8_000;
const MOST_AT_ONCE = 3;

/** What has just happened, for a moment; the history keeps it. */
export function Toasts() {
  const events = useStore(eventsStore);
  const { toasts } = useStore(settingsStore);
  const [held, setHeld] = useState(false);
  /** Up to this id their time is over. */
  const [past, setPast] = useState(0);
  const [dismissed, setDismissed] = useState<ReadonlySet<number>>(new Set());
  const shown = toasts ? events.filter(({ id }) => id > past && !dismissed.has(id)).slice(0, MOST_AT_ONCE) : [];
  return (
    <section
      aria-label="Notifications"
      aria-live="polite"
      onPointerEnter={() => setHeld(true)}
      onPointerLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
      className="pointer-events-none fixed right-3 bottom-9 z-40 flex w-[min(340px,calc(100vw-24px))] flex-col-reverse gap-2"
    >
      {shown.map((event) => (
        <Toast
          key={event.id}
          event={event}
          held={held}
          onPast={() => setPast((before) => Math.max(before, event.id))}
          onDismiss={() => {
            setHeld(false);
            setDismissed((before) => new Set([...before, event.id]));
          }}
        />
      ))}
    </section>
  );
}

function Toast(props: { event: LoggedEvent; held: boolean; onPast(): void; onDismiss(): void }) {
  const { event, held } = props;
  const past = useRef(props.onPast);
  past.current = props.onPast;
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => past.current(), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [held]);
  return (
    <div
      className={classNames(
        'pointer-events-auto flex items-start gap-2 rounded-lg border bg-card py-2 pr-1.5 pl-3 shadow-[var(--shadow)] transition-opacity duration-150 starting:opacity-0',
        event.tone === 'bad' ? 'border-dropped' : 'border-line',
      )}
    >
      <span className="pt-1.5">
        <Dot className={event.tone === 'bad' ? 'bg-dropped' : 'bg-forwarded'} />
      </span>
      <div className="min-w-0 flex-1">
        <div className="text-sm font-semibold">{event.title}</div>
        {event.text !== '' && <div className="line-clamp-3 text-xs break-words text-dim">{event.text}</div>}
      </div>
      <IconButton label="Dismiss" className="!size-6 border-transparent bg-transparent" onClick={props.onDismiss}>
        <X aria-hidden size={14} />
      </IconButton>
    </div>
  );
}

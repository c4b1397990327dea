import { BellOff } from 'lucide-react';
import { useEffect } from 'react';
import { eventsStore, forgetEvents, markEventsSeen } from '../../events/event-store.ts';
import { useStore } from '../../live/store.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Moment } from '../../ui/moment.tsx';
import { State } from '../../ui/state.tsx';
import { Dot } from '../../ui/verdict.tsx';

/** What has happened since the page was opened. */
export function EventsDialog({ onClose }: { onClose(): void }) {
  const events = useStore(eventsStore);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what comes while it is open has been seen too
  useEffect(markEventsSeen, [events]);
  return (
    <Dialog title="What happened" onClose={onClose}>
      {events.length === 0 ? (
        <div className="h-56">
          <State icon={<BellOff size={20} />} title="Nothing has happened">
            Nodes that go away, flows that are lost and bursts of drops are listed here, from when this page was opened.
          </State>
        </div>
      ) : (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
          <ol tabIndex={0} aria-label="Events" className="min-h-0 overflow-y-auto px-4">
            {events.map(({ id, at, tone, title, text }) => (
              <li key={id} className="flex gap-3 border-b border-line py-2 last:border-b-0">
                <span className="pt-1.5">
                  <Dot className={tone === 'bad' ? 'bg-dropped' : 'bg-forwarded'} />
                </span>
                <div className="min-w-0 flex-1">
                  <div className="text-sm">{title}</div>
                  {text !== '' && <div className="text-xs break-words text-dim">{text}</div>}
                </div>
                <span className="numbers shrink-0 text-xs text-dim">
                  <Moment ms={at} />
                </span>
              </li>
            ))}
          </ol>
          <div className="border-t border-line p-3 text-right">
            <Button onClick={forgetEvents}>Forget these</Button>
          </div>
        </>
      )}
    </Dialog>
  );
}

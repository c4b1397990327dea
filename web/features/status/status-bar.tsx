import { Bell, Command, Settings as Gear, History, Keyboard } from 'lucide-react';
import { useState } from 'react';
import { eventsStore, seenStore } from '../../events/event-store.ts';
import { formatCount } from '../../format/quantity.ts';
import { formatClockSeconds, formatSpan, timeZone } from '../../format/time.ts';
import { sceneStore } from '../../live/map-client.ts';
import { secondStore } from '../../live/second.ts';
import { clockAheadStore } from '../../live/server-clock.ts';
import { connectionStore, retryNow, statusStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { KeyCaps } from '../../ui/key-caps.tsx';
import { Dot } from '../../ui/verdict.tsx';
import { settingsStore } from '../../view/settings.ts';
import { ActionButton } from '../frame/action-button.tsx';
import { Losses } from './losses.tsx';
import { Nodes } from './nodes.tsx';

/** One line: how much flows, who reports, what was lost, whether this page is connected. */
export function StatusBar() {
  const status = useStore(statusStore);
  return (
    <footer className="flex h-7 shrink-0 items-center gap-2 border-t border-line bg-background pr-2 pl-3 text-2xs whitespace-nowrap text-dim">
      <Connection />
      {status !== null && (
        <>
          <Bullet />
          <FlowRate perSecond={status.flowsPerSecond} />
          <Bullet />
          <Nodes nodes={status.nodes} />
          <Bullet />
          <Losses status={status} />
        </>
      )}
      <Omitted />
      <span className="flex-1" />
      <Clock />
      <Happened />
      <ActionButton id="keyboard" className="max-sm:hidden">
        <Keyboard aria-hidden size={14} />
      </ActionButton>
      <ActionButton id="settings">
        <Gear aria-hidden size={14} />
      </ActionButton>
      <ActionButton id="palette" showsKeys className="!w-auto px-1">
        <span className="max-sm:hidden">
          <KeyCaps keys="mod+k" />
        </span>
        <Command aria-hidden size={14} className="sm:hidden" />
      </ActionButton>
    </footer>
  );
}

/** As wide as it has been: what stands behind it does not go to and fro. */
function FlowRate({ perSecond }: { perSecond: number }) {
  const words = `${formatCount(perSecond)} flows/s`;
  const [widest, setWidest] = useState(0);
  if (words.length > widest) setWidest(words.length);
  return (
    <span className="numbers text-text" style={{ minWidth: `${widest}ch` }}>
      {words}
    </span>
  );
}

function Bullet() {
  return (
    <span aria-hidden className="text-faint">
      •
    </span>
  );
}

const WORDS = { live: 'live', connecting: 'connecting', waiting: 'not connected', refused: 'stopped' };

function Connection() {
  const state = useStore(connectionStore);
  return (
    <span className="flex items-center gap-2">
      <Dot
        className={state.phase === 'live' ? 'bg-forwarded' : state.phase === 'connecting' ? 'bg-accent' : 'bg-dropped'}
      />
      <span role="status" className="max-sm:sr-only">
        {WORDS[state.phase]}
      </span>
      {state.phase === 'waiting' && (
        <>
          <Countdown at={state.retryAt} />
          <button type="button" onClick={retryNow} className="text-link underline-offset-2 hover:underline">
            now
          </button>
        </>
      )}
    </span>
  );
}

function Countdown({ at }: { at: number }) {
  const seconds = Math.ceil((at - useStore(secondStore)) / 1000);
  return <span className="numbers">{seconds > 0 ? `again in ${seconds} s` : 'trying'}</span>;
}

/** Whatever is not drawn is counted. */
function Omitted() {
  const scene = useStore(sceneStore)?.scene;
  if (scene === undefined) return null;
  const parts = [
    scene.mergedEdges > 0 && `${formatCount(scene.mergedEdges)} arrows merged`,
    scene.hiddenEdges + scene.omittedEdges > 0 &&
      `${formatCount(scene.hiddenEdges + scene.omittedEdges)} quiet arrows not drawn`,
    scene.omittedCards > 0 && `${formatCount(scene.omittedCards)} cards not drawn`,
  ].filter((part) => part !== false);
  return parts.length === 0 ? null : (
    <span className="min-w-0 truncate text-accent-text max-md:hidden">{parts.join(', ')}</span>
  );
}

function Clock() {
  useStore(settingsStore);
  const now = useStore(secondStore);
  const ahead = useStore(clockAheadStore);
  return (
    <span className="flex items-center gap-1 max-md:hidden">
      {ahead !== 0 && (
        <span title="Times are the servers' own" className="text-accent-text">
          server {formatSpan(Math.abs(ahead))} {ahead > 0 ? 'ahead' : 'behind'} ·
        </span>
      )}
      {timeZone()} · <span className="numbers">{formatClockSeconds(now + ahead)}</span>
      <ActionButton id="time">
        <History aria-hidden size={14} />
      </ActionButton>
    </span>
  );
}

/** Opens the history; marked when it has something new. */
function Happened() {
  const events = useStore(eventsStore);
  const seen = useStore(seenStore);
  const news = events.filter(({ id }) => id > seen).length;
  return (
    <ActionButton id="events" more={news === 0 ? '' : `, ${news} new`} className="relative">
      <Bell aria-hidden size={14} />
      {news > 0 && (
        <span
          aria-hidden
          className="absolute top-0.5 right-0.5 size-[7px] rounded-full border border-background bg-accent"
        />
      )}
    </ActionButton>
  );
}

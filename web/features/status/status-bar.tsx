import { formatCount } from '../../format/quantity.ts';
import { formatClockSeconds, timeZone } from '../../format/time.ts';
import { sceneStore } from '../../live/map-client.ts';
import { connectionStore, statusStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { useNow } from '../../ui/use-now.ts';
import { Dot } from '../../ui/verdict.tsx';

/** One line: how much flows, who reports, what was lost. */
export function StatusBar() {
  const status = useStore(statusStore);
  const connection = useStore(connectionStore);
  const live = connection.phase === 'live';
  return (
    <footer className="flex h-7 shrink-0 items-center gap-4 overflow-hidden border-t border-line bg-background px-4 text-2xs whitespace-nowrap text-dim">
      <span role="status" className="flex items-center gap-2">
        <Dot className={live ? 'bg-forwarded' : 'bg-accent'} />
        {status === null ? (
          <span>{live ? 'waiting for figures' : 'not connected'}</span>
        ) : (
          <>
            <span className="numbers text-text">{formatCount(status.flowsPerSecond)} flows/s</span>
            <Bullet />
            <Nodes />
            <Bullet />
            <Lost />
          </>
        )}
      </span>
      <Omitted />
      <span className="flex-1" />
      <Clock />
    </footer>
  );
}

function Bullet() {
  return (
    <span aria-hidden className="text-faint">
      •
    </span>
  );
}

function Nodes() {
  const nodes = useStore(statusStore)?.nodes ?? [];
  const connected = nodes.filter(({ state }) => state === 'connected').length;
  const title = nodes
    .map(({ name, state, message, flowsPerSecond }) =>
      state === 'connected'
        ? `${name}: ${formatCount(flowsPerSecond)} flows/s${message === '' ? '' : ` – ${message}`}`
        : `${name}: ${state}${message === '' ? '' : ` – ${message}`}`,
    )
    .join('\n');
  return (
    <span title={title} className={classNames('numbers', connected < nodes.length && 'text-dropped-text')}>
      {connected}/{nodes.length} {nodes.length === 1 ? 'node' : 'nodes'}
    </span>
  );
}

function Lost() {
  const status = useStore(statusStore);
  if (status === null) return null;
  const title =
    status.lost === 0
      ? 'No flow was lost on its way here.'
      : status.losses.map(({ where, count }) => `${where}: ${count}`).join('\n');
  return (
    <span title={title} className={classNames('numbers', status.lost > 0 && 'text-dropped-text')}>
      {formatCount(status.lost)} lost
    </span>
  );
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
  return parts.length === 0 ? null : <span className="text-accent-text">{parts.join(', ')}</span>;
}

function Clock() {
  const now = useNow(1_000);
  return (
    <span className="max-sm:hidden">
      {timeZone()} · <span className="numbers">{formatClockSeconds(now)}</span>
    </span>
  );
}

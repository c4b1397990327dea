import { formatCount } from '../../format/quantity.ts';
import { secondStore } from '../../live/second.ts';
import { clockAheadStore } from '../../live/server-clock.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { Dot } from '../../ui/verdict.tsx';
import type { NodeSummary } from '../../worker/protocol.ts';

const WORDS = { connected: 'connected', connecting: 'connecting', unavailable: 'not reached' };
const DOTS = { connected: 'bg-forwarded', connecting: 'bg-accent', unavailable: 'bg-dropped' };
/** What needs attention comes first. */
const ORDER = { unavailable: 0, connecting: 1, connected: 2 };

export function NodesPanel({ nodes }: { nodes: readonly NodeSummary[] }) {
  return (
    <>
      <h2 className="pb-1 text-sm font-semibold">Nodes</h2>
      {nodes.length === 0 && (
        <p className="text-xs text-dim">No node is known yet. They come from the cluster's state.</p>
      )}
      <ul>
        {nodes
          .toSorted((a, b) => ORDER[a.state] - ORDER[b.state] || (a.name < b.name ? -1 : 1))
          .map((node) => (
            <NodeLine key={node.name} node={node} />
          ))}
      </ul>
    </>
  );
}

function NodeLine({ node }: { node: NodeSummary }) {
  const { name, state, message, flowsPerSecond, endpoints, lost, retryAt } = node;
  return (
    <li className="border-b border-line py-1.5 last:border-b-0">
      <div className="flex items-center gap-2">
        <Dot className={DOTS[state]} />
        <span className="min-w-0 flex-1 truncate">{name}</span>
        <span className={classNames('text-xs', state === 'unavailable' ? 'text-dropped-text' : 'text-dim')}>
          {WORDS[state]}
          {state === 'unavailable' && retryAt > 0 && <RetryIn at={retryAt} />}
        </span>
      </div>
      <div className="numbers pl-[15px] text-2xs text-dim">
        {formatCount(flowsPerSecond)} flows/s · {endpoints} {endpoints === 1 ? 'endpoint' : 'endpoints'} ·{' '}
        {formatCount(lost)} lost
      </div>
      {message !== '' && <div className="pl-[15px] text-xs break-words text-dim">{message}</div>}
    </li>
  );
}

function RetryIn({ at }: { at: number }) {
  const seconds = Math.ceil((at - useStore(secondStore) - useStore(clockAheadStore)) / 1000);
  return <span className="numbers">{seconds > 0 ? `, again in ${seconds} s` : ', trying'}</span>;
}

import { lostEvent } from '#core/hubble/lost-event.ts';
import { NodeState as HubbleNodeState } from '#proto/gen/relay/relay_pb.ts';
import { NodeState } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { FollowedNode, ObservedFlows } from '#runtime/hubble/observed-flows.ts';
import type { MergedFlows } from '../relay/merged-flows.ts';

/** How often a reader without flows learns of losses and of nodes that came or went, in milliseconds. */
const STATE_EVERY_MS = 1_000;

/** The flows of every node together, as Hubble's observer serves them. */
export function relayFlows(relay: MergedFlows, name = 'waggle-relay'): ObservedFlows {
  const waiting = new Set<() => void>();
  relay.onRows(() => {
    for (const wake of [...waiting]) wake();
  });
  return {
    window: relay.window,
    nodeName: name,
    // Rows wait for older ones of other nodes, and not for ever.
    disorderMs: 1_000,
    news: (signal, atMostMs) =>
      new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          waiting.delete(done);
          resolve();
        };
        const timer = setTimeout(done, Math.min(atMostMs, STATE_EVERY_MS));
        signal.addEventListener('abort', done);
        waiting.add(done);
        if (signal.aborted) done();
      }),
    lossReader: () => {
      const reader = relay.losses.reader();
      return () => reader.take().map((loss) => ({ nodeName: `${loss.cluster}/${loss.node}`, event: lostEvent(loss) }));
    },
    nodes: () => relay.followed().map(followedNode),
    seen: () => relay.rate.total,
    flowsPerSecond: () => relay.rate.perSecond(),
  };
}

function followedNode({
  status,
  answer,
  startedMs,
  security,
}: ReturnType<MergedFlows['followed']>[number]): FollowedNode {
  const { cluster, name, state, address, message } = status;
  return {
    // Until it has answered, nobody knows its cluster.
    name: cluster === '' ? name : `${cluster}/${name}`,
    state: state === NodeState.CONNECTED ? HubbleNodeState.NODE_CONNECTED : HubbleNodeState.NODE_UNAVAILABLE,
    message,
    address,
    version: answer?.version ?? '',
    uptimeMs: startedMs === undefined ? 0 : Math.max(0, Date.now() - startedMs),
    held: Number(answer?.flowsHeld ?? 0n),
    capacity: Number(answer?.flowsCapacity ?? 0n),
    seen: Number(answer?.flowsSeen ?? 0n),
    tls: { enabled: security !== undefined, serverName: security?.serverName ?? '' },
  };
}

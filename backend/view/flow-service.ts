import type { FlowBatch, FlowService, FollowRequest } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { CallContext, Handlers } from '#runtime/grpc/service.ts';
import { FlowTail } from './flow-tail.ts';
import { readSelection } from './read-selection.ts';
import type { ViewDependencies } from './view-service.ts';
import { WakeUp } from './wake-up.ts';

const FLOWS_EVERY_MS = 50;
/** Without flows, the position is told that often. */
const HEARTBEAT_EVERY_MS = 1_000;
/** A stream ends when it has named that many endpoints: begun anew, it names only those still in use. */
const MOST_STREAM_ENDPOINTS = 200_000;

/** What tools ask of the relay: the flows of every node as one stream. */
export function flowHandlers(
  dependencies: Pick<ViewDependencies, 'relay' | 'selections' | 'status' | 'onMissed'>,
): Handlers<typeof FlowService> {
  return {
    follow: (request, context) => follow(dependencies, request, context),
    status: async () => dependencies.status.current(),
  };
}

async function* follow(
  { relay, selections, onMissed }: Pick<ViewDependencies, 'relay' | 'selections' | 'onMissed'>,
  request: FollowRequest,
  { signal }: CallContext,
): AsyncGenerator<FlowBatch> {
  const { namespaces, filter } = readSelection(request);
  const { selection, release } = selections.acquire(namespaces, filter);
  const wakeUp = new WakeUp(signal);
  const leave = selection.onMatches(wakeUp.call);
  let missed = 0;
  try {
    const last = Math.min(request.last, relay.window.capacity);
    const tail = await FlowTail.open(relay, selection, { cursor: request.cursor, last });
    while (!signal.aborted && tail.dictionarySize < MOST_STREAM_ENDPOINTS) {
      if (!request.follow && !tail.pendingPast) return;
      yield tail.take();
      if (tail.missedTotal > missed) onMissed?.(tail.missedTotal - missed);
      missed = tail.missedTotal;
      if (tail.pendingPast) continue;
      await wakeUp.wait(request.follow ? FLOWS_EVERY_MS : 0, false);
      if (!tail.pending) await wakeUp.wait(HEARTBEAT_EVERY_MS, true);
    }
  } finally {
    leave();
    release();
  }
}

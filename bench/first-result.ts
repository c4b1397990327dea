import { create } from '@bufbuild/protobuf';
import { type Backend, startBackend } from '#backend/start.ts';
import { ViewService, WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { FlowMix } from './flow-mix.ts';
import { mixCluster } from './mix-cluster.ts';

const NODES = 20;
const FLOWS_PER_SECOND = 5_000;

/** A backend that holds so many flows of the mix, the newest of them from now. */
export async function backendHolding(flows: number): Promise<Backend> {
  const backend = await startBackend({ listen: '127.0.0.1:0', relayListen: '127.0.0.1:0', window: flows });
  new FlowMix(backend.relay.window, {
    cluster: mixCluster(NODES, 50),
    node: 3,
    flowsPerSecond: FLOWS_PER_SECOND,
    seed: 3,
    startSeconds: Math.floor(Date.now() / 1000 - flows / FLOWS_PER_SECOND),
  }).push(flows);
  return backend;
}

export interface FirstResult {
  /** Milliseconds from asking until the first flows were there, and until the map was. */
  readonly flowsMs: number;
  readonly mapMs: number;
  /** Flows of the first answer. */
  readonly flows: number;
}

/** Asks a backend, over the network as a page does, for a view it has not been asked for before. */
export async function firstResult(backend: Backend, tokens: readonly string[]): Promise<FirstResult> {
  const client = createClient(ViewService, backend.relayAddress);
  const ended = new AbortController();
  try {
    // Connected before the clock runs: a page is, when somebody changes its filter.
    await client.status({}, { deadlineMs: 10_000 });
    const request = create(WatchRequestSchema, { filter: [...tokens], flows: true, map: true, last: 4_096 });
    const begun = performance.now();
    let flowsMs: number | undefined;
    let flows = 0;
    for await (const update of client.watch(request, { signal: ended.signal })) {
      if (update.flows !== undefined && flowsMs === undefined) {
        flowsMs = performance.now() - begun;
        flows = update.flows.rows;
      }
      if (update.map === undefined) continue;
      const mapMs = performance.now() - begun;
      return { flowsMs: flowsMs ?? mapMs, mapMs, flows };
    }
    throw new Error('the backend ended the stream');
  } finally {
    ended.abort();
    client.close();
  }
}

import type { MessageInitShape } from '@bufbuild/protobuf';
import { create } from '@bufbuild/protobuf';
import { pino } from 'pino';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { generatedWindow } from '#core/hubble/generated-flows.ts';
import { LostEventSchema, LostEventSource } from '#proto/gen/flow/flow_pb.ts';
import type { GetFlowsRequestSchema } from '#proto/gen/observer/observer_pb.ts';
import { Observer } from '#proto/gen/observer/observer_pb.ts';
import { createClient } from '../grpc/client.ts';
import { healthService } from '../grpc/health-service.ts';
import { startGrpcServer } from '../grpc/server.ts';
import { Health } from '../health.ts';
import type { FollowedNode, ObservedFlows, ToldLoss } from '../hubble/observed-flows.ts';
import { HEALTH_NAMES, observerService } from '../hubble/observer-service.ts';
import { SeenNamespaces } from '../hubble/seen-namespaces.ts';

export type GetFlowsInit = MessageInitShape<typeof GetFlowsRequestSchema>;

const cleanups: (() => unknown)[] = [];

/** Done by {@link endObserved}, the last first. */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Ends all that was observed: for after each test. */
export async function endObserved(): Promise<void> {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
}

/** An observer over a window of generated flows, at a real server. Seconds count from 1,700,000,000, one per row. */
export async function observe(rows: number, options: { nodes?: FollowedNode[] } = {}) {
  const window = generatedWindow(rows, 11);
  const waiting = new Set<() => void>();
  const lost: ToldLoss[] = [];
  const flows: ObservedFlows = {
    window,
    nodeName: 'default/worker-1',
    disorderMs: 0,
    news: (signal) =>
      new Promise((resolve) => {
        waiting.add(resolve);
        signal.addEventListener('abort', () => resolve());
      }),
    lossReader: () => {
      let told = lost.length;
      return () => {
        const news = lost.slice(told);
        told = lost.length;
        return news;
      };
    },
    ...(options.nodes === undefined ? {} : { nodes: () => options.nodes! }),
    seen: () => window.end,
    flowsPerSecond: () => 12.5,
  };
  const health = new Health('pods');
  const namespaces = new SeenNamespaces(window);
  atEnd(() => namespaces.close());
  let followers = 0;
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    log: pino({ level: 'silent' }),
    services: [
      observerService({
        flows,
        namespaces,
        version: 'waggle test',
        startedMs: Date.now() - 5_000,
        onFollower: (change) => {
          followers += change;
        },
      }),
      healthService(health, HEALTH_NAMES),
    ],
  });
  atEnd(() => server.stop(0));
  const client = createClient(Observer, server.address);
  atEnd(() => client.close());
  const wake = () => {
    for (const resolve of [...waiting]) resolve();
    waiting.clear();
  };
  return {
    window,
    client,
    health,
    address: server.address,
    followers: () => followers,
    read: async (request: GetFlowsInit) => Array.fromAsync(client.getFlows(request)),
    append: (count: number) => {
      append(window, count);
      wake();
    },
    lose: (count: bigint) => {
      const event = create(LostEventSchema, {
        source: LostEventSource.PERF_EVENT_RING_BUFFER,
        numEventsLost: count,
      });
      lost.push({ nodeName: 'default/worker-1', event });
      wake();
    },
    wake,
  };
}

/** Repeats the oldest rows, as newer ones. */
function append(window: FlowWindow, count: number): void {
  for (let index = 0; index < count; index++) {
    const sequence = window.end + 1;
    const position = window.push(window.columns, window.slot(window.start));
    window.columns.sequence[window.slot(position)] = sequence;
    window.columns.timeSeconds[window.slot(position)] = 1_700_000_000 + sequence - 1;
  }
}

/**
 * Node agents that go on and on, in a process of their own: real gRPC servers that tell a mix of traffic in real time, a part of it
 * dropped or audited, until they are ended. For looking at large maps, and for measuring the page while it watches one.
 *
 *     node bench/steady-peers.ts PEERS PODS-PER-PEER FLOWS-PER-SECOND [SHARE-NOT-FORWARDED] [CALLEES-PER-WORKLOAD]
 *
 * Prints `--agent` for `waggle backend`; tells a parent process that forked it where it listens.
 */
import { create } from '@bufbuild/protobuf';
import { BatchEncoder } from '#core/flow/batch.ts';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import {
  CursorSchema,
  type FlowBatch,
  FlowService,
  NodeState,
  StatusResponseSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { startGrpcServer } from '#runtime/grpc/server.ts';
import { type CallContext, service } from '#runtime/grpc/service.ts';
import type { FakePeer } from './fake-peers.ts';
import { FlowMix } from './flow-mix.ts';
import { MIX_CLUSTER, mixCluster, nodeName } from './mix-cluster.ts';

const TICK_MS = 50;
const MOST_ROWS_PER_BATCH = 4_096;

const [peers, podsPerPeer, flowsPerSecond, otherShare = 0.02, callees] = process.argv.slice(2).map(Number);
if (!(peers > 0 && podsPerPeer > 0 && flowsPerSecond > 0))
  throw new Error('usage: PEERS PODS-PER-PEER FLOWS-PER-SECOND');
process.on('disconnect', () => process.exit());

const cluster = mixCluster(peers, podsPerPeer);
const listening: FakePeer[] = [];
for (let node = 0; node < peers; node++) listening.push(await startPeer(node));
console.log(`--agent ${listening.map(({ name, address }) => `${name}=${address}`).join(',')}`);
process.send?.(listening);

async function startPeer(node: number): Promise<FakePeer> {
  const window = new FlowWindow(131_072);
  const seed = node + 1;
  const startSeconds = Math.floor(Date.now() / 1000);
  const mix = new FlowMix(window, {
    cluster,
    node,
    flowsPerSecond: flowsPerSecond / peers,
    seed,
    callees,
    startSeconds,
  });
  const waiting = new Set<() => void>();
  const startedMs = startSeconds * 1000;
  let told = 0;
  setInterval(() => {
    const due = Math.floor(((Date.now() - startedMs) / 1000) * (flowsPerSecond / peers)) - told;
    if (due <= 0) return;
    // After a pause of this process, what is past is past.
    const rows = Math.min(due, 65_536);
    told += due;
    const first = window.end;
    mix.push(rows);
    turnSome(window, first);
    tellNow(window, first);
    for (const wake of waiting) wake();
  }, TICK_MS);
  const boot = {
    cluster: MIX_CLUSTER,
    node: nodeName(node),
    bootId: (BigInt(seed) * 0x9e3779b97f4a7c15n) & 0xffff_ffff_ffff_ffffn,
  };
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [
      service(FlowService, {
        follow: (_, context) => follow(window, boot, waiting, context),
        status: async () =>
          create(StatusResponseSchema, {
            nodes: [{ cluster: MIX_CLUSTER, name: nodeName(node), state: NodeState.CONNECTED, bootId: boot.bootId }],
          }),
      }),
    ],
  });
  return { name: nodeName(node), address: server.address };
}

/** The mix keeps a time of its own; here every row is of this moment. */
function tellNow(window: FlowWindow, first: number): void {
  const nowMs = Date.now();
  for (let position = first; position < window.end; position++) {
    const row = window.slot(position);
    window.columns.timeSeconds[row] = Math.floor(nowMs / 1000);
    window.columns.timeNanos[row] = (nowMs % 1000) * 1e6;
  }
}

/** Some pairs of workloads do not get on: part of their flows is dropped, or would be. */
function turnSome(window: FlowWindow, first: number): void {
  const { columns } = window;
  for (let position = first; position < window.end; position++) {
    const row = window.slot(position);
    const low = Math.min(columns.source[row], columns.destination[row]);
    const high = Math.max(columns.source[row], columns.destination[row]);
    const pair = (Math.imul(low + 1, 40_503) ^ Math.imul(high + 1, 30_011)) >>> 0;
    if ((pair % 1_000) / 1_000 >= otherShare) continue;
    columns.verdict[row] = pair % 3 === 0 ? VERDICT.AUDIT : VERDICT.DROPPED;
    if (pair % 3 !== 0) columns.dropReason[row] = DROP_REASON.POLICY_DENIED;
  }
}

async function* follow(
  window: FlowWindow,
  boot: { cluster: string; node: string; bootId: bigint },
  waiting: Set<() => void>,
  { signal }: CallContext,
): AsyncGenerator<FlowBatch> {
  const encoder = new BatchEncoder(window);
  let position = Math.max(window.start, window.end - MOST_ROWS_PER_BATCH);
  while (!signal.aborted) {
    while (position < window.end) {
      position = Math.max(position, window.start);
      const to = Math.min(window.end, position + MOST_ROWS_PER_BATCH);
      const batch = encoder.encode(Array.from({ length: to - position }, (_, index) => position + index));
      position = to;
      const sequence = BigInt(window.columns.sequence[window.slot(to - 1)]);
      batch.cursor = create(CursorSchema, { positions: [{ boot, sequence }] });
      yield batch;
    }
    await new Promise<void>((resolve) => {
      const end = () => {
        waiting.delete(end);
        signal.removeEventListener('abort', end);
        resolve();
      };
      waiting.add(end);
      signal.addEventListener('abort', end);
    });
  }
}

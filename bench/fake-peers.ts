/**
 * Node agents as the relay sees them, in a process of its own: real gRPC servers that send, as fast as they are read, batches
 * encoded beforehand from a mix of traffic. Forked by the relay benchmark; says where it listens over the IPC channel and
 * ends with it.
 *
 *     node bench/fake-peers.ts PEERS PODS-PER-PEER FLOWS-PER-PEER ROWS-PER-BATCH CORE
 */
import { create, toBinary } from '@bufbuild/protobuf';
import { BatchEncoder } from '#core/flow/batch.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { type FlowBatch, FlowBatchSchema, FlowService, StatusResponseSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { startGrpcServer } from '#runtime/grpc/server.ts';
import { service } from '#runtime/grpc/service.ts';
import { FlowMix } from './flow-mix.ts';
import { MIX_CLUSTER, mixCluster, nodeName } from './mix-cluster.ts';
import { pinToCore } from './pin.ts';

export interface FakePeer {
  readonly name: string;
  readonly address: string;
}

/** As agents of a busy cluster send: 5,000 flows/s each. */
const FLOWS_PER_SECOND = 5_000;

const [peers, podsPerPeer, flows, rows, core] = process.argv.slice(2).map(Number);
pinToCore(core);
process.on('disconnect', () => process.exit());

const cluster = mixCluster(peers, podsPerPeer);
// The mix ends now: nothing in it is too old for a live map.
const startSeconds = Math.floor(Date.now() / 1000) - Math.ceil(flows / FLOWS_PER_SECOND) - 1;
const listening: FakePeer[] = [];
for (let node = 0; node < peers; node++) {
  const encoded = encodeBatches(node);
  const messages = new Map<FlowBatch, Uint8Array>(encoded.map((bytes) => [create(FlowBatchSchema), bytes]));
  const status = create(StatusResponseSchema, { nodes: [{ cluster: MIX_CLUSTER, name: nodeName(node) }] });
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [
      service(
        FlowService,
        {
          async *follow(_, { signal }) {
            yield* messages.keys();
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
          },
          status: async () => status,
        },
        { follow: (message) => messages.get(message)! },
      ),
    ],
  });
  listening.push({ name: nodeName(node), address: server.address });
}
process.send?.(listening);

function encodeBatches(node: number): Uint8Array[] {
  const window = new FlowWindow(Math.max(rows, 65_536));
  const mix = new FlowMix(window, { cluster, node, flowsPerSecond: FLOWS_PER_SECOND, seed: node + 1, startSeconds });
  const encoder = new BatchEncoder(window);
  const batches: Uint8Array[] = [];
  for (let sent = 0; sent < flows; sent += rows) {
    mix.push(rows);
    const positions = Array.from({ length: rows }, (_, index) => window.end - rows + index);
    batches.push(toBinary(FlowBatchSchema, encoder.encode(positions)));
  }
  return batches;
}

import { toBinary } from '@bufbuild/protobuf';
import { BatchEncoder } from '#core/flow/batch.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { FlowBatchSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { ViewUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { FlowMix } from '../flow-mix.ts';
import { mixCluster } from '../mix-cluster.ts';

const NODES = 20;
const PODS_PER_NODE = 50;
/** gRPC and gRPC-Web alike: a flag byte and the message's length before each message. */
const FRAME_BYTES = 5;

export const wire: Benchmark = {
  name: 'wire',
  about: 'bytes per flow on the way to the backend and to the browser, dictionaries and framing included',
  needs: [],
  seconds: { full: 30, quick: 15 },
  async measure(context): Promise<Figure[]> {
    const flows = context.quick ? 50_000 : 200_000;
    const cluster = mixCluster(NODES, PODS_PER_NODE);
    const figures: Figure[] = [];
    for (const flowsPerSecond of [500, 5_000]) {
      // What one agent sends: its own flows every 50 ms, or fewer rows when it is quiet.
      const rows = flowsPerSecond / 20;
      const samples = measureStream(cluster, flowsPerSecond, rows, flows, agentMessage);
      figures.push({
        name: `agent → backend, ${flowsPerSecond} flows/s`,
        value: total(samples),
        unit: 'B',
        goal: { atMost: 45 },
        samples: thin(samples.map(([bytes, count]) => bytes / count)),
        note: `batches of ${rows} rows, ${flows} flows, dictionary of ${cluster.pods.length} pods and the world in them`,
      });
    }
    const samples = measureStream(cluster, 2_000, 400, flows, browserMessage);
    figures.push({
      name: 'backend → browser',
      value: total(samples),
      unit: 'B',
      goal: { atMost: 45 },
      samples: thin(samples.map(([bytes, count]) => bytes / count)),
      note: 'view updates of 400 rows, binary gRPC-Web',
    });
    return figures;
  },
};

type Sample = readonly [bytes: number, rows: number];

function measureStream(
  cluster: ReturnType<typeof mixCluster>,
  flowsPerSecond: number,
  rows: number,
  flows: number,
  bytesOf: (encoder: BatchEncoder, positions: number[]) => number,
): Sample[] {
  const window = new FlowWindow(65_536);
  const mix = new FlowMix(window, { cluster, node: 3, flowsPerSecond, seed: 7, startSeconds: 1_790_000_000 });
  const encoder = new BatchEncoder(window);
  const samples: Sample[] = [];
  for (let sent = 0; sent < flows; sent += rows) {
    mix.push(rows);
    const positions = Array.from({ length: rows }, (_, index) => window.end - rows + index);
    samples.push([bytesOf(encoder, positions), rows]);
  }
  return samples;
}

function agentMessage(encoder: BatchEncoder, positions: number[]): number {
  return FRAME_BYTES + toBinary(FlowBatchSchema, encoder.encode(positions)).length;
}

function browserMessage(encoder: BatchEncoder, positions: number[]): number {
  const update = toBinary(ViewUpdateSchema, {
    $typeName: 'waggle.v1.ViewUpdate',
    rotate: false,
    flows: encoder.encode(positions),
  });
  return FRAME_BYTES + update.length;
}

/** Over the whole stream, so that the dictionary's first batches weigh what they weigh. */
function total(samples: readonly Sample[]): number {
  const bytes = samples.reduce((sum, [size]) => sum + size, 0);
  return bytes / samples.reduce((sum, [, rows]) => sum + rows, 0);
}

function thin(values: readonly number[]): number[] {
  const step = Math.ceil(values.length / 200);
  return values.filter((_, index) => index % step === 0);
}

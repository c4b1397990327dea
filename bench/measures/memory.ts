import { FlowWindow } from '#core/flow/flow-window.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { FlowMix } from '../flow-mix.ts';
import { mixCluster } from '../mix-cluster.ts';
import { median } from '../statistics.ts';

const FLOWS = 1_000_000;
const NODES = 20;
const PODS_PER_NODE = 50;

export const memory: Benchmark = {
  name: 'memory',
  about: 'what a process grows by to hold 1 M flows, dictionaries included',
  needs: [],
  seconds: { full: 60, quick: 30 },
  async measure(context): Promise<Figure[]> {
    const rounds = context.quick ? 2 : 5;
    // Code, compiled functions and the cluster that is imitated are not what is measured.
    const cluster = mixCluster(NODES, PODS_PER_NODE);
    await hold(cluster, 20_000);
    const heap: number[] = [];
    let endpoints = 0;
    for (let round = 0; round < rounds; round++) {
      context.progress(`round ${round + 1} of ${rounds}`);
      const held = await hold(cluster, FLOWS);
      heap.push(held.bytes / 1e6);
      endpoints = held.endpoints;
    }
    return [
      {
        name: '',
        value: median(heap),
        unit: 'MB',
        goal: { atMost: 64 },
        samples: heap,
        note: `a full window of 1,000,000 rows and ${endpoints.toLocaleString('en')} endpoints with labels, after gc`,
      },
    ];
  },
};

/** Bytes of heap and buffers that a full window takes once everything else is collected. */
async function hold(
  cluster: ReturnType<typeof mixCluster>,
  flows: number,
): Promise<{ bytes: number; endpoints: number }> {
  const before = await settledBytes();
  const window = fill(cluster, flows);
  const bytes = (await settledBytes()) - before;
  // Read after the second count: without this use the window could be collected before it.
  return { bytes, endpoints: window.length > 0 ? window.endpoints.size : 0 };
}

/** In a function of its own, so that what makes the flows is gone when it returns. */
function fill(cluster: ReturnType<typeof mixCluster>, flows: number): FlowWindow {
  const window = new FlowWindow(flows);
  const share = Math.ceil(flows / NODES / 50);
  const mixes = Array.from(
    { length: NODES },
    (_, node) =>
      new FlowMix(window, { cluster, node, flowsPerSecond: 2_000, seed: node + 1, startSeconds: 1_790_000_000 }),
  );
  while (window.end < flows) for (const mix of mixes) mix.push(Math.min(share, flows - window.end));
  return window;
}

async function settledBytes(): Promise<number> {
  // Buffers of dead arrays go back in a task after the collection that found them dead.
  for (let pass = 0; pass < 4; pass++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

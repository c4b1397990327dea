import { allocateColumns, copyRow } from '#core/flow/columns.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { GroupedOrder } from '#web/worker/grouped-order.ts';
import { PageWindow } from '#web/worker/page-window.ts';
import { SortedOrder } from '#web/worker/sorted-order.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { cpuMilliseconds } from '../cpu-clock.ts';
import { FlowMix } from '../flow-mix.ts';
import { mixCluster } from '../mix-cluster.ts';
import { median } from '../statistics.ts';

const FLOWS = 1_000_000;
const NODES = 20;
const PODS_PER_NODE = 50;
/** Rows made at a time, before they go to the page's window. */
const STEP = 20_000;

export const flowTable: Benchmark = {
  name: 'flow-table',
  about: 'what a page grows by to hold 1 M flows, sorted, and how long its worker sorts and groups them',
  needs: [],
  seconds: { full: 240, quick: 120 },
  async measure(context): Promise<Figure[]> {
    const rounds = context.quick ? 2 : 5;
    const cluster = mixCluster(NODES, PODS_PER_NODE);
    // Code and compiled functions are not what is measured.
    sortBy(fill(cluster, STEP), 'bytes');
    const held: number[] = [];
    const sorted: number[] = [];
    const byNumber: number[] = [];
    const byName: number[] = [];
    const grouping: number[] = [];
    let groups = 0;
    for (let round = 0; round < rounds; round++) {
      context.progress(`round ${round + 1} of ${rounds}`);
      const before = await settledBytes();
      const window = fill(cluster, FLOWS);
      held.push(((await settledBytes()) - before) / 1e6);
      const { order, milliseconds } = sortBy(window, 'bytes');
      byNumber.push(milliseconds);
      sorted.push(((await settledBytes()) - before) / 1e6);
      // Read after the count: without this use it could be collected before.
      if (order.total !== FLOWS) throw new Error(`${order.total} of ${FLOWS} rows were sorted`);
      byName.push(sortBy(window, 'source').milliseconds);
      const begun = cpuMilliseconds();
      const grouped = new GroupedOrder(window, null, { column: 'count', descending: true });
      grouped.update(null);
      grouping.push(cpuMilliseconds() - begun);
      groups = grouped.total;
    }
    const rows = `${FLOWS.toLocaleString('en')} rows`;
    return [
      {
        name: 'held',
        value: Math.max(...held),
        unit: 'MB',
        goal: { atMost: 64 },
        samples: held,
        note: `${rows}, dictionaries included, after gc`,
      },
      { name: 'held and sorted', value: Math.max(...sorted), unit: 'MB', goal: { atMost: 64 }, samples: sorted },
      {
        name: 'sort by bytes',
        value: median(byNumber),
        unit: 'ms',
        samples: byNumber,
        note: `${rows}, processor time of the worker`,
      },
      { name: 'sort by source', value: median(byName), unit: 'ms', samples: byName },
      {
        name: 'aggregate',
        value: median(grouping),
        unit: 'ms',
        samples: grouping,
        note: `${rows} to ${groups.toLocaleString('en')} groups`,
      },
    ];
  },
};

function sortBy(window: PageWindow, column: 'bytes' | 'source') {
  const begun = cpuMilliseconds();
  const order = new SortedOrder(window, null, { column, descending: true });
  order.update(null);
  return { order, milliseconds: cpuMilliseconds() - begun };
}

/** A page's window with that many flows of a busy cluster, in a function of its own so that what makes them is gone. */
function fill(cluster: ReturnType<typeof mixCluster>, flows: number): PageWindow {
  const page = new PageWindow(flows);
  const made = new FlowWindow(STEP);
  const mixes = Array.from(
    { length: NODES },
    (_, node) =>
      new FlowMix(made, { cluster, node, flowsPerSecond: 2_000, seed: node + 1, startSeconds: 1_790_000_000 }),
  );
  const row = allocateColumns(1);
  /** Numbers of the page by those of the window in which they are made. */
  const nodes = new Map<number, number>();
  let read = 0;
  while (page.end < flows) {
    for (const mix of mixes) mix.push(STEP / NODES);
    for (; read < made.end && page.end < flows; read++) {
      copyRow(made.columns, made.slot(read), row, 0);
      const node = nodes.get(row.node[0]) ?? page.nodeNumber(made.nodes[row.node[0]]);
      nodes.set(row.node[0], node);
      row.node[0] = node;
      row.source[0] = page.endpoints.intern(made.endpoints.get(row.source[0]));
      row.destination[0] = page.endpoints.intern(made.endpoints.get(row.destination[0]));
      page.push(row, 0);
    }
  }
  return page;
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

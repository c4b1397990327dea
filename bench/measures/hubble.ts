import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import { pino } from 'pino';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { compileFlowFilters } from '#core/hubble/filter/compile.ts';
import { FlowEncoder } from '#core/hubble/flow-encoder.ts';
import { WireWriter } from '#core/hubble/wire-writer.ts';
import { FlowFilterSchema } from '#proto/gen/flow/flow_pb.ts';
import { startGrpcServer } from '#runtime/grpc/server.ts';
import type { ObservedFlows } from '#runtime/hubble/observed-flows.ts';
import { observerService } from '#runtime/hubble/observer-service.ts';
import { SeenNamespaces } from '#runtime/hubble/seen-namespaces.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import { cpuMilliseconds } from '../cpu-clock.ts';
import { mixedWindow } from '../flow-mix.ts';
import { pinToCore } from '../pin.ts';
import { median } from '../statistics.ts';

const ROWS = 200_000;
const FOLLOWERS = 1_000;
const READER = fileURLToPath(new URL('../hubble-reader.ts', import.meta.url));

const FILTERS = [
  { name: 'filter by ip', init: { destinationIp: ['10.0.0.0/9', '10.200.1.1'] } },
  { name: 'filter by port', init: { destinationPort: ['443', '80'] } },
  { name: 'filter by verdict', init: { verdict: [2 as const, 4 as const] } },
  {
    name: 'filter by ip, port and verdict',
    init: { sourceIp: ['10.0.0.0/8'], destinationPort: ['80'], verdict: [1 as const] },
  },
  { name: 'filter by pod and label', init: { sourcePod: ['team-3/'], destinationLabel: ['app'] } },
];

export const hubble: Benchmark = {
  name: 'hubble',
  about: "Hubble's API: flows per second that GetFlows sends and that its filters look at, memory of idle followers",
  needs: [],
  seconds: { full: 120, quick: 60 },
  async measure(context): Promise<Figure[]> {
    pinToCore(context.core);
    const window = mixedWindow(ROWS);
    const rounds = context.quick ? 5 : 15;
    return [
      encoding(window, rounds),
      ...FILTERS.map(({ name, init }) => filtering(window, rounds, name, init)),
      ...(await serving(context, window, rounds)),
    ];
  },
};

/** Rows per second of this core; the first two rounds are for the compiler. */
function rowsPerSecond(rounds: number, once: () => void): number[] {
  const samples: number[] = [];
  for (let round = 0; round < rounds + 2; round++) {
    const begun = cpuMilliseconds();
    once();
    if (round >= 2) samples.push((ROWS * 1000) / (cpuMilliseconds() - begun));
  }
  return samples;
}

function encoding(window: FlowWindow, rounds: number): Figure {
  const encoder = new FlowEncoder(window);
  const writer = new WireWriter();
  let bytes = 0;
  const samples = rowsPerSecond(rounds, () => {
    bytes = 0;
    for (let row = 0; row < ROWS; row++) {
      writer.reset();
      encoder.writeResponse(window.columns, row, writer);
      bytes += writer.length;
    }
  });
  return {
    name: 'columns to bytes',
    value: median(samples),
    unit: 'flows/s',
    samples,
    note: `${Math.round(bytes / ROWS)} bytes per flow`,
  };
}

function filtering(window: FlowWindow, rounds: number, name: string, init: object): Figure {
  const passes = compileFlowFilters({ whitelist: [create(FlowFilterSchema, init)], blacklist: [] }, window);
  let passed = 0;
  const samples = rowsPerSecond(rounds, () => {
    passed = 0;
    for (let row = 0; row < ROWS; row++) if (passes(window.columns, row)) passed++;
  });
  return {
    name,
    value: median(samples),
    unit: 'flows/s',
    goal: { atLeast: 10_000_000 },
    samples,
    note: `${((100 * passed) / ROWS).toFixed(1)} % pass`,
  };
}

/** The server's processor time while a client in another process takes every flow; then its memory with idle followers. */
async function serving(context: BenchmarkContext, window: FlowWindow, rounds: number): Promise<Figure[]> {
  const waiting = new Set<() => void>();
  const flows: ObservedFlows = {
    window,
    nodeName: 'bench/node',
    disorderMs: 0,
    news: (signal) =>
      new Promise((resolve) => {
        waiting.add(resolve);
        signal.addEventListener('abort', () => resolve());
      }),
    lossReader: () => () => [],
    seen: () => window.end,
    flowsPerSecond: () => 0,
  };
  const namespaces = new SeenNamespaces(window);
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    log: pino({ level: 'silent' }),
    services: [observerService({ flows, namespaces, version: 'bench', startedMs: Date.now() })],
  });
  context.cleanUp(() => {
    namespaces.close();
    return server.stop(0);
  });
  const samples: number[] = [];
  let perFlow = 0;
  for (let round = 0; round < Math.ceil(rounds / 2) + 2; round++) {
    context.progress(`sending ${ROWS.toLocaleString('en')} flows to one client, round ${round + 1}`);
    const begun = cpuMilliseconds();
    const { flows: received, bytes } = await read(context, server.address);
    if (received !== ROWS) throw new Error(`the client got ${received} of ${ROWS} flows`);
    perFlow = bytes / received;
    if (round >= 2) samples.push((ROWS * 1000) / (cpuMilliseconds() - begun));
  }
  const sent: Figure = {
    name: 'GetFlows to one client',
    value: median(samples),
    unit: 'flows/s',
    goal: { atLeast: 100_000 },
    samples,
    note: `per second of the server's processor time, one message of ${Math.round(perFlow)} bytes per flow`,
  };
  return [sent, await idleFollowers(context, server.address)];
}

async function read(context: BenchmarkContext, address: string): Promise<{ flows: number; bytes: number }> {
  const child = reader(context, [address, String(ROWS)], 'ignore');
  let text = '';
  child.stdout!.on('data', (chunk) => {
    text += chunk;
  });
  await once(child, 'close');
  return JSON.parse(text);
}

/** On the other core: what it takes is none of the server's. */
function reader(context: BenchmarkContext, args: string[], stdin: 'pipe' | 'ignore') {
  const command = ['-c', String(context.otherCore), process.execPath, READER, ...args];
  return spawn('taskset', command, { stdio: [stdin, 'pipe', 'inherit'] });
}

async function idleFollowers(context: BenchmarkContext, address: string): Promise<Figure> {
  context.progress(`opening ${FOLLOWERS} idle followers`);
  const memory = () => {
    globalThis.gc?.();
    const { heapUsed, external, rss } = process.memoryUsage();
    return globalThis.gc === undefined ? rss : heapUsed + external;
  };
  const before = memory();
  const child = reader(context, [address, '0', String(FOLLOWERS)], 'pipe');
  context.cleanUp(() => void child.kill());
  for await (const line of createInterface({ input: child.stdout! })) if (line === 'following') break;
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  const each = (memory() - before) / FOLLOWERS / 1_000;
  child.stdin!.end();
  return {
    name: 'memory of an idle follower',
    value: each,
    unit: 'kB',
    goal: { atMost: 256 },
    samples: [each],
    note: `${FOLLOWERS.toLocaleString('en')} of them, each on a connection of its own`,
  };
}

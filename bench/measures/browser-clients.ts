import { fork, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { startBackend } from '#backend/start.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import { cpuMilliseconds } from '../cpu-clock.ts';
import type { FakePeer } from '../fake-peers.ts';
import { median } from '../statistics.ts';

const CLIENTS = 1_000;
const FLOWS_PER_SECOND = 100;
const READER = fileURLToPath(new URL('../page-reader.ts', import.meta.url));
const PEERS = fileURLToPath(new URL('../steady-peers.ts', import.meta.url));

export const browserClients: Benchmark = {
  name: 'browser-clients',
  about: 'what a backend takes while 1,000 browsers watch map and flows at once',
  needs: [],
  seconds: { full: 170, quick: 120 },
  async measure(context): Promise<Figure[]> {
    const agents = await startPeers(context);
    const log = pino({ level: 'silent' });
    const backend = await startBackend({ listen: '127.0.0.1:0', relayListen: '127.0.0.1:0', agents, log });
    context.cleanUp(() => backend.close());
    await seconds(3);
    const before = memory();
    const idle = await cpuShare(3);
    context.progress(`opening ${CLIENTS} clients`);
    const child = spawn(process.execPath, [READER, backend.url, String(CLIENTS)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    context.cleanUp(() => void child.kill());
    let last = { bytes: 0, ended: 0 };
    const watching = Promise.withResolvers<void>();
    createInterface({ input: child.stdout! }).on('line', (line) => {
      if (line === 'watching') watching.resolve();
      else last = JSON.parse(line);
    });
    await watching.promise;
    context.progress('all of them watch');
    await seconds(3);
    const cpu: number[] = [];
    const megabytes: number[] = [];
    const rates: number[] = [];
    for (let round = 0; round < (context.quick ? 5 : 15); round++) {
      const bytes = last.bytes;
      cpu.push(100 * (await cpuShare(2)));
      rates.push((last.bytes - bytes) / 2 / 1e6);
      megabytes.push((memory() - before) / 1e6);
    }
    const missed = backend.relay.losses.counts().reduce((sum, { count }) => sum + Number(count), 0);
    child.stdin!.end();
    return [
      {
        name: 'processor',
        value: median(cpu),
        unit: '%',
        goal: { atMost: 100 },
        samples: cpu,
        note: `of one core, ${(100 * idle).toFixed(0)} % without clients; ${FLOWS_PER_SECOND} flows/s to each, ${median(rates).toFixed(1)} MB/s in all, ${last.ended} streams begun anew, ${missed} flows lost`,
      },
      {
        name: 'memory',
        value: median(megabytes),
        unit: 'MB',
        goal: { atMost: 250 },
        samples: megabytes,
        note: `heap and buffers beside those of a backend nobody watches, ${((1_000 * median(megabytes)) / CLIENTS).toFixed(0)} kB for each of ${CLIENTS.toLocaleString('en')} clients; ${(process.memoryUsage.rss() / 1e6).toFixed(0)} MB resident in all, with what is not collected yet`,
      },
    ];
  },
};

function startPeers(context: BenchmarkContext): Promise<FakePeer[]> {
  const child = fork(PEERS, ['4', '25', String(FLOWS_PER_SECOND)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  context.cleanUp(() => void child.kill());
  return new Promise((resolve, reject) => {
    child.once('message', (peers) => resolve(peers as FakePeer[]));
    child.once('exit', (code) => reject(new Error(`the fake agents ended with status ${code}`)));
  });
}

async function cpuShare(ofSeconds: number): Promise<number> {
  const [cpu, wall] = [cpuMilliseconds(), performance.now()];
  await seconds(ofSeconds);
  return (cpuMilliseconds() - cpu) / (performance.now() - wall);
}

function memory(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1_000));
}

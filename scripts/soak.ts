/**
 * A long run. First a million random connections under random policies, the kernel's verdict against the engine's; then a page
 * that watches a large map; then real traffic: a lab with the demo's scenarios, its agents and a backend, watched for memory
 * that grows, flows that are lost and nodes that go away. Run by `npm run soak`.
 *
 *     node scripts/soak.ts [--minutes 30] [--page-minutes 10] [--connections 1000000]     0 leaves a part out
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { listScenarios, scenarioSources } from '../lab/scenario.ts';
import { type Lab, startLab } from '../lab/start-lab.ts';
import { FlowService, NodeState, type StatusResponse } from '../proto/gen/waggle/v1/flow_pb.ts';
import { createClient } from '../runtime/grpc/client.ts';
import { soakPage } from './soak-page.ts';

interface Sample {
  readonly minute: number;
  /** MiB of resident memory by process: `backend`, `node1`, … */
  readonly memory: Readonly<Record<string, number>>;
  readonly status: StatusResponse;
}

const SAMPLE_MS = 15_000;
/** Buffers fill and caches warm up in this part of the run; growth counts from its end. */
const WARM_UP = 1 / 3;
/** Growth from the end of the warm-up to the end of the run that is taken for a leak, in MiB. Windows fill slowly. */
const MAX_GROWTH_MIB = 48;

/** Of one random case of policies, at least. */
const CONNECTIONS_PER_CASE = 4.5;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    'page-minutes': { type: 'string', default: '10' },
    connections: { type: 'string', default: '1000000' },
  },
});
const minutes = minutesOf('minutes');
const pageMinutes = minutesOf('page-minutes');
const connections = Number(values.connections);
if (!(Number.isSafeInteger(connections) && connections >= 0 && connections <= 1e9)) {
  console.error(`waggle: --connections ${values.connections}: expected a number from 0 to 1,000,000,000`);
  process.exit(2);
}

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => interrupt.abort());
process.env.WAGGLE_LOG_LEVEL ??= 'warn';

if (connections > 0 && !(await kernelAgreesWithEngine(connections))) process.exit(1);
if (pageMinutes > 0 && !interrupt.signal.aborted) {
  const wrong = await soakPage(pageMinutes, interrupt.signal, say);
  for (const problem of wrong) console.log(`waggle: ${problem}`);
  if (wrong.length > 0) console.log('soak: failed, the page');
  if (wrong.length > 0) process.exit(1);
}
if (minutes === 0 || interrupt.signal.aborted) process.exit(0);

const lab = await startLab({ name: `soak-${randomBytes(4).toString('hex')}`, nodes: 2, onProgress: say });
let backend: ChildProcess | undefined;
let problems: string[] = [];
try {
  const { stateDir } = await lab.status();
  const relay = `127.0.0.1:${await freePort()}`;
  const page = `127.0.0.1:${await freePort()}`;
  const waggle = join(import.meta.dirname, '../cli/waggle.ts');
  const argv = [waggle, 'backend', '--state-dir', stateDir, '--grpc-listen', relay, '--listen', page];
  backend = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
  for (const { name } of listScenarios()) await lab.apply(scenarioSources(name) ?? []);
  say(`${minutes} minutes of traffic; the relay is at ${relay}`);
  problems = judge(await watch(lab, backend, relay));
} finally {
  backend?.kill('SIGTERM');
  await lab.down();
}
for (const problem of problems) console.log(`waggle: ${problem}`);
console.log(problems.length === 0 ? 'soak: passed' : `soak: failed, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

function minutesOf(option: 'minutes' | 'page-minutes'): number {
  const count = Number(values[option]);
  if (count === 0 || (count >= 1 && count <= 24 * 60)) return count;
  console.error(`waggle: --${option} ${values[option]}: expected 0 or a number from 1 to 1440`);
  process.exit(2);
}

async function kernelAgreesWithEngine(count: number): Promise<boolean> {
  say(`${count} connections under random policies, kernel against engine`);
  const vitest = join(import.meta.dirname, '../node_modules/.bin/vitest');
  const spec = 'bpf-agent/policy/differential.kernel.spec.ts';
  const env = { ...process.env, WAGGLE_DIFFERENTIAL_CASES: String(Math.ceil(count / CONNECTIONS_PER_CASE)) };
  const child = spawn(vitest, ['run', spec], {
    cwd: join(import.meta.dirname, '..'),
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    signal: interrupt.signal,
  });
  child.on('error', () => {}); // ended by the interrupt
  const code = await new Promise((resolve) => child.once('close', resolve));
  if (code !== 0 && !interrupt.signal.aborted) console.log('soak: failed, kernel and engine disagree');
  return code === 0;
}

async function watch(lab: Lab, backend: ChildProcess, relay: string): Promise<Sample[]> {
  const client = createClient(FlowService, relay);
  const started = Date.now();
  const samples: Sample[] = [];
  try {
    while (Date.now() - started < minutes * 60_000 && !interrupt.signal.aborted) {
      await sleep(SAMPLE_MS, undefined, { signal: interrupt.signal }).catch(() => {});
      const { nodes } = await lab.status();
      const pids = { backend: backend.pid, ...Object.fromEntries(nodes.map(({ name, agentPid }) => [name, agentPid])) };
      const memory = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, residentMiB(pid)]));
      const status = await client.status({}, { deadlineMs: 10_000 });
      const sample = { minute: (Date.now() - started) / 60_000, memory, status };
      samples.push(sample);
      say(line(sample));
    }
  } finally {
    client.close();
  }
  return samples;
}

function judge(samples: readonly Sample[]): string[] {
  const last = samples.at(-1);
  const warm = samples[Math.floor(samples.length * WARM_UP)];
  if (last === undefined || warm === undefined) return ['there was no time for a single sample'];
  const found: string[] = [];
  for (const [name, end] of Object.entries(last.memory)) {
    const growth = end - (warm.memory[name] ?? 0);
    if (growth > MAX_GROWTH_MIB) found.push(`${name} grew by ${growth.toFixed(0)} MiB after it had warmed up`);
  }
  const away = samples.filter(({ status }) => status.nodes.some(({ state }) => state !== NodeState.CONNECTED)).length;
  if (away > 0) found.push(`a node was not connected in ${away} of ${samples.length} samples`);
  const still = samples.filter(({ status }) => status.flowsPerSecond === 0).length;
  if (still > 0) found.push(`no flows came in ${still} of ${samples.length} samples`);
  const lost = lossesOf(last.status);
  if (lost > 0n) found.push(`${lost} flows were lost`);
  return found;
}

function line({ minute, memory, status }: Sample): string {
  const sizes = Object.entries(memory).map(([name, mib]) => `${name} ${mib.toFixed(0)} MiB`);
  return `${minute.toFixed(1)} min: ${status.flowsPerSecond.toFixed(0)} flows/s, ${lossesOf(status)} lost, ${sizes.join(', ')}`;
}

function lossesOf({ losses }: StatusResponse): bigint {
  return losses.reduce((sum, { count }) => sum + count, 0n);
}

/** 0 for a process that is not there. */
function residentMiB(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

function say(message: string): void {
  process.stderr.write(`waggle: ${message}\n`);
}

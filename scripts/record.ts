/**
 * Records the demo's traffic for where nothing can be observed: a lab of its own, its agents followed over their API, the
 * cluster's state beside it. Writes lab/recordings/demo.gz. Needs root and eBPF.
 *
 *     node scripts/record.ts [--seconds 75] [--warm-up 20] [scenario...]
 *
 * Scenarios in stages are recorded in their last one.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { packRecording, unpackRecording } from '../bpf-agent/replay/recording.ts';
import { BatchDecoder } from '../core/flow/batch.ts';
import { rowTimeMs } from '../core/flow/columns.ts';
import { EndpointStore } from '../core/flow/endpoint-store.ts';
import { agentSocket, labLayout } from '../lab/lab-layout.ts';
import { DEMO_RECORDING } from '../lab/recording.ts';
import { scenarioSources, scenarioStages } from '../lab/scenario.ts';
import { startLab } from '../lab/start-lab.ts';
import { AgentService, type ListRuleHitsResponse } from '../proto/gen/waggle/v1/agent_pb.ts';
import { FlowService } from '../proto/gen/waggle/v1/flow_pb.ts';
import {
  NodeAnswersSchema,
  type NodeRecording,
  NodeRecordingSchema,
  RecordingSchema,
  type StateFile,
  StateFileSchema,
} from '../proto/gen/waggle/v1/recording_pb.ts';
import { type ListServicesResponse, LoadBalancerService } from '../proto/gen/waggle/v1/service_pb.ts';
import { createClient } from '../runtime/grpc/client.ts';

/** Its cluster carries this name too, and with it every card of a replay. */
const LAB = 'recording';
const ANSWERS_EVERY_MS = 5_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string', default: '75' }, 'warm-up': { type: 'string', default: '20' } },
});
const seconds = Number(values.seconds);
if (!(seconds >= 5 && seconds <= 600)) {
  console.error(`waggle: --seconds ${values.seconds}: expected a number from 5 to 600`);
  process.exit(2);
}
const scenarios = positionals.length === 0 ? ['guestbook', 'bookinfo', 'stars'] : positionals;

process.env.WAGGLE_LOG_LEVEL ??= 'warn';
const lab = await startLab({ name: LAB, nodes: 2, onProgress: say });
try {
  for (const name of scenarios) {
    const stages = scenarioStages(name);
    const sources = stages.length > 0 ? stages.map(({ source }) => source) : scenarioSources(name);
    if (sources === undefined) throw new Error(`there is no scenario "${name}"`);
    const { problems } = await lab.apply(sources);
    if (problems[0] !== undefined) throw new Error(`scenario ${name}: ${problems[0].message}`);
  }
  await sleep(Number(values['warm-up']) * 1_000);
  say(`recording for ${seconds} s`);
  const layout = labLayout(LAB);
  const { nodes } = await lab.status();
  const signal = AbortSignal.timeout(seconds * 1_000);
  const recorded = await Promise.all(
    nodes.map(async ({ name }) => {
      const address = `unix:${agentSocket(layout, name)}`;
      const [node, answers] = await Promise.all([recordFlows(address, signal), recordAnswers(address, signal)]);
      return { node, answers };
    }),
  );
  const times = recorded.flatMap(({ node }) => rowTimes(node));
  const startedMs = Math.floor(times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY));
  const endedMs = Math.ceil(times.reduce((most, time) => Math.max(most, time), 0));
  for (const { node, answers } of recorded) {
    node.answers = answers.map(({ atMs, ...answer }) =>
      create(NodeAnswersSchema, { ...answer, afterMs: Math.max(0, atMs - startedMs) }),
    );
  }
  const recording = create(RecordingSchema, {
    started: timestampFromMs(startedMs),
    durationMs: endedMs - startedMs + 1,
    scenarios,
    nodes: recorded.map(({ node }) => node),
    state: stateFiles(layout.stateDir),
  });
  const packed = packRecording(recording);
  unpackRecording(packed);
  mkdirSync(dirname(DEMO_RECORDING), { recursive: true });
  writeFileSync(DEMO_RECORDING, packed);
  say(`${times.length} flows of ${recorded.length} nodes in ${packed.length} bytes: ${DEMO_RECORDING}`);
} finally {
  await lab.down();
}

async function recordFlows(address: string, signal: AbortSignal): Promise<NodeRecording> {
  const client = createClient(FlowService, address, { maxReceiveBytes: 16 * 1024 * 1024 });
  const node = create(NodeRecordingSchema);
  try {
    for await (const batch of client.follow({ follow: true }, { signal })) {
      if (batch.losses.length > 0) throw new Error('flows were lost while recording: try again on a quieter machine');
      // Where the stream stands means nothing to a replay.
      batch.cursor = undefined;
      if (batch.rows > 0) node.batches.push(batch);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  try {
    const { nodes } = await client.status({}, { deadlineMs: 5_000 });
    node.cluster = nodes[0]!.cluster;
    node.name = nodes[0]!.name;
    node.endpoints = nodes[0]!.endpoints;
  } finally {
    client.close();
  }
  return node;
}

interface Answers {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly ruleHits: ListRuleHitsResponse;
  readonly services: ListServicesResponse;
}

/** What else the page asks agents, again and again. */
async function recordAnswers(address: string, signal: AbortSignal): Promise<Answers[]> {
  const agent = createClient(AgentService, address);
  const balancer = createClient(LoadBalancerService, address, { maxReceiveBytes: 16 * 1024 * 1024 });
  const answers: Answers[] = [];
  try {
    while (!signal.aborted) {
      const [ruleHits, services] = await Promise.all([
        agent.listRuleHits({}, { deadlineMs: 5_000 }),
        balancer.listServices({}, { deadlineMs: 5_000 }),
      ]);
      answers.push({ atMs: Date.now(), ruleHits, services });
      await sleep(ANSWERS_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    agent.close();
    balancer.close();
  }
  return answers;
}

function rowTimes({ batches }: NodeRecording): number[] {
  const decoder = new BatchDecoder({ endpoints: new EndpointStore(), nodeNumber: () => 0 });
  return batches.flatMap((batch) => {
    const { rows, columns } = decoder.decode(batch);
    return Array.from({ length: rows }, (_, row) => rowTimeMs(columns, row));
  });
}

function stateFiles(folder: string): StateFile[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.yaml') && !/(^|\/)\./.test(path))
    .sort()
    .map((path) => create(StateFileSchema, { path, content: readFileSync(join(folder, path), 'utf8') }));
}

function say(message: string): void {
  process.stderr.write(`waggle: ${message}\n`);
}

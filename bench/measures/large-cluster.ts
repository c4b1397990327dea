import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { lossSourceName } from '#core/flow/loss-source-name.ts';
import { labKubeconfig } from '#lab/kubernetes/lab-api-server.ts';
import { labLayout, netnsPath, podNetns } from '#lab/lab-layout.ts';
import { type Lab, startLab } from '#lab/start-lab.ts';
import type { Pod } from '#lab/store/objects.ts';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { kubeconfigAccess } from '#runtime/kubernetes/kubeconfig.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import type { FakePeer } from '../fake-peers.ts';
import { createCluster, podsPath } from '../large-cluster.ts';
import { type MixCluster, mixCluster } from '../mix-cluster.ts';
import { buildNative } from '../native-build.ts';
import { NativeProcess } from '../native-process.ts';
import { median } from '../statistics.ts';

const OTHER_NODES = 99;
const PODS_PER_NODE = 51;
/** Of the node whose agent is measured; the other nodes' agents tell a few more. */
const FLOWS_PER_SECOND = 10_000;
const OTHERS_FLOWS_PER_SECOND = 200;
/** Each connection is told at both its ends: SYN, SYN+ACK, first FIN, close. */
const FLOWS_PER_CONNECTION = 8;
const CHANGES_PER_SECOND = 5;
/** As the chart starts them (deploy/helm/waggle/templates). */
const AGENT_NODE_OPTIONS = '--max-semi-space-size=2 --max-old-space-size=160';
const BACKEND_NODE_OPTIONS = '--max-semi-space-size=4 --max-old-space-size=192';

const BIN = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url));
const PEERS = fileURLToPath(new URL('../steady-peers.ts', import.meta.url));
const READER = fileURLToPath(new URL('../page-reader.ts', import.meta.url));

export const largeCluster: Benchmark = {
  name: 'large-cluster',
  about: 'anonymous memory of an agent and a backend before a real API server with 5,000 pods, at 10,000 flows/s',
  needs: ['bpf', 'clang', 'envtest'],
  seconds: { full: 480, quick: 360 },
  async measure(context): Promise<Figure[]> {
    buildBpf(context.progress);
    const cluster = mixCluster(OTHER_NODES, PODS_PER_NODE);
    const lab = await startNode(context);
    const kubeconfig = labKubeconfig(labLayout(lab.name));
    const api = new ApiClient(await kubeconfigAccess(kubeconfig));
    context.cleanUp(() => api.close());
    await createCluster(api, cluster, context.progress);
    const peers = await startPeers(context);
    const backend = await startBackendProcess(context, kubeconfig, peers);
    await load(lab, context);
    changePods(api, cluster, context);
    watchPage(backend.url, context);
    const client = createClient(FlowService, backend.relay);
    context.cleanUp(() => client.close());
    const rate = async () => (await client.status({}, { deadlineMs: 5_000 })).flowsPerSecond;
    await until('the flows', 60_000, async () => (await rate()) > 0.9 * FLOWS_PER_SECOND);
    context.progress('flows come: filling the window');
    await sleep(context.quick ? 10_000 : 30_000);

    const agentPid = (await lab.status()).nodes[0]!.agentPid!;
    const agent: number[] = [];
    const ofBackend: number[] = [];
    const rates: number[] = [];
    for (let second = 0; second < (context.quick ? 15 : 40); second++) {
      await sleep(1_000);
      agent.push(anonymousMegabytes(agentPid));
      ofBackend.push(anonymousMegabytes(backend.process.pid!));
      if (second % 5 === 0) rates.push(await rate());
    }
    const status = await client.status({}, { deadlineMs: 5_000 });
    const lost = status.losses.map(({ source, count }) => `${count} lost (${lossSourceName(source)})`);
    const pods = cluster.pods.length.toLocaleString('en');
    const note = `the most in ${agent.length} s, ${pods} pods on ${OTHER_NODES} nodes beside its own, ${CHANGES_PER_SECOND} of them changing per second`;
    return [
      {
        name: 'agent',
        value: Math.max(...agent),
        unit: 'MB',
        goal: { atMost: 160 },
        samples: agent,
        note: `${note}; ${Math.round(median(rates)).toLocaleString('en')} flows/s, ${lost.join(', ') || 'none lost'}`,
      },
      {
        name: 'backend',
        value: Math.max(...ofBackend),
        unit: 'MB',
        goal: { atMost: 250 },
        samples: ofBackend,
        note: `${note}; window of ${Number(status.flowsCapacity).toLocaleString('en')} rows ${Math.round((100 * Number(status.flowsHeld)) / Number(status.flowsCapacity))} % full, one browser watches`,
      },
    ];
  },
};

/** A lab of one node whose agent reads a real API server. */
async function startNode(context: BenchmarkContext): Promise<Lab> {
  process.env.NODE_OPTIONS = AGENT_NODE_OPTIONS;
  try {
    const name = `bench-${randomBytes(4).toString('hex')}`;
    const lab = await startLab({ name, nodes: 1, source: 'kubernetes', onProgress: context.progress });
    context.cleanUp(() => lab.down());
    return lab;
  } finally {
    delete process.env.NODE_OPTIONS;
  }
}

/** Short connections between two pods of the node. */
async function load(lab: Lab, context: BenchmarkContext): Promise<void> {
  const manifest = (name: string) =>
    `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {app: ${name}}}, spec: {nodeName: node1, containers: [{name: idle, image: waggle.dev/lab/sleep}]}}`;
  const { problems } = await lab.apply([{ name: 'bench', text: ['load', 'loaded'].map(manifest).join('\n---\n') }]);
  if (problems.length > 0) throw new Error(`the lab does not take the bench's pods: ${problems[0]!.message}`);
  const pods = await until('the pods that make traffic', 60_000, async () => {
    const listed = await lab.list<Pod>('Pod', 'default');
    const running = listed.filter(({ status }) => status?.phase === 'Running');
    return running.length === 2 ? new Map(running.map((pod) => [pod.metadata.name, pod])) : undefined;
  });
  const [client, server] = [pods.get('load')!, pods.get('loaded')!];
  const netns = ({ spec, metadata }: Pod) => netnsPath(podNetns(labLayout(lab.name), spec.nodeName!, metadata.uid));
  const ends = [netns(client), netns(server), server.status!.podIP!];
  const program = new NativeProcess(buildNative('request-response'), [...ends, String(context.core)], context);
  // It goes on until it is ended with the benchmark.
  void program.ask(`crr 3600000 ${FLOWS_PER_SECOND / FLOWS_PER_CONNECTION}`).catch(() => {});
}

/** The other nodes' agents. */
function startPeers(context: BenchmarkContext): Promise<FakePeer[]> {
  const child = fork(PEERS, [OTHER_NODES, PODS_PER_NODE, OTHERS_FLOWS_PER_SECOND].map(String), {
    execArgv: [],
    silent: true,
  });
  context.cleanUp(() => void child.kill());
  return new Promise((resolve, reject) => {
    child.once('message', (peers) => resolve(peers as FakePeer[]));
    child.once('exit', (code) => reject(new Error(`the agents ended with status ${code}`)));
  });
}

interface BackendProcess {
  readonly process: ChildProcess;
  readonly url: string;
  readonly relay: string;
}

/** `waggle backend` as it is, in a process of its own. */
async function startBackendProcess(
  context: BenchmarkContext,
  kubeconfig: string,
  peers: readonly FakePeer[],
): Promise<BackendProcess> {
  const args = ['backend', '--source', 'kubernetes', '--kubeconfig', kubeconfig, '--listen', '127.0.0.1:0'];
  args.push('--keep-state', join(dirname(kubeconfig), 'backend-state.jsonl'));
  const agents = peers.map(({ name, address }) => `${name}=${address}`).join(',');
  const child = spawn(process.execPath, [BIN, ...args, '--grpc-listen', '127.0.0.1:0', '--agent', agents], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: BACKEND_NODE_OPTIONS },
  });
  context.cleanUp(() => void child.kill());
  const said = new Map<string, string>();
  for await (const line of createInterface({ input: child.stdout! })) {
    const [, what, where] = /^(Waggle's page|relay): (\S+)/.exec(line) ?? [];
    if (what !== undefined) said.set(what, where!);
    if (said.size === 2) return { process: child, url: said.get("Waggle's page")!, relay: said.get('relay')! };
  }
  throw new Error('the backend ended before it served');
}

/** Labels come and go, as in a roll-out. */
function changePods(api: ApiClient, { pods }: MixCluster, context: BenchmarkContext): void {
  let next = 0;
  const timer = setInterval(() => {
    const { namespace, name } = pods[(next * 7) % pods.length]!;
    const body = { metadata: { labels: { round: String(++next) } } };
    const contentType = 'application/merge-patch+json';
    api.request('PATCH', `${podsPath(namespace)}/${name}`, { body, contentType }).catch(() => {});
  }, 1_000 / CHANGES_PER_SECOND);
  context.cleanUp(() => clearInterval(timer));
}

function watchPage(url: string, context: BenchmarkContext): void {
  const child = spawn(process.execPath, [READER, url, '1'], { stdio: ['pipe', 'ignore', 'inherit'] });
  context.cleanUp(() => void child.kill());
}

function anonymousMegabytes(pid: number): number {
  const [, kilobytes] = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return (Number(kilobytes) * 1024) / 1e6;
}

async function until<T>(what: string, withinMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = performance.now() + withinMs; ; ) {
    const answer = await ask();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1_000} s for ${what}`);
    await sleep(100);
  }
}

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Relay } from '#backend/relay/relay.ts';
import { startBackend } from '#backend/start.ts';
import { rowTimeMs } from '#core/flow/columns.ts';
import { labKubeconfig } from '#lab/kubernetes/lab-api-server.ts';
import { labLayout } from '#lab/lab-layout.ts';
import { type Lab, startLab } from '#lab/start-lab.ts';
import type { Pod } from '#lab/store/objects.ts';
import { KubernetesSource } from '#runtime/cluster/kubernetes-source.ts';
import { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { kubeconfigAccess } from '#runtime/kubernetes/kubeconfig.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { buildWeb } from '../../scripts/build-web.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import { openBrowserPage } from '../browser-page.ts';
import { quantile } from '../statistics.ts';

/** A pod whose card is not drawn by then is not waited for. */
const LATEST_MS = 15_000;

export const podToMap: Benchmark = {
  name: 'pod-to-map',
  about:
    'from a pod at a real API server to its card on the map of a real browser: attached, started, connecting, told, drawn',
  needs: ['bpf', 'clang', 'chromium', 'envtest'],
  seconds: { full: 170, quick: 120 },
  async measure(context): Promise<Figure[]> {
    buildBpf(context.progress);
    const pageFolder = await buildWeb(context.progress);
    const lab = await startLab({
      name: `bench-${randomBytes(4).toString('hex')}`,
      nodes: 2,
      source: 'kubernetes',
      onProgress: context.progress,
    });
    context.cleanUp(() => lab.down());
    const server = await startServer(lab);
    const open = async () => new ApiClient(await kubeconfigAccess(labKubeconfig(labLayout(lab.name))));
    const backend = await startBackend({
      listen: '127.0.0.1:0',
      relayListen: '127.0.0.1:0',
      source: new KubernetesSource({ client: await open() }),
      pageFolder,
    });
    context.cleanUp(() => backend.close());
    const created = await noteCreated(await open(), context);
    const told = noteTold(backend.relay, context);
    const page = await openBrowserPage(context);
    await page.goto(`${backend.url}?namespace=default`);
    await page.evaluate(watchCards);

    const pods = context.quick ? 8 : 25;
    const delays: number[] = [];
    const attached: number[] = [];
    const stages = { toPacket: [] as number[], toBackend: [] as number[], toPage: [] as number[] };
    let missing = 0;
    for (let number = 0; number < pods; number++) {
      const name = `fresh-${number}`;
      context.progress(`pod ${number + 1} of ${pods}`);
      await lab.apply([{ name: 'bench', text: caller(name, `node${1 + (number % 2)}`, server) }]);
      const drawnAt = await waitFor(() => drawn(page, name));
      if (drawnAt === undefined) missing++;
      const createdAt = created.get(name);
      if (createdAt === undefined) throw new Error(`pod ${name} did not reach the API server`);
      // One that was never drawn counts as later than any.
      delays.push(drawnAt === undefined ? LATEST_MS : drawnAt - createdAt.pod);
      if (createdAt.ready !== undefined) attached.push(createdAt.ready - createdAt.pod);
      const first = told.get(name);
      if (first !== undefined && drawnAt !== undefined) {
        stages.toPacket.push(first.sent - createdAt.pod);
        stages.toBackend.push(first.merged - first.sent);
        stages.toPage.push(drawnAt - first.merged);
      }
      await sleep(100 + (number % 5) * 50);
    }
    const note = `${pods} pods one by one, ${missing} not drawn; the node attaches its programs, starts the container, which connects at once`;
    return [
      { name: 'p50', value: quantile(delays, 0.5), unit: 'ms', goal: { atMost: 1_000 }, samples: delays, note },
      { name: 'p99', value: quantile(delays, 0.99), unit: 'ms', samples: [quantile(delays, 0.99)] },
      {
        name: 'to ready at the API server, p50',
        value: quantile(attached, 0.5),
        unit: 'ms',
        samples: attached,
        note: 'until its node has told the API server that the container runs',
      },
      stage('to its first packet, p50', stages.toPacket, 'programs attached, container started, its process connects'),
      stage('packet to backend, p50', stages.toBackend, 'from the kernel through agent and relay, merged by time'),
      stage('backend to page, p50', stages.toPage, 'map counted, sent, laid out; then two animation frames'),
    ];
  },
};

function stage(name: string, samples: number[], note: string): Figure {
  return { name, value: quantile(samples, 0.5), unit: 'ms', samples, note };
}

/** Wall clock, in milliseconds, at which each new pod's first packet was seen, and its row stood in the backend. */
function noteTold(relay: Relay, context: BenchmarkContext): Map<string, { sent: number; merged: number }> {
  const told = new Map<string, { sent: number; merged: number }>();
  const { window } = relay;
  const stop = relay.onRows((from, to) => {
    for (let position = from; position < to; position++) {
      const row = window.slot(position);
      for (const end of [window.columns.source[row]!, window.columns.destination[row]!]) {
        const name = window.endpoints.get(end)?.pod;
        if (!name || told.has(name)) continue;
        told.set(name, { sent: rowTimeMs(window.columns, row), merged: Date.now() });
      }
    }
  });
  context.cleanUp(stop);
  return told;
}

/** Wall clock, in milliseconds, at which the API server told of each pod, and of its container's start. Filled in as they come. */
async function noteCreated(
  client: ApiClient,
  context: BenchmarkContext,
): Promise<Map<string, { pod: number; ready: number | undefined }>> {
  const source = new KubernetesSource({ client });
  await source.start();
  context.cleanUp(() => source.stop());
  const created = new Map<string, { pod: number; ready: number | undefined }>();
  source.onChange(({ kind, new: object }) => {
    if (kind !== 'Pod' || object === undefined) return;
    const known = created.get(object.metadata.name);
    if (known === undefined) created.set(object.metadata.name, { pod: Date.now(), ready: undefined });
    else if (object.status.phase === 'Running') known.ready ??= Date.now();
  });
  return created;
}

/** The address that new pods connect to. */
async function startServer(lab: Lab): Promise<string> {
  const text = `{apiVersion: v1, kind: Pod, metadata: {name: server, labels: {app: server}}, spec: {nodeName: node1, containers: [{name: http, image: waggle.dev/lab/http, env: [{name: PORT, value: "8080"}]}]}}`;
  const { problems } = await lab.apply([{ name: 'bench', text }]);
  if (problems.length > 0) throw new Error(`the lab does not take the bench's pod: ${problems[0]!.message}`);
  const address = await waitFor(async () => {
    const [pod] = await lab.list<Pod>('Pod', 'default');
    return pod?.status?.phase === 'Running' ? pod.status.podIP : undefined;
  });
  if (address === undefined) throw new Error('the server of the bench does not start');
  return address;
}

function caller(name: string, node: string, server: string): string {
  // A few connections: pods of earlier rounds are not to keep the machine busy.
  const script = `for i in 1 2 3 4; do (exec 3<>/dev/tcp/${server}/8080); sleep 0.1; done; exec sleep infinity`;
  return `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {app: ${name}}}, spec: {nodeName: ${node}, terminationGracePeriodSeconds: 0, containers: [{name: c, image: none, command: [bash, -c, "${script}"]}]}}`;
}

/** Runs in the page: notes when each new card is on screen. */
function watchCards(): void {
  const seen: Record<string, number> = {};
  const look = () => {
    for (const item of document.querySelectorAll('[role=treeitem]')) {
      const name = /fresh-\d+/.exec(item.getAttribute('aria-label') ?? item.textContent ?? '')?.[0];
      if (name === undefined || name in seen) continue;
      seen[name] = 0;
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          seen[name] = Date.now();
        }),
      );
    }
  };
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  Object.assign(globalThis, { waggleCards: seen });
}

async function drawn(page: Page, name: string): Promise<number | undefined> {
  const at = await page.evaluate(
    (key) => (globalThis as unknown as { waggleCards: Record<string, number> }).waggleCards[key],
    name,
  );
  return at || undefined;
}

async function waitFor<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  for (const deadline = performance.now() + LATEST_MS; performance.now() < deadline; await sleep(25)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  return undefined;
}

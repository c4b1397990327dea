import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { Relay } from '#backend/relay/relay.ts';
import { startBackend } from '#backend/start.ts';
import { labLayout, netnsPath, podNetns } from '#lab/lab-layout.ts';
import { type Lab, startLab } from '#lab/start-lab.ts';
import type { Pod } from '#lab/store/objects.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { buildWeb } from '../../scripts/build-web.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import { openBrowserPage } from '../browser-page.ts';
import { buildNative } from '../native-build.ts';
import { NativeProcess } from '../native-process.ts';
import { quantile } from '../statistics.ts';

const FLOWS_PER_SECOND = 5_000;
/** Each connection is told at both its ends: SYN, SYN+ACK, first FIN, close. */
const FLOWS_PER_CONNECTION = 8;
const LOAD_PAIRS = 2;
const FIRST_TAG = 20_000;
const BETWEEN_TAGS_MS = 100;
/** A tag not drawn by then is not waited for. */
const LATEST_MS = 10_000;

export const packetToPixel: Benchmark = {
  name: 'packet-to-pixel',
  about: 'from a SYN in the kernel to two animation frames after its row is drawn, while the lab carries 5,000 flows/s',
  needs: ['bpf', 'clang', 'chromium'],
  seconds: { full: 150, quick: 100 },
  async measure(context): Promise<Figure[]> {
    const tags = context.quick ? 60 : 250;
    buildBpf(context.progress);
    const pageFolder = await buildWeb(context.progress);
    const { lab, netns, address } = await startPods(context);
    const { stateDir } = await lab.status();
    const backend = await startBackend({ listen: '127.0.0.1:0', relayListen: '127.0.0.1:0', stateDir, pageFolder });
    context.cleanUp(() => backend.close());

    const program = buildNative('request-response');
    const core = String(context.otherCore);
    const perSecond = Math.round(FLOWS_PER_SECOND / FLOWS_PER_CONNECTION / LOAD_PAIRS);
    for (let pair = 0; pair < LOAD_PAIRS; pair++) {
      const ends = [netns(`load-${pair}`), netns(`loaded-${pair}`), address(`loaded-${pair}`)];
      // It goes on until it is ended with the benchmark.
      void new NativeProcess(program, [...ends, core], context).ask(`crr 3600000 ${perSecond}`).catch(() => {});
    }
    const probe = new NativeProcess(program, [netns('probe'), netns('target'), address('target'), core], context);
    await probe.ask(`syn ${FIRST_TAG - 1}`);
    await settled(() => backend.relay.rate.perSecond() > FLOWS_PER_SECOND * 0.9, 'the load to reach its rate', 40_000);

    context.progress('opening the page');
    const page = await openBrowserPage(context);
    const cluster = backend.relay.nodes()[0].cluster;
    await page.goto(`${backend.url}?select=${encodeURIComponent(`${cluster}/default/Pod/probe`)}`);
    // The page holds the latest flows only: it is shown new ones until it shows one.
    const row = page.getByRole('row', { name: /probe/ }).first();
    await settled(
      async () => {
        await probe.ask(`syn ${FIRST_TAG - 1}`);
        return row.isVisible();
      },
      "the probe's first row on the page",
      45_000,
    );
    await page.getByRole('button', { name: 'Columns' }).click();
    await page.getByRole('checkbox', { name: 'Source port' }).check();
    await page.keyboard.press('Escape');
    await page.evaluate(watchTags, { first: FIRST_TAG, last: FIRST_TAG + tags - 1 });

    context.progress(`sending ${tags} tagged SYNs`);
    const merged = noteMerged(backend.relay, FIRST_TAG, FIRST_TAG + tags - 1, context);
    const sent = new Map<number, number>();
    for (let tag = FIRST_TAG; tag < FIRST_TAG + tags; tag++) {
      sent.set(tag, Number(BigInt(await probe.ask(`syn ${tag}`)) / 1000n) / 1000);
      // Not in step with any timer on the way.
      await sleep(BETWEEN_TAGS_MS * (0.5 + Math.random()));
    }
    const rate = backend.relay.rate.perSecond();
    await settled(async () => (await drawn(page)).size === tags, '', LATEST_MS).catch(() => {});
    const seen = await drawn(page);
    const latencies = [...sent].map(([tag, at]) => (seen.has(tag) ? seen.get(tag)! - at : Number.POSITIVE_INFINITY));
    const missing = latencies.filter((latency) => latency === Number.POSITIVE_INFINITY).length;
    // One that was never drawn counts as later than any.
    const told = latencies.map((latency) => Math.min(latency, LATEST_MS));
    const toBackend = [...sent].flatMap(([tag, at]) => (merged.has(tag) ? [merged.get(tag)! - at] : []));
    const inDocument = await drawn(page, 'inDocument');
    const toDocument = [...sent].flatMap(([tag, at]) => (inDocument.has(tag) ? [inDocument.get(tag)! - at] : []));
    const losses = backend.relay.losses.counts().reduce((sum, { count }) => sum + Number(count), 0);
    const note = `${tags} tags at ${Math.round(rate).toLocaleString('en')} flows/s, ${missing} not drawn, ${losses} flows lost on the way`;
    return [
      { name: 'p50', value: quantile(told, 0.5), unit: 'ms', goal: { atMost: 150 }, samples: told, note },
      { name: 'p99', value: quantile(told, 0.99), unit: 'ms', goal: { atMost: 400 }, samples: [quantile(told, 0.99)] },
      {
        name: 'to backend p50',
        value: quantile(toBackend, 0.5),
        unit: 'ms',
        samples: toBackend,
        note: "until its row stands in the backend, merged by time with the other node's",
      },
      {
        name: 'to document p50',
        value: quantile(toDocument, 0.5),
        unit: 'ms',
        samples: toDocument,
        note: 'until its row is in the page; then two animation frames',
      },
      { name: 'to backend p99', value: quantile(toBackend, 0.99), unit: 'ms', samples: [quantile(toBackend, 0.99)] },
    ];
  },
};

/** A lab of two nodes with pods that do nothing by themselves: the load is made inside their network namespaces. */
async function startPods(context: BenchmarkContext) {
  const name = `bench-${randomBytes(4).toString('hex')}`;
  const lab = await startLab({ name, nodes: 2, onProgress: context.progress });
  context.cleanUp(() => lab.down());
  const pairs = Array.from({ length: LOAD_PAIRS }, (_, pair) => [`load-${pair}`, `loaded-${pair}`]);
  const manifests = [...pairs, ['probe', 'target']].flatMap(([client, server], index) => [
    manifest(client, `node${1 + (index % 2)}`),
    manifest(server, `node${2 - (index % 2)}`),
  ]);
  const { problems } = await lab.apply([{ name: 'bench', text: manifests.join('---\n') }]);
  if (problems.length > 0) throw new Error(`the lab does not take the bench's pods: ${problems[0].message}`);
  let pods = new Map<string, Pod>();
  await settled(
    async () => {
      pods = new Map((await lab.list<Pod>('Pod', 'default')).map((pod) => [pod.metadata.name, pod]));
      return pods.size === manifests.length && [...pods.values()].every((pod) => pod.status?.phase === 'Running');
    },
    "the lab's pods",
    40_000,
  );
  const layout = labLayout(name);
  return {
    lab: lab as Lab,
    netns: (pod: string) => netnsPath(podNetns(layout, pods.get(pod)!.spec.nodeName!, pods.get(pod)!.metadata.uid)),
    address: (pod: string) =>
      (pods.get(pod)?.status?.podIPs ?? []).map(({ ip }) => ip).find((ip) => !ip.includes(':'))!,
  };
}

function manifest(name: string, node: string): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  nodeName: ${node}
  containers:
    - { name: idle, image: waggle.dev/lab/sleep }
`;
}

/** Wall clock, in milliseconds, at which the backend has the first row of each tag, a source port. Filled in as they come. */
function noteMerged(relay: Relay, first: number, last: number, context: BenchmarkContext): Map<number, number> {
  const merged = new Map<number, number>();
  const { window } = relay;
  const stop = relay.onRows((from, to) => {
    for (let position = from; position < to; position++) {
      const port = window.columns.sourcePort[window.slot(position)];
      if (port >= first && port <= last && !merged.has(port)) merged.set(port, Date.now());
    }
  });
  context.cleanUp(stop);
  return merged;
}

/** Runs in the page, whose table has the source port: notes when each tag is on screen. */
function watchTags({ first, last }: { first: number; last: number }): void {
  const seen: Record<number, number> = {};
  const inDocument: Record<number, number> = {};
  const look = () => {
    for (const cell of document.querySelectorAll('[role=cell]')) {
      const port = Number(cell.textContent);
      if (!(port >= first && port <= last) || port in seen) continue;
      seen[port] = 0;
      inDocument[port] = Date.now();
      requestAnimationFrame(() =>
        requestAnimationFrame(() => {
          seen[port] = Date.now();
        }),
      );
    }
  };
  new MutationObserver(look).observe(document.body, {
    subtree: true,
    childList: true,
    characterData: true,
  });
  Object.assign(globalThis, { waggleTags: { seen, inDocument } });
}

/** Wall clock, in milliseconds, by tag. */
async function drawn(page: Page, when: 'seen' | 'inDocument' = 'seen'): Promise<Map<number, number>> {
  const seen = await page.evaluate(
    (key) => (globalThis as unknown as { waggleTags: Record<string, Record<number, number>> }).waggleTags[key],
    when,
  );
  return new Map(
    Object.entries(seen)
      .map(([tag, at]) => [Number(tag), at] as const)
      .filter(([, at]) => at > 0),
  );
}

async function settled(reached: () => boolean | Promise<boolean>, what: string, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await reached())) {
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1000} s for ${what}`);
    await sleep(100);
  }
}

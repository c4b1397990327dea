import { type Datapath, openDatapath } from '#bpf-agent/loader/datapath.ts';
import { inNetworkNamespace } from '#bpf-agent/loader/netns.ts';
import { total } from '#bpf-agent/maps/counters.ts';
import { buildBpf } from '../scripts/build-bpf.ts';
import type { BenchmarkContext, Figure } from './benchmark.ts';
import { buildNative } from './native-build.ts';
import { NativeProcess } from './native-process.ts';
import { pinToCore } from './pin.ts';
import { createPodPair, type PodPair } from './pod-pair.ts';
import { PolicedEndpoints } from './policed-endpoint.ts';
import { alternate, median } from './statistics.ts';

/** As the agent: the ring every 5 ms, the sweep every 5 s. */
const DRAIN_MS = 5;
const SWEEP_MS = 5_000;

/**
 * Transactions per second between two pods of one node, with the datapath on both pods' interfaces over bare veths: 4 hooks per
 * packet pair and direction, the most a packet meets on one node. Client and server share one core; this process, which
 * drains the ring as the agent does, runs on the other.
 */
export async function measureExchange(
  context: BenchmarkContext,
  kind: 'rr' | 'crr',
  atLeast: number,
): Promise<Figure[]> {
  const rounds = context.quick ? 20 : 80;
  const milliseconds = 150; // short turns: what else the machine does hits both sides of most rounds
  const datapath = openDatapath({ objectPath: buildBpf(context.progress) });
  context.cleanUp(() => datapath.close());
  const pods = await createPodPair(context);
  pinToCore(context.otherCore);
  const drained = drainLikeTheAgent(datapath, context);

  const load = new NativeProcess(
    buildNative('request-response'),
    [pods.client.netns, pods.server.netns, pods.server.address, String(context.core)],
    context,
  );
  /** Transactions per second of wall clock, by round. */
  const wall = { base: [] as number[], changed: [] as number[] };
  /** Transactions per second of the core's time that both ends took: what others do on the core does not count. */
  const exchange = async (into: number[]) => {
    const [transactions, nanoseconds, cpuNanoseconds] = await load.askNumbers(`${kind} ${milliseconds}`);
    into.push((transactions * 1e9) / nanoseconds);
    return (transactions * 1e9) / cpuNanoseconds;
  };
  // The first connections meet cold caches, unresolved neighbours and an empty connection table.
  attachBoth(datapath, pods);
  await exchange([]);
  detachBoth(datapath, pods);
  await exchange([]);

  const drain = { milliseconds: 0, cpuMicroseconds: 0 };
  const { ratios, base, changed } = await alternate(rounds, {
    base: () => exchange(wall.base),
    changed: async () => {
      attachBoth(datapath, pods);
      const before = process.cpuUsage();
      const begun = performance.now();
      const rate = await exchange(wall.changed);
      const used = process.cpuUsage(before);
      drain.cpuMicroseconds += used.user + used.system;
      drain.milliseconds += performance.now() - begun;
      detachBoth(datapath, pods);
      return rate;
    },
  });
  const lost = total(datapath.maps.counters.read().ringFull);
  const records = drained();
  if (records === 0) throw new Error('the datapath was attached and wrote no record');
  const share = (drain.cpuMicroseconds / 10 / drain.milliseconds).toFixed(1);
  return [
    {
      name: '',
      value: median(ratios),
      unit: '×',
      goal: { atLeast },
      samples: ratios,
      note:
        `${microseconds(base)} µs of the core per exchange bare, ${microseconds(changed)} µs observed at 4 hooks; ` +
        `${records.toLocaleString('en')} records drained on the other core (${share} % of it), ${lost} lost`,
    },
    {
      name: 'by the clock',
      value: median(wall.changed.map((rate, round) => rate / wall.base[round])),
      unit: '×',
      samples: wall.changed.map((rate, round) => rate / wall.base[round]),
      note: `${microseconds(wall.base)} and ${microseconds(wall.changed)} µs: the same if nobody else used the core`,
    },
  ];
}

/** The same, the datapath attached on both sides of the comparison: policy in force over none. */
export async function measurePoliced(context: BenchmarkContext, kind: 'rr' | 'crr', atLeast: number): Promise<Figure> {
  const rounds = context.quick ? 20 : 80;
  const milliseconds = 150;
  const datapath = openDatapath({ objectPath: buildBpf(context.progress) });
  context.cleanUp(() => datapath.close());
  const pods = await createPodPair(context);
  pinToCore(context.otherCore);
  drainLikeTheAgent(datapath, context);
  const load = new NativeProcess(
    buildNative('request-response'),
    [pods.client.netns, pods.server.netns, pods.server.address, String(context.core)],
    context,
  );
  const exchange = async () => {
    const [transactions, , cpuNanoseconds] = await load.askNumbers(`${kind} ${milliseconds}`);
    return (transactions * 1e9) / cpuNanoseconds;
  };
  attachBoth(datapath, pods);
  const policed = new PolicedEndpoints(datapath, [
    { name: 'client', address: pods.client.address, interfaceIndex: pods.client.linkIndex },
    { name: 'server', address: pods.server.address, interfaceIndex: pods.server.linkIndex },
  ]);
  const every = Array.from({ length: 10 }, (_, index) => ({ port: 1 + index * 6_000, endPort: 6_000 * (index + 1) }));
  const all = (subject: string, direction: 'ingress' | 'egress', side: 'from' | 'to', peer: string) => ({
    podSelector: { matchLabels: { app: subject } },
    policyTypes: [direction === 'ingress' ? 'Ingress' : 'Egress'],
    [direction]: every.map((range) => ({ [side]: [{ podSelector: { matchLabels: { app: peer } } }], ports: [range] })),
  });
  // Both ends closed but for each other: every connection is judged twice, by the longest match of a range of ports.
  const specs = [all('client', 'egress', 'to', 'server'), all('server', 'ingress', 'from', 'client')];
  policed.enforce([]);
  await exchange();
  const entries = policed.enforce(specs);
  await exchange();
  const { ratios, base, changed } = await alternate(rounds, {
    base: () => {
      policed.enforce([]);
      return exchange();
    },
    changed: () => {
      policed.enforce(specs);
      return exchange();
    },
  });
  const { dropped } = datapath.maps.counters.read();
  if (total(dropped) > 0) throw new Error(`${total(dropped)} packets were dropped of what the policy allows`);
  return {
    name: kind,
    value: median(ratios),
    unit: '×',
    goal: { atLeast },
    samples: ratios,
    note: `${microseconds(base)} µs of the core per exchange without policy, ${microseconds(changed)} µs with ${entries} entries`,
  };
}

function attachBoth(datapath: Datapath, pods: PodPair): void {
  inNetworkNamespace(pods.node, () => {
    datapath.attach(pods.client.linkIndex);
    datapath.attach(pods.server.linkIndex);
  });
}

function detachBoth(datapath: Datapath, pods: PodPair): void {
  inNetworkNamespace(pods.node, () => {
    datapath.detach(pods.client.linkIndex);
    datapath.detach(pods.server.linkIndex);
  });
}

/** Returns how many records came so far. */
function drainLikeTheAgent(datapath: Datapath, context: BenchmarkContext): () => number {
  let records = 0;
  const drain = setInterval(() => {
    records += datapath.ring.drain(() => {});
  }, DRAIN_MS);
  const sweep = setInterval(() => datapath.sweep(), SWEEP_MS);
  context.cleanUp(() => {
    clearInterval(drain);
    clearInterval(sweep);
  });
  return () => records;
}

function microseconds(rates: readonly number[]): string {
  return (1e6 / median(rates)).toFixed(1);
}

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatapath } from '#bpf-agent/loader/datapath.ts';
import { ServiceSync } from '#bpf-agent/services/service-sync.ts';
import { ServiceTable } from '#bpf-agent/services/service-table.ts';
import type { Frontend } from '#core/service/service.ts';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';
import { FolderSource } from '#runtime/cluster/folder-source.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import { buildNative } from '../native-build.ts';
import { NativeProcess } from '../native-process.ts';
import { BACKEND, iptablesRules, nftablesRules, SERVICE_PORT, serviceAddress } from '../service-rules.ts';
import { median, quantile } from '../statistics.ts';

/** Ways to a backend, measured in turn. */
const WAYS = ['direct', 'eBPF', 'iptables', 'nftables'] as const;
type Way = (typeof WAYS)[number];

const SIZES = [1, 100, 1_000, 10_000];

export const services: Benchmark = {
  name: 'services',
  about: 'connect() to the last of N Services, and adding one more: eBPF, kube-proxy’s iptables and nftables, direct',
  needs: ['bpf', 'clang'],
  seconds: { full: 170, quick: 90 },
  async measure(context): Promise<Figure[]> {
    const rounds = context.quick ? 7 : 21;
    const connects = context.quick ? 200 : 400;
    const bench = new ServiceBench(context);
    const latency = new Map<string, number[]>();
    const update = new Map<string, number[]>();
    let loaded = 0;
    for (const size of SIZES) {
      context.progress(`${size} Services`);
      loaded = bench.grow(size);
      for (const way of WAYS) await bench.connect(way, size, connects); // warm
      for (let round = 0; round < rounds; round++) {
        for (const way of WAYS) {
          push(latency, `${way} ${size}`, await bench.connect(way, size, connects));
        }
      }
      for (let round = 0; round < (context.quick ? 3 : 5); round++) {
        for (const way of WAYS) if (way !== 'direct') push(update, `${way} ${size}`, bench.addOne(way));
      }
    }
    context.progress('removing backends');
    const removals = await backendRemovals(context, context.quick ? 20 : 100);
    const at = (way: Way, size: number): number => median(latency.get(`${way} ${size}`)!);
    const ratio = (a: string, b: string): number[] =>
      latency.get(a)!.map((each, index) => each / latency.get(b)![index]!);
    const flat = ratio('eBPF 10000', 'direct 10000').map((each, index) => each / ratio('eBPF 1', 'direct 1')[index]!);
    const overDirect = ratio('eBPF 10000', 'direct 10000');
    const overIptables = ratio('iptables 10000', 'eBPF 10000');
    const figures: Figure[] = [
      {
        name: '10,000 ÷ 1 Services',
        value: median(flat),
        unit: '×',
        goal: { atMost: 1.05 },
        samples: flat,
        note: 'connect() through eBPF, each as a multiple of direct in the same round; published: iptables 1.9 at 2,768',
      },
      {
        name: 'eBPF ÷ direct at 10,000',
        value: median(overDirect),
        unit: '×',
        goal: { atMost: 1.15 },
        samples: overDirect,
      },
      {
        name: 'iptables ÷ eBPF at 10,000',
        value: median(overIptables),
        unit: '×',
        goal: { atLeast: 8 },
        samples: overIptables,
        note: 'the last of the list, as all figures here',
      },
      {
        name: 'load 10,000',
        value: loaded,
        unit: 'ms',
        goal: { atMost: 200 },
        samples: [loaded],
        note: 'frontends, slots and backends of 9,000 Services written to the kernel beside 1,000, scaled to 10,000',
      },
      {
        name: 'backend out, p99',
        value: quantile(removals, 0.99),
        unit: 'ms',
        goal: { atMost: 1_000 },
        samples: removals,
        note: 'from the change of its EndpointSlice in the state folder until the kernel gives it to nobody',
      },
    ];
    for (const size of SIZES) {
      for (const way of WAYS) {
        const samples = latency.get(`${way} ${size}`)!.map((nanoseconds) => nanoseconds / 1_000);
        figures.push({ name: `connect, ${way}, ${size}`, value: at(way, size) / 1_000, unit: 'µs', samples });
      }
    }
    for (const size of SIZES) {
      for (const way of WAYS) {
        if (way === 'direct') continue;
        const samples = update.get(`${way} ${size}`)!;
        const goal = way === 'eBPF' ? { goal: { atMost: 1 } } : {};
        figures.push({ name: `add one, ${way}, ${size}`, value: median(samples), unit: 'ms', samples, ...goal });
      }
    }
    return figures;
  },
};

/** One network namespace per way, each with a process that connects, all on one core. */
class ServiceBench {
  readonly #clients = new Map<Way, NativeProcess>();
  readonly #netns: (way: Way) => string;
  readonly #table: ServiceTable;
  #size = 0;
  /** Services each way has beyond `#size`. */
  #extra = 0;

  constructor(context: BenchmarkContext) {
    for (const tool of ['iptables-restore', 'nft']) {
      if (spawnSync(tool, ['--version']).error)
        throw new Error(`${tool} is missing: apt-get install iptables nftables`);
    }
    const id = `wgb${process.pid % 100_000}`;
    const cgroup = join(findCgroup2()!, id);
    mkdirSync(cgroup);
    context.cleanUp(() => rmdirSync(cgroup));
    const datapath = openDatapath({ objectPath: buildBpf(context.progress) });
    context.cleanUp(() => datapath.close());
    datapath.attachServices(cgroup);
    this.#table = new ServiceTable(datapath.maps.services);
    this.#netns = (way) => `${id}${way}`;
    const program = buildNative('connect-latency');
    for (const way of WAYS) {
      const netns = this.#netns(way);
      ip('netns', 'add', netns);
      context.cleanUp(() => ip('netns', 'delete', netns));
      ip('-n', netns, 'link', 'set', 'lo', 'up');
      for (const address of [BACKEND.address, '10.200.0.2'])
        ip('-n', netns, 'address', 'add', `${address}/32`, 'dev', 'lo');
      ip('-n', netns, 'route', 'add', 'default', 'dev', 'lo', 'src', '10.200.0.2');
      const enter = way === 'eBPF' ? `echo $$ > ${cgroup}/cgroup.procs; ` : '';
      const command = `${enter}exec nsenter --net=/run/netns/${netns} taskset -c ${context.core} "$0" ${BACKEND.address} ${BACKEND.port}`;
      this.#clients.set(way, new NativeProcess('sh', ['-c', command, program], context));
    }
  }

  /** Brings every way to so many Services. Returns the milliseconds eBPF took for them, scaled to 10,000. */
  grow(size: number): number {
    const from = this.#size + this.#extra;
    const frontends = Array.from({ length: size - from }, (_, index) => frontendOf(from + index));
    const before = performance.now();
    this.#table.together(() => {
      for (const frontend of frontends) this.#table.set(frontend);
    });
    const took = ((performance.now() - before) / Math.max(1, frontends.length)) * 10_000;
    if (size > from) {
      this.#feed('iptables', iptablesRules(from, size));
      this.#feed('nftables', nftablesRules(from, size));
    }
    this.#size = Math.max(size, from);
    this.#extra = 0;
    return took;
  }

  /** Median nanoseconds of connect() to the last Service. */
  async connect(way: Way, size: number, count: number): Promise<number> {
    const client = this.#clients.get(way)!;
    const last = way === 'direct' ? BACKEND.address : serviceAddress(Math.max(size, this.#size) - 1);
    const port = way === 'direct' ? BACKEND.port : SERVICE_PORT;
    const [middle] = await client.askNumbers(`${last} ${port} ${count}`);
    return middle!;
  }

  /** Milliseconds until one more Service stands; the next call of another way adds the same. */
  addOne(way: Exclude<Way, 'direct'>): number {
    if (way === 'eBPF') this.#extra++;
    const index = this.#size + this.#extra - 1;
    const text = way === 'iptables' ? iptablesRules(index, index + 1) : nftablesRules(index, index + 1);
    const frontend = frontendOf(index);
    const before = performance.now();
    if (way === 'eBPF') this.#table.set(frontend);
    else this.#feed(way, text);
    return performance.now() - before;
  }

  #feed(way: 'iptables' | 'nftables', input: string): void {
    const command = way === 'iptables' ? ['iptables-restore', '--noflush', '-w'] : ['nft', '-f', '-'];
    execFileSync('nsenter', [`--net=/run/netns/${this.#netns(way)}`, ...command], {
      input,
      stdio: ['pipe', 'ignore', 'pipe'],
      maxBuffer: 1 << 26,
    });
  }
}

function frontendOf(index: number): Frontend {
  return {
    namespace: 'bench',
    service: `service-${index}`,
    portName: 'http',
    kind: 'cluster-ip',
    address: serviceAddress(index),
    port: SERVICE_PORT,
    protocol: 6,
    affinitySeconds: 0,
    algorithm: 'random',
    backends: [{ ...BACKEND, node: '', pod: '', weight: 1, terminating: false }],
  };
}

/** Milliseconds from the change of a file until a backend has left the kernel's map, one after the other. */
async function backendRemovals(context: BenchmarkContext, count: number): Promise<number[]> {
  const folder = mkdtempSync(join(tmpdir(), 'waggle-bench-'));
  context.cleanUp(() => rmSync(folder, { recursive: true, force: true }));
  const write = (kind: string, name: string, content: object): void => {
    const place = join(folder, kind, 'bench');
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `.${name}`), JSON.stringify({ kind, ...content }));
    renameSync(join(place, `.${name}`), join(place, `${name}.yaml`));
  };
  const slice = (...addresses: string[]): void =>
    write('EndpointSlice', 'web-1', {
      metadata: { name: 'web-1', namespace: 'bench', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: '', protocol: 'TCP', port: 8080 }],
      endpoints: addresses.map((address) => ({ addresses: [address] })),
    });
  write('Service', 'web', {
    metadata: { name: 'web', namespace: 'bench' },
    spec: { clusterIP: '10.96.0.1', ports: [{ port: 80 }] },
  });
  slice('10.0.0.1', '10.0.0.2');
  const datapath = openDatapath({ objectPath: buildBpf(context.progress) });
  context.cleanUp(() => datapath.close());
  const source = new FolderSource(folder);
  await source.start();
  context.cleanUp(() => source.stop());
  const { services: maps } = datapath.maps;
  const sync = new ServiceSync({ source, maps, node: 'n1', onGone: () => {} });
  context.cleanUp(() => sync.stop());
  const until = async (backends: number): Promise<void> => {
    while (maps.backends.size !== backends) await new Promise((resolve) => setImmediate(resolve));
  };
  await until(2);
  const took: number[] = [];
  for (let round = 0; round < count; round++) {
    const before = performance.now();
    slice('10.0.0.1');
    await until(1);
    took.push(performance.now() - before);
    slice('10.0.0.1', '10.0.0.2');
    await until(2);
  }
  return took;
}

function push(into: Map<string, number[]>, key: string, value: number): void {
  const list = into.get(key) ?? [];
  list.push(value);
  into.set(key, list);
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

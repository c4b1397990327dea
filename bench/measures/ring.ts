import { AddressBook } from '#bpf-agent/events/address-book.ts';
import { EndpointTable } from '#bpf-agent/events/endpoint-table.ts';
import { KernelClock } from '#bpf-agent/events/kernel-clock.ts';
import { RecordDrain } from '#bpf-agent/events/record-drain.ts';
import { RecordToRow } from '#bpf-agent/events/record-to-row.ts';
import { RingConsumer } from '#bpf-agent/events/ring-consumer.ts';
import { kernelTick } from '#bpf-agent/loader/libc.ts';
import { BpfObject } from '#bpf-agent/loader/object.ts';
import { CounterMap, total } from '#bpf-agent/maps/counters.ts';
import { DEFAULT_TIMEOUTS, encodeSettings } from '#bpf-agent/maps/settings.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { establishConnection } from '../established-connection.ts';
import { buildNative } from '../native-build.ts';
import { NativeProcess } from '../native-process.ts';
import { pinToCore } from '../pin.ts';
import { alternate, median } from '../statistics.ts';

const RING_BYTES = 8 << 20;
const MAX_LAG_MS = 5_000;

export const ring: Benchmark = {
  name: 'ring',
  about: 'records per second from the kernel into columns: the agent over a C consumer on the same ring and feed',
  needs: ['bpf', 'clang'],
  seconds: { full: 60, quick: 25 },
  async measure(context): Promise<Figure[]> {
    const rounds = context.quick ? 16 : 60;
    const milliseconds = 200;
    pinToCore(context.core);
    const object = BpfObject.load({
      path: buildBpf(context.progress),
      // An interval of 0: every packet of an established connection tells.
      readOnlyData: encodeSettings({ ...DEFAULT_TIMEOUTS, recordInterval: 0 }, kernelTick()),
      entries: { records: RING_BYTES },
    });
    context.cleanUp(() => object.close());
    const ringFd = object.mapFd('records');
    const counters = new CounterMap(object.mapFd('counters'));
    const segment = establishConnection(object.programFd('from_endpoint'), object.programFd('to_endpoint'));
    emptyRing(ringFd);

    const feed = new NativeProcess(
      buildNative('ring-feed', ['bpf']),
      [String(context.otherCore), Buffer.from(segment).toString('hex')],
      context,
      [object.programFd('from_endpoint')],
    );
    const native = new NativeProcess(buildNative('ring-consume', ['bpf']), [String(context.core)], context, [ringFd]);
    const agent = new AgentConsumer(ringFd);

    let uncounted = 0;
    const shareLost = { c: [] as number[], agent: [] as number[] };
    /** Records per second of wall clock, and nanoseconds of the consumer's core per record, by round. */
    const clock = { c: [] as number[], agent: [] as number[] };
    const cost = { c: [] as number[], agent: [] as number[] };
    const fed: number[] = [];
    /**
     * Records per second that reach the consumer's columns, were each side alone on its core: the slower of the two, by the time
     * that each had of its core, sets the pace.
     */
    const round = async (who: 'c' | 'agent', consumer: Consumer) => {
      const lostBefore = total(counters.read().ringFull);
      await consumer.start();
      const begun = performance.now();
      const [produced, , feedNanoseconds] = await feed.askNumbers(String(milliseconds));
      const { records, cpuNanoseconds } = await consumer.stop();
      const counted = total(counters.read().ringFull) - lostBefore;
      uncounted += Math.abs(produced - records - counted);
      shareLost[who].push(counted / produced);
      clock[who].push((records * 1000) / (performance.now() - begun));
      cost[who].push(cpuNanoseconds / records);
      fed.push(feedNanoseconds / produced);
      return 1e9 / Math.max(cpuNanoseconds / records, feedNanoseconds / produced);
    };
    const c: Consumer = {
      start: async () => void (await native.ask('start')),
      stop: async () => {
        const [records, cpuNanoseconds] = await native.askNumbers('stop');
        return { records, cpuNanoseconds };
      },
    };
    // The agent's functions are compiled by use.
    for (let warm = 0; warm < 3; warm++) await round('agent', agent);
    await round('c', c);
    for (const list of [fed, ...[shareLost, clock, cost].flatMap((by) => [by.c, by.agent])]) list.length = 0;
    const { ratios, base, changed } = await alternate(rounds, {
      base: () => round('c', c),
      changed: () => round('agent', agent),
    });
    const byClock = clock.agent.map((rate, index) => rate / clock.c[index]);
    return [
      {
        name: '',
        value: median(ratios),
        unit: '×',
        goal: { atLeast: 0.8 },
        samples: ratios,
        note:
          `agent ${millions(changed)} M/s (${percent(shareLost.agent)} % found no room), C ${millions(base)} M/s ` +
          `(${percent(shareLost.c)} %); one core feeds (${nanoseconds(fed)} ns per record), one consumes ` +
          `(agent ${nanoseconds(cost.agent)} ns, C ${nanoseconds(cost.c)} ns)`,
      },
      {
        name: 'by the clock',
        value: median(byClock),
        unit: '×',
        samples: byClock,
        note: `${millions(clock.agent)} and ${millions(clock.c)} M/s: the same if nobody else used the cores`,
      },
      {
        name: 'uncounted loss',
        value: uncounted,
        unit: 'records',
        goal: { atMost: 0 },
        samples: [uncounted],
        note: 'written less read less counted as lost, over all rounds',
      },
    ];
  },
};

interface Consumer {
  start(): Promise<void>;
  /** Reads what is left; returns how many records came since the start, and the time on its core that they took. */
  stop(): Promise<{ records: number; cpuNanoseconds: number }>;
}

/** The agent's own way from the ring to rows of a window, on its own timer. */
class AgentConsumer implements Consumer {
  readonly #fd: number;
  readonly #window = new FlowWindow(65_536);
  readonly #clock = new KernelClock();
  readonly #book = new AddressBook('default');
  readonly #table = new EndpointTable(this.#window.endpoints, this.#book);
  readonly #rows = new RecordToRow(
    this.#window,
    this.#window.nodeNumber({ cluster: 'default', node: 'bench', bootId: 1n }),
    this.#table,
    this.#clock,
  );
  #ring: RingConsumer | undefined;
  #drain: RecordDrain | undefined;
  #begun = 0;
  #cpu: NodeJS.CpuUsage = { user: 0, system: 0 };

  constructor(fd: number) {
    this.#fd = fd;
  }

  async start(): Promise<void> {
    // Anew each time: it remembers its position, and another consumer has moved on since.
    this.#ring = new RingConsumer(this.#fd, RING_BYTES);
    this.#begun = this.#window.end;
    this.#cpu = process.cpuUsage();
    this.#drain = new RecordDrain({
      ring: this.#ring,
      rows: this.#rows,
      table: this.#table,
      book: this.#book,
      clock: this.#clock,
      onProgress: () => {},
    });
    this.#drain.start();
  }

  async stop(): Promise<{ records: number; cpuNanoseconds: number }> {
    const deadline = performance.now() + MAX_LAG_MS;
    while (this.#ring!.pending > 0 && performance.now() < deadline)
      await new Promise((resolve) => setImmediate(resolve));
    this.#drain!.stop();
    this.#ring!.close();
    const { user, system } = process.cpuUsage(this.#cpu);
    return { records: this.#window.end - this.#begun, cpuNanoseconds: (user + system) * 1000 };
  }
}

function emptyRing(fd: number): void {
  const consumer = new RingConsumer(fd, RING_BYTES);
  consumer.drain(() => {});
  consumer.close();
}

function millions(rates: readonly number[]): string {
  return (median(rates) / 1e6).toFixed(2);
}

function nanoseconds(costs: readonly number[]): string {
  return median(costs).toFixed(0);
}

function percent(shares: readonly number[]): string {
  return (100 * median(shares)).toFixed(1);
}

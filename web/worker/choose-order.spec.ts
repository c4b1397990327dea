import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { verdicts } from '#core/flow/verdict.ts';
import { chooseOrder } from './choose-order.ts';
import { FLOW_COLUMN_IDS, type FlowColumnId } from './flow-column.ts';
import { GroupedOrder } from './grouped-order.ts';
import { PageWindow } from './page-window.ts';
import type { Selection } from './protocol.ts';
import type { RowOrder } from './row-order.ts';
import type { FlowRow } from './shown-flow.ts';
import { SortedOrder } from './sorted-order.ts';
import { DB, pushFlows, type SampleFlow, WEB, WEB_2, WORLD } from './testing/sample-flows.ts';

const WEB_CARD: Selection = {
  key: 'kind/shop/Deployment/web',
  kind: 'workload',
  cluster: 'kind',
  namespace: 'shop',
  workloadKind: 'Deployment',
  name: 'web',
};

const ends = [WEB, WEB_2, DB, WORLD];
const anyFlow: fc.Arbitrary<SampleFlow> = fc
  .record({
    source: fc.constantFrom(...ends),
    destination: fc.constantFrom(...ends),
    reply: fc.nat(2),
    sourcePort: fc.constantFrom(53, 80, 41_000, 65_535),
    destinationPort: fc.constantFrom(53, 80, 41_000, 65_535),
    protocol: fc.constantFrom(6, 17, 1),
    verdict: fc.constantFrom(1, 2, 4),
    dropReason: fc.constantFrom(133, 181),
    direction: fc.nat(2),
    tcpFlags: fc.nat(63),
    bytesOriginal: fc.nat(100_000),
    bytesReply: fc.nat(100_000),
    packetsReply: fc.nat(9),
    rttMicros: fc.nat(500),
    // A row tells its time in milliseconds, good to about a microsecond.
    timeNanos: fc.nat(999_999).map((micros) => micros * 1000),
    timeSeconds: fc.constantFrom(1_790_000_000, 1_790_000_001),
    node: fc.constantFrom('node-1', 'node-2'),
  })
  // Only what is dropped has a reason.
  .map((flow) => (flow.verdict === 2 ? flow : { ...flow, dropReason: 0 }));

function windowOf(capacity: number, flows: readonly SampleFlow[]): PageWindow {
  const window = new PageWindow(capacity);
  pushFlows(window, ...flows);
  return window;
}

function rowsOf(order: RowOrder): FlowRow[] {
  return Array.from({ length: order.total }, (_, index) => order.row(index)!);
}

/** What a person sees in the column, comparable. */
const SHOWN: Partial<Record<FlowColumnId, (row: FlowRow) => string | number>> = {
  time: ({ time }) => time,
  source: ({ source }) => `${source.name}\0${source.namespace}`.toLowerCase(),
  'source-pod': ({ source }) => `${source.pod}\0${source.namespace}`,
  'source-port': ({ source }) => source.port,
  destination: ({ destination }) => `${destination.name}\0${destination.namespace}`.toLowerCase(),
  'destination-identity': ({ destination }) => destination.identity,
  port: ({ port }) => port,
  protocol: ({ protocol }) => protocol.toLowerCase(),
  verdict: ({ verdict }) => verdicts.name(verdict).toLowerCase(),
  reason: ({ reason }) => reason.toLowerCase(),
  node: ({ node }) => node,
  bytes: ({ bytes }) => bytes,
  packets: ({ packets }) => packets,
  rtt: ({ rttMicros }) => rttMicros,
  count: ({ count }) => count,
};

describe('rows by arrival', () => {
  it('are the newest first, hold still at an anchor, and count what came since', () => {
    const window = windowOf(5, [{}, {}, {}, {}]);
    const order = chooseOrder(window, { selection: null, sort: null, group: false });
    expect([order.update(null), order.total, order.arrived()]).toEqual([4, 4, 0]);
    pushFlows(window, {}, {}, {});
    expect([order.update(4), order.total, order.arrived()]).toEqual([4, 2, 3]);
    expect(rowsOf(order).map(({ position }) => position)).toEqual([3, 2]);
    expect([order.update(null), order.total]).toEqual([7, 5]);
  });

  it('are those of a selection', () => {
    const window = windowOf(100, [{}, { source: DB, destination: WORLD }, { source: WORLD, destination: WEB_2 }]);
    const order = chooseOrder(window, { selection: WEB_CARD, sort: null, group: false });
    order.update(null);
    expect(rowsOf(order).map(({ position }) => position)).toEqual([2, 0]);
  });
});

describe('rows sorted by a column', () => {
  it('info: by the words it begins with, those that begin alike together', () => {
    fc.assert(
      fc.property(fc.array(anyFlow, { maxLength: 60 }), fc.boolean(), (flows, descending) => {
        const sort = { column: 'info', descending } as const;
        const order = chooseOrder(windowOf(60, flows), { selection: null, sort, group: false });
        order.update(null);
        const heads = rowsOf(order).map(({ info }) => (/^\d|^$/.test(info) ? '' : info.split(' · ')[0].toLowerCase()));
        const sorted = heads.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        expect(heads).toEqual(descending ? sorted.reverse() : sorted);
      }),
    );
  });

  it.each(Object.entries(SHOWN))('%s: as it is shown, the newest first among equals', (column, shown) => {
    fc.assert(
      fc.property(fc.array(anyFlow, { maxLength: 60 }), fc.boolean(), (flows, descending) => {
        const window = windowOf(40, flows);
        const order = chooseOrder(window, {
          selection: null,
          sort: { column: column as FlowColumnId, descending },
          group: false,
        });
        order.update(null);
        const rows = rowsOf(order);
        const newestFirst = [...rows].sort((a, b) => b.position - a.position);
        const sign = descending ? -1 : 1;
        const expected = newestFirst.sort((a, b) => {
          const [left, right] = [shown!(a), shown!(b)];
          return left < right ? -sign : left > right ? sign : 0;
        });
        expect(rows.length).toBe(Math.min(40, flows.length));
        expect(rows.map(({ position }) => position)).toEqual(expected.map(({ position }) => position));
      }),
      { numRuns: 40 },
    );
  });

  it.each(FLOW_COLUMN_IDS)('%s can be sorted by, in groups too', (column) => {
    const window = windowOf(100, fc.sample(anyFlow, { numRuns: 30, seed: 1 }));
    for (const group of [false, true]) {
      const order = chooseOrder(window, { selection: null, sort: { column, descending: true }, group });
      order.update(null);
      expect(order.total).toBeGreaterThan(0);
      expect(rowsOf(order).every((row) => row !== null)).toBe(true);
    }
  });

  it('follow at most once a second, and not at all for one who holds', () => {
    let now = 0;
    const window = windowOf(100, [{ bytesOriginal: 5 }]);
    const order = new SortedOrder(window, null, { column: 'bytes', descending: true }, () => now);
    const anchor = order.update(null);
    pushFlows(window, { bytesOriginal: 900 });
    now = 500;
    expect([order.update(null), order.total, order.arrived()]).toEqual([1, 1, 1]);
    now = 1_500;
    expect([order.update(anchor), order.total, order.arrived()]).toEqual([1, 1, 1]);
    expect([order.update(null), order.total, order.arrived()]).toEqual([2, 2, 0]);
    expect(order.row(0)!.bytes).toBe(900);
  });

  it('say which rows are no longer held', () => {
    const window = windowOf(2, [{ bytesOriginal: 9 }, { bytesOriginal: 5 }]);
    const order = chooseOrder(window, { selection: null, sort: { column: 'bytes', descending: true }, group: false });
    const anchor = order.update(null);
    pushFlows(window, {});
    order.update(anchor);
    expect([order.row(0), order.row(1)?.bytes]).toEqual([null, 5]);
  });
});

describe('rows in groups', () => {
  it('fold repeats and replies of the same parties, port and verdict', () => {
    const window = windowOf(100, [
      { bytesOriginal: 10 },
      { source: WEB_2, sourcePort: 42_000, bytesOriginal: 20, tcpFlags: 16, rttMicros: 70 },
      {
        source: DB,
        destination: WEB,
        sourcePort: 3306,
        destinationPort: 41_000,
        reply: 1,
        bytesOriginal: 0,
        bytesReply: 5,
      },
      { verdict: 2, dropReason: 133 },
      { destinationPort: 80 },
    ]);
    const order = chooseOrder(window, { selection: null, sort: null, group: true });
    order.update(null);
    const rows = rowsOf(order);
    expect(rows.map(({ count, port, verdict }) => [count, port, verdict])).toEqual([
      [1, 80, 1],
      [1, 3306, 2],
      [3, 3306, 1],
    ]);
    expect(rows[2]).toMatchObject({
      bytes: 35,
      packets: 3,
      rttMicros: 70,
      tcpFlags: 'SYN, ACK',
      varying: { source: true, destination: false, sourcePort: true, node: false },
    });
    expect(rows[0].varying).toMatchObject({ source: false, sourcePort: false });
  });

  it('stay in their places while their numbers grow', () => {
    const window = windowOf(100, [{}, { destinationPort: 80 }]);
    const order = new GroupedOrder(window, null, null);
    order.update(null);
    pushFlows(window, {}, {});
    order.update(null);
    expect(rowsOf(order).map(({ port, count }) => [port, count])).toEqual([
      [80, 1],
      [3306, 3],
    ]);
  });

  it('stand sorted whenever they are looked at, also by what changes with every flow', () => {
    let now = 0;
    const at = (timeSeconds: number, destinationPort: number) => ({ timeSeconds, destinationPort });
    const window = windowOf(100, [at(1, 80), at(2, 443)]);
    const order = new GroupedOrder(window, null, { column: 'time', descending: true }, () => now);
    order.update(null);
    for (let flow = 0; flow < 20; flow++) {
      pushFlows(window, at(3 + flow, flow % 2 === 0 ? 80 : 443));
      now += 300;
      // Followed, held where it follows, and looked at while nothing more comes.
      order.update(flow % 3 === 0 ? order.update(null) : null);
      const times = rowsOf(order).map(({ time }) => time);
      expect(times).toEqual(times.toSorted((a, b) => b - a));
    }
    now += 1_000;
    order.update(null);
    expect(rowsOf(order).map(({ port, count }) => [port, count])).toEqual([
      [443, 11],
      [80, 11],
    ]);
  });

  it('agree with counting one by one', () => {
    fc.assert(
      fc.property(fc.array(anyFlow, { maxLength: 200 }), (flows) => {
        const window = windowOf(1_000, flows);
        const plain = chooseOrder(window, { selection: WEB_CARD, sort: null, group: false });
        const grouped = chooseOrder(window, {
          selection: WEB_CARD,
          sort: { column: 'count', descending: true },
          group: true,
        });
        plain.update(null);
        grouped.update(null);
        const counts = new Map<string, number>();
        for (const row of rowsOf(plain)) counts.set(groupOf(row), (counts.get(groupOf(row)) ?? 0) + 1);
        const rows = rowsOf(grouped);
        expect(new Map(rows.map((row) => [groupOf(row), row.count]))).toEqual(counts);
        expect(rows.map(({ count }) => count)).toEqual([...counts.values()].sort((a, b) => b - a));
      }),
      { numRuns: 60 },
    );
  });

  it('are counted anew when the window has let go of many', () => {
    const window = windowOf(
      32,
      Array.from({ length: 32 }, () => ({})),
    );
    const order = new GroupedOrder(window, null, null);
    order.update(null);
    pushFlows(window, ...Array.from({ length: 32 }, () => ({ destinationPort: 80 })));
    order.update(null);
    expect(rowsOf(order).map(({ port, count }) => [port, count])).toEqual([[80, 32]]);
  });
});

function groupOf({ source, destination, port, protocol, verdict, reason, direction }: FlowRow): string {
  const party = ({ name, namespace, workload }: FlowRow['source']) => [name, namespace, workload];
  return JSON.stringify([party(source), party(destination), port, protocol, verdict, reason, direction]);
}

it('says by its edition whether a table shows the same: of a selection, while others come', () => {
  const window = windowOf(8, [{ source: WEB, destination: DB }]);
  const selected = chooseOrder(window, { selection: WEB_CARD, sort: null, group: false });
  const editionAfter = (...flows: SampleFlow[]) => {
    pushFlows(window, ...flows);
    selected.update(null);
    return selected.edition;
  };
  const first = editionAfter();
  expect(editionAfter({ source: DB, destination: WORLD })).toBe(first);
  const second = editionAfter({ source: WEB, destination: DB });
  expect(second).not.toBe(first);
  // As many again, but others: the window holds eight.
  const others = Array.from({ length: 7 }, () => ({ source: DB, destination: WORLD }));
  expect(editionAfter(...others, { source: WEB, destination: DB })).not.toBe(second);
});

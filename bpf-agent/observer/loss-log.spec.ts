import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { DatapathCounters } from '../maps/counters.ts';
import { BootHistory } from './boot-history.ts';
import { DatapathLosses } from './datapath-losses.ts';
import { FlowRate } from './flow-rate.ts';
import { LossLog } from './loss-log.ts';

describe('loss log', () => {
  it('forgets no loss, however many there are', () => {
    const log = new LossLog();
    const sources = [LossSource.KERNEL_RING, LossSource.UNPARSED_PACKET];
    for (let index = 0; index < 5_000; index++) {
      log.note({ source: sources[index % 2], count: 1, sequence: index, firstMs: index, lastMs: index });
    }
    expect(log.end).toBe(5_000);
    const told = log.from(0);
    expect(told.length).toBeLessThanOrEqual(1_024);
    expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(5_000);
    expect(told[0].firstMs).toBe(0);
    expect(log.totals).toEqual(
      new Map([
        [sources[0], 2_500],
        [sources[1], 2_500],
      ]),
    );
    expect(log.from(4_999)).toHaveLength(1);
    expect(log.after(4_998)).toBe(4_999);
    expect(log.after(4_999)).toBe(5_000);
  });

  it('takes no loss of nothing', () => {
    const log = new LossLog();
    log.note({ source: LossSource.KERNEL_RING, count: 0, sequence: 1, firstMs: 0, lastMs: 0 });
    expect(log.end).toBe(0);
  });
});

describe('losses of the datapath', () => {
  const counters = (more: Partial<DatapathCounters>): DatapathCounters => ({
    packets: 1,
    ignored: 0,
    notIp: 0,
    unparsed: [],
    dropped: [],
    ringFull: [],
    connectionsCreated: 0,
    connectionsEnded: 0,
    connectionsRefused: 0,
    ...more,
  });
  const counts = (entries: { source: LossSource; count: number }[]) =>
    entries.map(({ source, count }) => [source, count]);

  it('are told once', () => {
    const losses = new DatapathLosses();
    expect(counts(losses.update(counters({ ringFull: [0, 3, 4], unparsed: [1] }), undefined, 9))).toEqual([
      [LossSource.KERNEL_RING, 7],
      [LossSource.UNPARSED_PACKET, 1],
    ]);
    expect(losses.update(counters({ ringFull: [0, 3, 4], unparsed: [1] }), 0, 9)).toEqual([]);
    expect(counts(losses.update(counters({ ringFull: [0, 4, 4], unparsed: [1] }), 0, 9))).toEqual([
      [LossSource.KERNEL_RING, 1],
    ]);
  });

  it('are told once across a restart', () => {
    const told = new DatapathLosses();
    told.update(counters({ ringFull: [5] }), undefined, 0);
    const next = new DatapathLosses(DatapathLosses.fromJson(JSON.stringify(told.told)));
    expect(counts(next.update(counters({ ringFull: [8] }), undefined, 0))).toEqual([[LossSource.KERNEL_RING, 3]]);
  });

  it('start again with new maps', () => {
    const losses = new DatapathLosses({ ringFull: 50, unparsed: 0, connections: 0 });
    expect(losses.update(counters({ packets: 0 }), undefined, 0)).toEqual([]);
    expect(counts(losses.update(counters({ ringFull: [2] }), undefined, 0))).toEqual([[LossSource.KERNEL_RING, 2]]);
  });

  it('count connections that are neither in the table nor ended', () => {
    const losses = new DatapathLosses();
    const created = { connectionsCreated: 100, connectionsEnded: 40 };
    expect(losses.update(counters(created), 60, 0)).toEqual([]);
    // Opened while the table was walked: more there than were counted before.
    expect(losses.update(counters(created), 65, 0)).toEqual([]);
    expect(counts(losses.update(counters(created), 58, 0))).toEqual([[LossSource.CONNECTION_TABLE, 2]]);
    expect(losses.update(counters(created), undefined, 0)).toEqual([]);
    expect(counts(losses.update(counters({ ...created, connectionsRefused: 1 }), 58, 0))).toEqual([
      [LossSource.CONNECTION_TABLE, 1],
    ]);
  });

  it('read any file', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => DatapathLosses.fromJson(text).ringFull >= 0));
  });
});

describe('boot history', () => {
  const boots = [
    { bootId: 1n, lastSequence: 10, aliveAt: 1 },
    { bootId: 0xffff_ffff_ffff_ffffn, lastSequence: 20, aliveAt: 2 },
  ];

  it('survives being written', () => {
    expect(BootHistory.fromJson(new BootHistory(boots).toJson()).boots).toEqual(boots);
  });

  it('reads any file', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => Array.isArray(BootHistory.fromJson(text).boots)));
    expect(BootHistory.fromJson('[{"bootId":"1","lastSequence":-5,"aliveAt":0}]').boots).toEqual([]);
  });

  it('brings a boot it knows up to date and forgets the oldest', () => {
    let history = new BootHistory(boots).with({ bootId: 1n, lastSequence: 15, aliveAt: 3 });
    expect(history.boots.map(({ lastSequence }) => lastSequence)).toEqual([20, 15]);
    for (let id = 10n; id < 200n; id++) history = history.with({ bootId: id, lastSequence: 1, aliveAt: 4 });
    expect(history.boots).toHaveLength(64);
    expect(history.missedAfter(199n, 0)).toEqual({ count: 1, firstMs: 4 });
  });
});

describe('flow rate', () => {
  it('is the mean of the last ten whole seconds', () => {
    const rate = new FlowRate(0);
    for (let ms = 0; ms < 10_000; ms += 100) rate.add(10, ms);
    expect(rate.perSecond(10_000)).toBe(100);
    for (let ms = 10_000; ms < 20_000; ms += 100) rate.add(20, ms);
    expect(rate.perSecond(20_000)).toBe(200);
    expect(rate.perSecond(25_500)).toBe(100);
    expect(rate.perSecond(60_000)).toBe(0);
  });

  it('does not wait ten seconds for its first answer', () => {
    const rate = new FlowRate(0);
    rate.add(50, 500);
    expect(rate.perSecond(900)).toBe(50);
    expect(rate.perSecond(2_000)).toBe(25);
  });
});

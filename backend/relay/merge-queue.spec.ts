import { afterEach, describe, expect, it, vi } from 'vitest';
import { allocateColumns } from '#core/flow/columns.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { MergeQueue, type MergeSource } from './merge-queue.ts';

/** For a busy machine; vitest’s own patience is a second. */
const SOON = { timeout: 20_000 };

const open: MergeQueue[] = [];
afterEach(() => {
  for (const queue of open.splice(0)) queue.close();
});

function queue(waitMs: number, capacity = 1000) {
  const window = new FlowWindow(capacity);
  const told: [number, number][] = [];
  const merge = new MergeQueue(window, waitMs, (from, to) => told.push([from, to]));
  open.push(merge);
  return { window, merge, told };
}

/** One chunk with rows of these times, in seconds. */
function push(source: MergeSource, ...times: number[]): void {
  const columns = allocateColumns(times.length);
  for (const [row, time] of times.entries()) {
    columns.timeSeconds[row] = Math.floor(time);
    columns.timeNanos[row] = Math.round((time % 1) * 1e9);
  }
  source.push(columns, 0, times.length);
}

const seconds = ({ columns, end, start }: FlowWindow) => Array.from(columns.timeSeconds.subarray(start, end));

describe('the merge of nodes', () => {
  it('orders by time what comes within the wait', async () => {
    const { merge, window } = queue(10_000);
    const [a, b, c] = [merge.addSource(), merge.addSource(), merge.addSource()];
    push(a, 10, 40, 70);
    push(b, 20, 50);
    push(b, 80);
    push(c, 30, 60, 90);
    // Every node has been heard of up to 70: nothing older can come.
    await vi.waitFor(() => expect(seconds(window)).toEqual([10, 20, 30, 40, 50, 60, 70]), SOON);
    merge.flush();
    expect(seconds(window)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });

  it('does not wait for a silent node longer than the wait', async () => {
    const { merge, window } = queue(40);
    const talking = merge.addSource();
    merge.addSource();
    const started = performance.now();
    push(talking, 10, 20);
    await vi.waitFor(() => expect(seconds(window)).toEqual([10, 20]), { interval: 2, timeout: 20_000 });
    expect(performance.now() - started).toBeGreaterThanOrEqual(35);
  });

  it('does not wait at all for a node that went, and hands over what it left', async () => {
    const { merge, window } = queue(60_000);
    const [a, b] = [merge.addSource(), merge.addSource()];
    push(a, 10, 20);
    push(b, 15);
    b.close();
    expect(seconds(window)).toEqual([10, 15, 20]);
    push(a, 30);
    await vi.waitFor(() => expect(seconds(window)).toEqual([10, 15, 20, 30]), SOON);
  });

  it('keeps a node’s own order, even when its times do not rise', () => {
    const { merge, window } = queue(10_000);
    const [a, b] = [merge.addSource(), merge.addSource()];
    push(a, 50, 20, 60);
    push(b, 30, 55);
    merge.flush();
    expect(seconds(window)).toEqual([30, 50, 20, 55, 60]);
  });

  it('agrees with sorting, for many nodes', () => {
    const { merge, window } = queue(10_000, 20_000);
    const sources = Array.from({ length: 50 }, () => merge.addSource());
    const all: number[] = [];
    let time = 0;
    for (let index = 0; index < 10_000; index++) {
      time += 1 + (index % 3);
      all.push(time);
      push(sources[(index * 7) % 50], time);
    }
    merge.flush();
    expect(seconds(window)).toEqual(all);
  });

  it('tells listeners before rows are overwritten', () => {
    const { merge, told } = queue(10_000, 10);
    push(merge.addSource(), ...Array.from({ length: 25 }, (_, index) => index));
    merge.flush();
    expect(told).toEqual([
      [0, 10],
      [10, 20],
      [20, 25],
    ]);
  });
});

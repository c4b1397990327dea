import { describe, expect, it } from 'vitest';
import { allocateColumns } from './columns.ts';
import { NO_ENDPOINT } from './endpoint.ts';
import { FlowWindow } from './flow-window.ts';

const BOOT = { cluster: 'lab', node: 'n1', bootId: 1n };

function pushFlow(window: FlowWindow, sequence: number, source = `10.0.0.${sequence % 200}`): number {
  const row = allocateColumns(1);
  row.sequence[0] = sequence;
  row.node[0] = window.nodeNumber(BOOT);
  row.source[0] = window.endpoints.intern({ ...NO_ENDPOINT, address: source });
  row.destination[0] = window.endpoints.intern({ ...NO_ENDPOINT, address: '10.9.9.9' });
  return window.push(row, 0);
}

describe('flow window', () => {
  it('refuses a capacity that is none', () => {
    for (const capacity of [0, -1, 1.5, Number.NaN]) expect(() => new FlowWindow(capacity)).toThrow(RangeError);
  });

  it('overwrites the oldest row and never reuses a position', () => {
    const window = new FlowWindow(4);
    for (let sequence = 1; sequence <= 11; sequence++) {
      expect(pushFlow(window, sequence)).toBe(sequence - 1);
      expect(window.length).toBe(Math.min(4, sequence));
    }
    expect([window.start, window.end]).toEqual([7, 11]);
    const held = [];
    for (let position = window.start; position < window.end; position++) {
      held.push(window.columns.sequence[window.slot(position)]);
    }
    expect(held).toEqual([8, 9, 10, 11]);
  });

  it('holds the endpoints of its rows and no others', () => {
    const window = new FlowWindow(8);
    for (let sequence = 1; sequence <= 1000; sequence++)
      pushFlow(window, sequence, `10.1.${sequence >> 8}.${sequence & 255}`);
    // Eight sources, one destination, "no endpoint".
    expect(window.endpoints.size).toBe(10);
    expect(window.endpoints.bound).toBeLessThanOrEqual(12);
    for (let position = window.start; position < window.end; position++) {
      const slot = window.slot(position);
      expect(window.endpoints.get(window.columns.source[slot]).address).toBe(
        `10.1.${(position + 1) >> 8}.${(position + 1) & 255}`,
      );
    }
  });

  it('keeps an endpoint whose only row gives way to a row of the same endpoint', () => {
    const window = new FlowWindow(1);
    for (let sequence = 1; sequence <= 5; sequence++) {
      pushFlow(window, sequence, '10.0.0.1');
      expect(window.endpoints.get(window.columns.source[0]).address).toBe('10.0.0.1');
    }
  });

  it('numbers node boots once', () => {
    const window = new FlowWindow(1);
    expect(window.nodeNumber(BOOT)).toBe(0);
    expect(window.nodeNumber({ ...BOOT, bootId: 2n })).toBe(1);
    expect(window.nodeNumber({ ...BOOT })).toBe(0);
    expect(window.nodes).toHaveLength(2);
  });
});

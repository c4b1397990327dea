import { describe, expect, it } from 'vitest';
import { BatchDecoder, BatchEncoder } from './batch.ts';
import { allocateColumns } from './columns.ts';
import { FlowWindow } from './flow-window.ts';
import { type Layer7, layer7LatencyNs, layer7Number, writeLayer7 } from './layer7.ts';
import { RING_ENTRIES, SentRing } from './sent-ring.ts';

const record = (query: string): Layer7 => ({
  type: 2,
  record: {
    kind: 'dns',
    query,
    ips: ['10.0.0.1'],
    ttl: 30,
    cnames: [],
    observationSource: 'proxy',
    rcode: 0,
    qtypes: ['A'],
    rrtypes: ['A'],
  },
  traceId: '',
  shortened: false,
});

function windowOf(queries: readonly string[], capacity = queries.length): FlowWindow {
  const window = new FlowWindow(capacity);
  const columns = allocateColumns(1);
  columns.node[0] = window.nodeNumber({ cluster: 'c', node: 'n', bootId: 1n });
  for (const [index, query] of queries.entries()) {
    columns.sequence[0] = index + 1;
    writeLayer7(columns, 0, window.layer7.intern(record(query)), (index + 1) * 1_000_000_007);
    window.push(columns, 0);
  }
  return window;
}

const positions = (window: FlowWindow) => Array.from({ length: window.length }, (_, index) => window.start + index);

describe('requests in batches', () => {
  it('arrive as they were sent, each record once', () => {
    const window = windowOf(['a.', 'b.', 'a.']);
    const batch = new BatchEncoder(window).encode(positions(window));
    expect(batch.layer7).toHaveLength(2);
    const into = new FlowWindow(8);
    const { columns } = new BatchDecoder(into).decode(batch);
    const told = [0, 1, 2].map((row) => into.layer7.get(layer7Number(columns, row)));
    expect(told).toEqual([record('a.'), record('b.'), record('a.')]);
    expect(layer7LatencyNs(columns, 2)).toBe(3_000_000_021);
  });

  it('leave a window with their rows', () => {
    const window = windowOf(['a.', 'b.', 'c.', 'd.'], 2);
    expect(window.layer7.size - 1).toBe(2);
  });

  it('are refused if they name a record that was not sent', () => {
    const window = windowOf(['a.']);
    const batch = new BatchEncoder(window).encode(positions(window));
    batch.layer7.length = 0;
    expect(() => new BatchDecoder(new FlowWindow(1)).decode(batch)).toThrow('was not sent');
  });
});

describe('a ring of what was sent', () => {
  it('gives every index to what was sent last under it, and never one that its own batch needs', () => {
    const { layer7 } = new FlowWindow(1);
    const ring = new SentRing(layer7);
    const far = new Map<number, string>();
    let next = 0;
    const queryOf = ({ record: dns }: Layer7) => (dns?.kind === 'dns' ? dns.query : '');
    const send = (entry: Layer7) => {
      far.set(next, queryOf(entry));
      next = (next + 1) % RING_ENTRIES;
    };
    const kept = layer7.intern(record('kept.'));
    layer7.retain(kept);
    const rows = 1_000;
    for (let batch = 0; batch < (RING_ENTRIES * 1.5) / rows; batch++) {
      const used: [index: number, query: string][] = [];
      for (let row = 0; row < rows; row++) {
        const query = row === 0 ? 'kept.' : `${batch}-${row}.`;
        const number = row === 0 ? kept : layer7.intern(record(query));
        if (row > 0) layer7.retain(number);
        used.push([ring.index(number, rows - row, send), query]);
        if (row > 0) layer7.release(number);
      }
      for (const [index, query] of used) if (far.get(index) !== query) expect(far.get(index)).toBe(query);
    }
    expect(far.size).toBe(RING_ENTRIES);
  });
});

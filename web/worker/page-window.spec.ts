import { describe, expect, it } from 'vitest';
import { allocateColumns } from '#core/flow/columns.ts';
import { FLOW_FIELD_NAMES } from '#core/flow/fields.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { PageWindow } from './page-window.ts';

const BOOT = { cluster: 'kind', node: 'worker', bootId: 0xabn };

/** A row in which each field holds a number made of these two, within what the field can hold. */
function fill(columns: ReturnType<typeof allocateColumns>, seed: number, scale: number): void {
  for (const [index, name] of FLOW_FIELD_NAMES.entries()) columns[name][0] = (seed * 31 + index) % scale;
}

describe("a page's window", () => {
  it.each([200, 60_000, 2 ** 31])('holds the rows a plain window holds, of values below %i', (scale) => {
    const page = new PageWindow(10_000);
    const plain = new FlowWindow(10_000);
    const row = allocateColumns(1);
    for (let seed = 0; seed < 25_000; seed++) {
      for (const window of [page, plain]) {
        fill(row, seed, scale);
        row.sequence[0] = seed + 1;
        row.node[0] = window.nodeNumber(BOOT);
        // Endpoints and decisions are counted by their stores: any number will do, and none is ever looked up.
        window.push(row, 0);
      }
    }
    expect([page.start, page.end]).toEqual([plain.start, plain.end]);
    for (const name of FLOW_FIELD_NAMES) {
      const differs = plain.columns[name].findIndex((value, slot) => page.columns[name][slot] !== value);
      expect([name, differs]).toEqual([name, -1]);
    }
  });

  it('begins small, grows with what it holds, and widens what does not fit', () => {
    const page = new PageWindow(100_000);
    const row = allocateColumns(1);
    row.node[0] = page.nodeNumber(BOOT);
    const before = page.bytes;
    for (let count = 0; count < 100_000; count++) page.push(row, 0);
    const full = page.bytes;
    expect(before).toBeLessThan(full / 10);
    row.packetsReply[0] = 70_000;
    page.push(row, 0);
    expect(page.columns.packetsReply[0]).toBe(70_000);
    expect(page.bytes).toBe(full + 2 * 100_000);
  });

  it('tells sequences beyond 32 bits in full, and finds flows by them', () => {
    const page = new PageWindow(16);
    const row = allocateColumns(1);
    const sequences = [1, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 45 + 7];
    for (const sequence of sequences) {
      row.node[0] = page.nodeNumber(BOOT);
      row.sequence[0] = sequence;
      page.push(row, 0);
    }
    expect(sequences.map((_, slot) => page.sequence(slot))).toEqual(sequences);
    expect(page.id(4)).toBe(`kind/worker/ab/${2 ** 45 + 7}`);
    expect(sequences.map((sequence) => page.find(BOOT, sequence))).toEqual([0, 1, 2, 3, 4]);
    expect(page.find(BOOT, 2)).toBeUndefined();
    expect(page.find({ ...BOOT, bootId: 1n }, 1)).toBeUndefined();
  });
});

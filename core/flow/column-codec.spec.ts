import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeColumns, encodeColumns, FlowDecodeError, MAX_BATCH_ROWS } from './column-codec.ts';
import { allocateColumns, BYTES_PER_ROW, type FlowColumns } from './columns.ts';
import { FLOW_FIELD_NAMES, FLOW_FIELDS, type FlowFieldName } from './fields.ts';

const GREATEST = { u8: 0xff, u16: 0xffff, u32: 0xffff_ffff, f64: Number.MAX_SAFE_INTEGER / 2 };

/** Values of one column as they may run: constant, close together, far apart, rising, falling. */
function columnValues(name: FlowFieldName, rows: number): fc.Arbitrary<number[]> {
  const greatest = Math.floor(GREATEST[FLOW_FIELDS[name].storage]);
  const any = fc.integer({ min: 0, max: greatest });
  const spread = (range: number) =>
    fc
      .tuple(any, fc.array(fc.nat(Math.min(range, greatest)), { minLength: rows, maxLength: rows }))
      .map(([base, offsets]) => offsets.map((offset) => Math.min(greatest, base + offset)));
  const steps = fc.array(fc.nat(1000), { minLength: rows, maxLength: rows });
  const rising = fc.tuple(any, steps).map(([base, list]) => {
    let value = base;
    return list.map((step) => {
      value = Math.min(greatest, value + step);
      return value;
    });
  });
  return fc.oneof(
    any.map((value) => new Array<number>(rows).fill(value)),
    fc.array(any, { minLength: rows, maxLength: rows }),
    ...[0xff, 0xffff, 0xff_ffff, 0xffff_ffff].map(spread),
    rising,
    rising.map((list) => list.toReversed()),
  );
}

const tables = fc
  .integer({ min: 0, max: 40 })
  .chain((rows) => fc.tuple(...FLOW_FIELD_NAMES.map((name) => columnValues(name, rows))))
  .map((columns) => {
    const table = allocateColumns(columns[0].length);
    FLOW_FIELD_NAMES.forEach((name, field) => {
      table[name].set(columns[field]);
    });
    return { rows: columns[0].length, table };
  });

function sameRows(actual: FlowColumns, expected: FlowColumns, from: number, to: number): void {
  for (const name of FLOW_FIELD_NAMES) {
    expect([...actual[name]], name).toEqual([...expected[name].subarray(from, to)]);
  }
}

describe('column codec', () => {
  it('gives back what it was given, for any run of values', () => {
    fc.assert(
      fc.property(tables, ({ rows, table }) => {
        const decoded = decodeColumns(encodeColumns(table, 0, rows));
        expect(decoded.rows).toBe(rows);
        sameRows(decoded.columns, table, 0, rows);
      }),
      { numRuns: 200 },
    );
  });

  it('encodes a part of the columns', () => {
    fc.assert(
      fc.property(tables, fc.nat(40), fc.nat(40), ({ rows, table }, a, b) => {
        const [from, to] = [Math.min(a, b, rows), Math.min(Math.max(a, b), rows)];
        sameRows(decodeColumns(encodeColumns(table, from, to)).columns, table, from, to);
      }),
      { numRuns: 50 },
    );
  });

  it('takes the shortest form of a column', () => {
    const table = allocateColumns(1000);
    const bytesOf = () => encodeColumns(table, 0, 1000).length;
    const empty = bytesOf();
    expect(empty).toBeLessThan(64);
    for (let row = 0; row < 1000; row++) table.protocol[row] = row % 2 === 0 ? 6 : 17;
    expect(bytesOf() - empty).toBeLessThanOrEqual(1002);
    for (let row = 0; row < 1000; row++) table.sequence[row] = 2 ** 40 + row;
    expect(bytesOf() - empty).toBeLessThanOrEqual(1002 + 1000 + 10);
  });

  it('refuses more rows than a batch may hold', () => {
    const table = allocateColumns(MAX_BATCH_ROWS + 1);
    expect(() => encodeColumns(table, 0, MAX_BATCH_ROWS + 1)).toThrow(RangeError);
    expect(() => encodeColumns(table, 2, 1)).toThrow(RangeError);
  });
});

describe('column codec, hostile input', () => {
  const decodesOrRefuses = (bytes: Uint8Array) => {
    try {
      const { rows, columns } = decodeColumns(bytes);
      expect(rows).toBeLessThanOrEqual(MAX_BATCH_ROWS);
      for (const name of FLOW_FIELD_NAMES) expect(columns[name].length).toBe(rows);
      for (const value of columns.sequence) expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
    } catch (error) {
      expect(error).toBeInstanceOf(FlowDecodeError);
    }
  };

  it('decodes or refuses any bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decodesOrRefuses), { numRuns: 500 });
  });

  it('decodes or refuses a batch with bytes changed, cut off or added', () => {
    const change = fc.record({
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      byte: fc.integer({ min: 0, max: 255 }),
      cut: fc.double({ min: 0, max: 1, noNaN: true }),
      tail: fc.uint8Array({ maxLength: 4 }),
    });
    fc.assert(
      fc.property(tables, change, ({ rows, table }, { at, byte, cut, tail }) => {
        const bytes = encodeColumns(table, 0, rows);
        const changed = bytes.slice();
        changed[Math.min(bytes.length - 1, Math.floor(at * bytes.length))] = byte;
        decodesOrRefuses(changed);
        decodesOrRefuses(bytes.subarray(0, Math.floor(cut * bytes.length)));
        decodesOrRefuses(Uint8Array.from([...bytes, ...tail]));
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a truncated batch, and says so', () => {
    const bytes = encodeColumns(allocateColumns(3), 0, 3);
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeColumns(bytes.subarray(0, length))).toThrow('batch ends inside a column');
    }
  });

  const varint = (value: number): number[] =>
    value < 128 ? [value] : [(value % 128) | 128, ...varint(Math.floor(value / 128))];

  it.each<[string, number[], RegExp]>([
    ['another version', [9, 1, 0], /version 9/],
    ['fields it does not know', [1, 99, 0], /99 fields/],
    ['too many rows, before it allocates for them', [1, 1, ...varint(2 ** 40)], /the limit is 65536/],
    ['an unknown mode', [1, 1, 1, 77], /mode 77/],
    ['a number beyond 2^53', [1, 1, 1, 0, ...new Array(7).fill(0xff), 0x7f], /beyond 2\^53/],
    ['differences that leave the range', [1, 1, 1, 6, 1], /beyond/],
    ['bytes after the last column', [1, 1, 1, 0, 5, 0], /after its last column/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeColumns(Uint8Array.from(bytes))).toThrow(message);
  });

  it('reads fields an older build did not send as 0', () => {
    const { rows, columns } = decodeColumns(Uint8Array.from([1, 1, 2, 0, 5]));
    expect(rows).toBe(2);
    expect([...columns.sequence]).toEqual([5, 5]);
    expect([...columns.retransmits]).toEqual([0, 0]);
  });
});

it('holds a million rows in at most 64 MB', () => {
  expect(BYTES_PER_ROW * 1e6).toBeLessThanOrEqual(64e6);
  const columns = allocateColumns(1000);
  expect(Object.values(columns).reduce((sum, column) => sum + column.byteLength, 0)).toBe(BYTES_PER_ROW * 1000);
});

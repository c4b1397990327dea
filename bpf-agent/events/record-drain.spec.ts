import { describe, expect, it } from 'vitest';
import { rowTimeNs } from '#core/flow/columns.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import { socketCookie } from '#core/flow/translation.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { parseAddress } from '#core/ip/address.ts';
import { toDatapathAddress } from '../maps/address-bytes.ts';
import type { AddressOwner } from '../sync/desired-state.ts';
import { samplePod } from '../testing/sample-pod.ts';
import { AddressBook } from './address-book.ts';
import { EndpointTable } from './endpoint-table.ts';
import { KernelClock } from './kernel-clock.ts';
import { RecordDrain } from './record-drain.ts';
import { RecordToRow } from './record-to-row.ts';
import type { RunSink } from './ring-consumer.ts';
import { RECORD, RECORD_BYTES } from './ring-record.ts';

/** Records the ring hands over at once. */
const RUN = 7;

const WEB = 0x4000_0001;
const DB = 0x4000_0002;
const UNMANAGED = 3;

interface RecordFields {
  source?: string;
  destination?: string;
  sourceIdentity?: number;
  destinationIdentity?: number;
  time?: bigint;
  [field: string]: unknown;
}

/** A ring that holds records given to it, and hands them over in runs of a few. */
class MemoryRing {
  readonly #records: Uint8Array[] = [];

  put(fields: RecordFields = {}): void {
    const bytes = new Uint8Array(RECORD_BYTES);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(RECORD.time, fields.time ?? process.hrtime.bigint(), true);
    bytes.set(toDatapathAddress(parseAddress(fields.source ?? '10.0.0.1')), RECORD.sourceAddress);
    bytes.set(toDatapathAddress(parseAddress(fields.destination ?? '10.0.0.2')), RECORD.destinationAddress);
    view.setUint32(RECORD.sourceIdentity, fields.sourceIdentity ?? WEB, true);
    view.setUint32(RECORD.destinationIdentity, fields.destinationIdentity ?? DB, true);
    for (const name of ['sourcePort', 'destinationPort'] as const)
      view.setUint16(RECORD[name], Number(fields[name] ?? 0), true);
    for (const name of [
      'protocol',
      'tcpFlags',
      'observation',
      'trigger',
      'direction',
      'reply',
      'verdict',
      'dropReason',
    ] as const) {
      bytes[RECORD[name]] = Number(fields[name] ?? 0);
    }
    for (const name of [
      'packetsOriginal',
      'packetsReply',
      'bytesOriginal',
      'bytesReply',
      'rttMicros',
      'retransmits',
    ] as const) {
      view.setUint32(RECORD[name], Number(fields[name] ?? 0), true);
    }
    this.#records.push(bytes);
  }

  drainRuns(sink: RunSink, limit: number): number {
    // Not at 0, so that an offset forgotten somewhere shows; and further apart than they are long.
    const base = 3 * RECORD_BYTES;
    const step = RECORD_BYTES + 8;
    const buffer = new ArrayBuffer(base + RUN * step);
    const view = { u8: new Uint8Array(buffer), u16: new Uint16Array(buffer), u32: new Uint32Array(buffer) };
    let taken = 0;
    while (taken < limit && this.#records.length > 0) {
      const run = this.#records.slice(0, Math.min(RUN, limit - taken));
      for (const [index, record] of run.entries()) view.u8.set(record, base + index * step);
      const done = sink(view, base, step, run.length);
      this.#records.splice(0, done);
      taken += done;
      if (done < run.length) break;
    }
    return taken;
  }

  get length(): number {
    return this.#records.length;
  }
}

function pod(name: string, identity: number): AddressOwner {
  return { kind: 'pod', pod: samplePod(name, { identity }) };
}

function setUp(capacity = 4096) {
  const ring = new MemoryRing();
  const window = new FlowWindow(capacity);
  const book = new AddressBook('lab');
  book.update(
    new Map([
      ['10.0.0.1', pod('web', WEB)],
      ['10.0.0.2', pod('db', DB)],
      ['fd00::1', pod('web', WEB)],
    ]),
  );
  const table = new EndpointTable(window.endpoints, book);
  const clock = new KernelClock();
  const node = window.nodeNumber({ cluster: 'lab', node: 'n1', bootId: 1n });
  const progress: number[] = [];
  const rows = new RecordToRow(window, node, table, clock);
  const drain = new RecordDrain({ ring, rows, table, book, clock, onProgress: (count) => progress.push(count) });
  const names = () =>
    Array.from({ length: window.length }, (_, index) => {
      const slot = window.slot(window.start + index);
      const { source, destination } = window.columns;
      return `${window.endpoints.get(source[slot]).pod || window.endpoints.get(source[slot]).address}→${
        window.endpoints.get(destination[slot]).pod || window.endpoints.get(destination[slot]).address
      }`;
    });
  return { ring, window, book, clock, drain, progress, names, rows, table };
}

describe('records become rows', () => {
  it('with every field in its column', () => {
    const { ring, window, clock, drain } = setUp();
    clock.setOffset(1_700_000_000_000_000_000n);
    const fields = {
      sourcePort: 40_001,
      destinationPort: 3306,
      protocol: 6,
      tcpFlags: 0x12,
      observation: 101,
      trigger: 2,
      direction: 1,
      reply: 1,
      verdict: 1,
      dropReason: 0,
      packetsOriginal: 0xffff_fff0,
      packetsReply: 3,
      bytesOriginal: 0xffff_ffff,
      bytesReply: 5,
      rttMicros: 77,
    };
    ring.put({ ...fields, time: 123_456_789_012n, retransmits: 70_000 });
    drain.look();
    for (const [name, value] of Object.entries(fields)) {
      expect(window.columns[name as keyof typeof window.columns][0], name).toBe(value);
    }
    expect(window.columns.retransmits[0]).toBe(0xff);
    expect(window.columns.sequence[0]).toBe(1);
    expect(rowTimeNs(window.columns, 0)).toBe(1_700_000_123_456_789_012n);
    expect(window.endpoints.get(window.columns.source[0])).toMatchObject({ pod: 'web', address: '10.0.0.1' });
    expect(window.endpoints.get(window.columns.destination[0])).toMatchObject({ pod: 'db', identity: DB });
  });

  it('with what a socket exchanged: the program’s cgroup at its own end, the socket’s cookie, and nothing counted', () => {
    const { ring, window, drain } = setUp(8);
    const told = { trigger: TRIGGER.TRANSLATION, verdict: VERDICT.TRANSLATED, reply: 2, protocol: 17 };
    const places = { packetsOriginal: 0x89ab_cdef, packetsReply: 0x12, bytesOriginal: 4711, bytesReply: 1 };
    ring.put({ ...told, ...places, observation: OBSERVATION.POST_XLATE_FWD, destinationPort: 53 });
    ring.put({ ...told, ...places, observation: OBSERVATION.POST_XLATE_REV, sourcePort: 53 });
    // Overwrites both, with others in between: numbers are held as long as rows have them.
    for (let index = 0; index < 12; index++) ring.put({ ...told, ...places, observation: OBSERVATION.PRE_XLATE_FWD });
    drain.look();
    const { columns } = window;
    for (let position = window.start; position < window.end; position++) {
      const slot = window.slot(position);
      expect(window.endpoints.get(columns.source[slot])).toMatchObject({ pod: 'web', cgroupId: 2 ** 32 + 4711 });
      expect(socketCookie(columns, slot)).toBe(0x12_89ab_cdef);
      const counted = ['packetsOriginal', 'packetsReply', 'bytesOriginal', 'bytesReply'] as const;
      expect(counted.map((name) => columns[name][slot])).toEqual([0, 0, 0, 0]);
    }
    ring.put({ ...told, ...places, observation: OBSERVATION.POST_XLATE_REV, sourcePort: 53 });
    drain.look();
    const last = window.slot(window.end - 1);
    expect(window.endpoints.get(columns.source[last])).not.toHaveProperty('cgroupId');
    expect(window.endpoints.get(columns.destination[last])).toMatchObject({ pod: 'db', cgroupId: 2 ** 32 + 4711 });
  });

  it('for IPv6 and for peers of the world', () => {
    const { ring, drain, names } = setUp();
    ring.put({ source: 'fd00::1', destination: '2001:db8::9', destinationIdentity: 2 });
    ring.put({ source: '198.51.100.7', sourceIdentity: 2 });
    drain.look();
    expect(names()).toEqual(['web→2001:db8::9', '198.51.100.7→db']);
  });

  it('without an object per peer, and with every peer right, when there are more than the table holds', () => {
    const { ring, window, drain } = setUp(2048);
    const address = (index: number) => `198.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
    for (let index = 0; index < 60_000; index++) {
      ring.put({ source: address(index), sourceIdentity: 2 });
      if (index % 500 === 499) while (ring.length > 0) drain.look();
    }
    expect(window.end).toBe(60_000);
    for (let position = window.start; position < window.end; position++) {
      const slot = window.slot(position);
      expect(window.endpoints.get(window.columns.source[slot]).address).toBe(address(position));
      expect(window.endpoints.get(window.columns.destination[slot]).pod).toBe('db');
    }
    expect(window.endpoints.size).toBeLessThan(32_768);
  });

  it('with new names as soon as the book has them', () => {
    const { ring, book, drain, names } = setUp();
    ring.put();
    drain.look();
    book.update(new Map([['10.0.0.1', pod('web-2', WEB)]]));
    ring.put();
    drain.look();
    expect(names()).toEqual(['web→db', 'web-2→db']);
  });
});

describe('the drain', () => {
  it('tells its progress after each bounded run', () => {
    const { ring, drain, progress } = setUp();
    for (let index = 0; index < 2000; index++) ring.put();
    for (let result = drain.look(); result.more; ) result = drain.look();
    expect(progress.reduce((sum, count) => sum + count)).toBe(2000);
    expect(Math.max(...progress)).toBeLessThanOrEqual(900);
  });

  it('waits for news of a pod nobody knows, in order', () => {
    const { ring, window, book, drain, names } = setUp();
    ring.put();
    ring.put({ source: '10.0.0.3', sourceIdentity: UNMANAGED });
    ring.put();
    drain.look();
    expect(window.end).toBe(1);
    drain.look();
    expect(window.end).toBe(1);
    book.update(new Map([['10.0.0.3', pod('late', WEB)]]));
    drain.look();
    expect(names().slice(1)).toEqual(['late→db', 'web→db']);
  });

  it('does not wait for news of a record that is old, nor twice for one address', () => {
    const { ring, window, drain } = setUp();
    const old = process.hrtime.bigint() - 1_000_000_000n;
    ring.put({ destination: '10.0.0.4', destinationIdentity: UNMANAGED, time: old });
    ring.put({ destination: '10.0.0.4', destinationIdentity: UNMANAGED });
    drain.look();
    expect(window.end).toBe(2);
  });

  it('leaves what waits in the ring when it stops', () => {
    const { ring, window, drain, progress } = setUp();
    ring.put();
    ring.put({ source: '10.0.0.3', sourceIdentity: UNMANAGED });
    ring.put();
    drain.look();
    drain.stop();
    expect(window.end).toBe(1);
    expect(ring.length).toBe(2);
    expect(progress).toEqual([1]);
  });
});

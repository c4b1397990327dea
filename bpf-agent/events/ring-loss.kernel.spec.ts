import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { TRIGGER } from '#core/flow/trigger.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { ipBytes, ipv4, PROTOCOL, udp } from '../bpf/packet-builder.ts';
import { PacketStory, totals } from '../bpf/packet-story.ts';
import { total } from '../maps/counters.ts';
import { RECORD, RECORD_BYTES } from './ring-record.ts';

/** A record and its header in the ring. */
const STEP = RECORD_BYTES + 8;
const RING = 4096;
const FITS = Math.floor(RING / STEP);

let story: PacketStory;

beforeAll(() => {
  buildBpf();
});

afterEach(() => {
  story.close();
});

function query(port: number): Uint8Array {
  return ipv4({
    source: '10.1.0.5',
    destination: '10.2.0.9',
    protocol: PROTOCOL.udp,
    payload: udp(port, 53, new Uint8Array(port % 7)),
  });
}

describe('a full ring', () => {
  it('loses no byte: records that did not fit are counted, their contents come with the next', async () => {
    story = new PacketStory({ ringBytes: RING, timeouts: { udp: 40 } });
    const packets = Array.from({ length: 3 * FITS }, (_, index) => query(1000 + index));
    for (const packet of packets) expect(story.sent(packet).returned).toBe(-1);
    const told = story.records();
    expect(told).toHaveLength(FITS);
    const counters = story.datapath.maps.counters.read();
    expect(counters.ringFull[TRIGGER.FIRST_PACKET]).toBe(packets.length - FITS);
    expect(total(counters.ringFull)).toBe(packets.length - FITS);

    // The sweep meets a full ring too, and defers what does not fit.
    let ended = 0;
    let deferred = 0;
    await vi.waitFor(
      () => {
        const result = story.datapath.sweep();
        ended += result.ended;
        deferred += result.deferred;
        told.push(...story.records());
        expect(ended).toBe(packets.length);
      },
      { timeout: 10_000, interval: 10 },
    );
    expect(deferred).toBeGreaterThan(0);
    expect(totals(told)).toEqual({
      packets: [packets.length, 0],
      bytes: [packets.reduce((sum, packet) => sum + ipBytes(packet), 0), 0],
    });
    expect(story.datapath.maps.connections.size).toBe(0);
  });
});

describe('the ring’s reader', () => {
  it('reads on across the end of the ring, in order, many times round', () => {
    story = new PacketStory({ ringBytes: RING });
    let expected = 1;
    let read = 0;
    for (let round = 0; round < 50; round++) {
      for (let index = 0; index < FITS - 1; index++) story.sent(query(1 + round * (FITS - 1) + index));
      story.datapath.ring.drain((view, at) => {
        expect(view.u16[(at + RECORD.sourcePort) >>> 1]).toBe(expected++);
        read++;
      });
    }
    expect(read).toBe(50 * (FITS - 1));
    expect(total(story.datapath.maps.counters.read().ringFull)).toBe(0);
    expect(story.datapath.ring.pending).toBe(0);
  });

  it('stops at its limit and goes on from there', () => {
    story = new PacketStory({ ringBytes: RING });
    for (let port = 1; port <= 10; port++) story.sent(query(port));
    const ports: number[] = [];
    const sink = (view: { u16: Uint16Array }, at: number) => ports.push(view.u16[(at + RECORD.sourcePort) >>> 1]!);
    expect(story.datapath.ring.drain(sink, 4)).toBe(4);
    expect(story.datapath.ring.pending).toBe(6 * STEP);
    expect(story.datapath.ring.drain(sink)).toBe(6);
    expect(ports).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('counts a record as read when the sink throws, and can go on', () => {
    story = new PacketStory({ ringBytes: RING });
    for (let port = 1; port <= 3; port++) story.sent(query(port));
    expect(() =>
      story.datapath.ring.drain(() => {
        throw new Error('no more');
      }),
    ).toThrow('no more');
    expect(story.records()).toHaveLength(2);
  });
});

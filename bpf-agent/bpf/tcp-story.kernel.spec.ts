import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

import { DIRECTION } from '#core/flow/direction.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import { TCP_FLAG } from '#core/flow/tcp-flags.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { ipBytes, ipv4, ipv6, PROTOCOL, tcp } from './packet-builder.ts';
import { LOOPBACK, PacketStory, type StoryRecord, totals } from './packet-story.ts';

const { FIN, SYN, RST, PSH, ACK } = TCP_FLAG;
const POD = { v4: '10.1.0.5', v6: 'fd00::5' };
const PEER = { v4: '10.2.0.9', v6: 'fd00::9' };
type Family = keyof typeof POD;

interface Segment {
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly flags: number;
  readonly sequence?: number;
  readonly acknowledged?: number;
  readonly payload?: Uint8Array;
}

function frame(family: Family, source: string, destination: string, segment: Segment): Uint8Array {
  const payload = tcp({ sourcePort: 40000, destinationPort: 80, ...segment });
  return (family === 'v4' ? ipv4 : ipv6)({ source, destination, protocol: PROTOCOL.tcp, payload });
}

/** From the pod (port 40000) to its peer (port 80). */
function out(segment: Segment, family: Family = 'v4') {
  return frame(family, POD[family], PEER[family], segment);
}

/** From the peer (port 80) to the pod (port 40000). */
function back(segment: Segment, family: Family = 'v4') {
  return frame(family, PEER[family], POD[family], { sourcePort: 80, destinationPort: 40000, ...segment });
}

let story: PacketStory;

beforeAll(() => {
  buildBpf();
});

afterEach(() => {
  story.close();
});

describe.each(['v4', 'v6'] as const)('a TCP connection opened by the pod (%s)', (family) => {
  it('tells first packets, the first FIN and the close, with every byte once', () => {
    story = new PacketStory();
    story.datapath.maps.endpoints.set(LOOPBACK, { id: 17, identity: 0x40000001 });
    const hello = new Uint8Array(100);
    const answer = new Uint8Array(1000);
    const original = [
      out({ flags: SYN, sequence: 1000 }, family),
      out({ flags: ACK, sequence: 1001, acknowledged: 5001 }, family),
      out({ flags: ACK | PSH, sequence: 1001, acknowledged: 5001, payload: hello }, family),
      out({ flags: FIN | ACK, sequence: 1101, acknowledged: 6001 }, family),
      out({ flags: ACK, sequence: 1102, acknowledged: 6002 }, family),
    ] as const;
    const reply = [
      back({ flags: SYN | ACK, sequence: 5000, acknowledged: 1001 }, family),
      back({ flags: ACK | PSH, sequence: 5001, acknowledged: 1101, payload: answer }, family),
      back({ flags: FIN | ACK, sequence: 6001, acknowledged: 1102 }, family),
    ] as const;

    story.sent(original[0]);
    story.received(reply[0]);
    story.sent(original[1]);
    story.sent(original[2]);
    story.received(reply[1]);
    story.sent(original[3]);
    story.received(reply[2]);
    story.sent(original[4]);

    const records = story.records();
    expect(records.map(({ trigger, reply, tcpFlags }) => [trigger, reply, tcpFlags])).toEqual([
      [TRIGGER.FIRST_PACKET, 0, SYN],
      [TRIGGER.FIRST_PACKET, 1, SYN | ACK],
      [TRIGGER.FLAG_CHANGE, 0, FIN | PSH | ACK],
      [TRIGGER.CLOSE, 0, ACK],
    ]);
    expect(totals(records)).toEqual({
      packets: [original.length, reply.length],
      bytes: [original.reduce((sum, one) => sum + ipBytes(one), 0), reply.reduce((sum, one) => sum + ipBytes(one), 0)],
    });

    const [syn, synAck, , close] = records;
    expect(syn).toMatchObject({
      source: `${POD[family]} 40000`,
      destination: `${PEER[family]} 80`,
      sourceIdentity: 0x40000001,
      destinationIdentity: 2,
      endpointId: 17,
      interfaceIndex: LOOPBACK,
      observation: OBSERVATION.TO_STACK,
      direction: DIRECTION.EGRESS,
      verdict: 1,
      dropReason: 0,
      protocol: PROTOCOL.tcp,
      ipv6: family === 'v6' ? 1 : 0,
      rttMicros: 0,
    });
    expect(synAck).toMatchObject({
      source: `${PEER[family]} 80`,
      destination: `${POD[family]} 40000`,
      sourceIdentity: 2,
      destinationIdentity: 0x40000001,
      observation: OBSERVATION.TO_ENDPOINT,
      direction: DIRECTION.EGRESS,
    });
    expect(close?.rttMicros).toBeGreaterThan(0);
    expect(close?.time).toBeGreaterThan(syn?.time ?? Number.POSITIVE_INFINITY);
    expect(story.datapath.sweep()).toMatchObject({ visited: 1, told: 0, ended: 0 });
  });
});

describe('a TCP connection opened by the peer', () => {
  it('is ingress at this endpoint, for its replies too', () => {
    story = new PacketStory();
    story.datapath.maps.endpoints.set(LOOPBACK, { id: 3, identity: 300 });
    story.received(back({ sourcePort: 50000, destinationPort: 8080, flags: SYN }));
    story.sent(out({ sourcePort: 8080, destinationPort: 50000, flags: SYN | ACK }));
    const records = story.records();
    expect(records).toMatchObject([
      { source: '10.2.0.9 50000', destination: '10.1.0.5 8080', reply: 0, direction: DIRECTION.INGRESS },
      { source: '10.1.0.5 8080', destination: '10.2.0.9 50000', reply: 1, direction: DIRECTION.INGRESS },
    ]);
    expect(records.map((record) => record.destinationIdentity)).toEqual([300, 2]);
  });
});

describe('a TCP connection that ends otherwise', () => {
  it('closes with a reset, and tells the reset', () => {
    story = new PacketStory();
    story.sent(out({ flags: SYN }));
    story.received(back({ flags: RST | ACK }));
    const records = story.records();
    expect(records.map(({ trigger, reply, tcpFlags }) => [trigger, reply, tcpFlags])).toEqual([
      [TRIGGER.FIRST_PACKET, 0, SYN],
      [TRIGGER.CLOSE, 1, RST | ACK],
    ]);
  });

  it('does not take an acknowledgement of earlier data for that of the second FIN', () => {
    story = new PacketStory();
    story.sent(out({ flags: SYN, sequence: 1000 }));
    story.received(back({ flags: SYN | ACK, sequence: 5000 }));
    story.sent(out({ flags: FIN | ACK, sequence: 1001, acknowledged: 5001 }));
    story.received(back({ flags: FIN | ACK, sequence: 5001, payload: new Uint8Array(50) }));
    story.records();
    story.sent(out({ flags: ACK, sequence: 1002, acknowledged: 5001 }));
    expect(story.records()).toEqual([]);
    story.sent(out({ flags: ACK, sequence: 1002, acknowledged: 5052 }));
    expect(story.records()).toMatchObject([{ trigger: TRIGGER.CLOSE, reply: 0 }]);
  });

  it('is closed by the sweep when the last acknowledgement is never seen', async () => {
    story = new PacketStory({ timeouts: { closing: 20 } });
    story.sent(out({ flags: SYN }));
    story.received(back({ flags: SYN | ACK }));
    story.sent(out({ flags: FIN | ACK }));
    story.received(back({ flags: FIN | ACK, sequence: 9 }));
    const before = story.records();
    await vi.waitFor(() => expect(story.datapath.sweep().ended).toBe(1), { timeout: 20_000 });
    const last = story.records();
    expect(last).toMatchObject([{ trigger: TRIGGER.CLOSE, source: '10.1.0.5 40000' }]);
    expect(totals([...before, ...last]).packets).toEqual([2, 2]);
    expect(story.datapath.maps.connections.size).toBe(0);
  });

  it('tells what comes after the close once, when the sweep lets it go', async () => {
    story = new PacketStory({ timeouts: { closing: 20 } });
    const late = out({ flags: ACK });
    story.sent(out({ flags: SYN }));
    story.received(back({ flags: RST | ACK }));
    story.sent(late);
    story.sent(late);
    expect(story.records()).toHaveLength(2);
    await vi.waitFor(() => expect(story.datapath.sweep().ended).toBe(1), { timeout: 20_000 });
    expect(story.records()).toMatchObject([
      { trigger: TRIGGER.IDLE_END, packets: [2, 0], bytes: [2 * ipBytes(late), 0], tcpFlags: ACK },
    ]);
  });

  it('opens anew when a SYN comes on the ports of a closed one', () => {
    story = new PacketStory();
    story.sent(out({ flags: SYN }));
    story.received(back({ flags: RST | ACK }));
    story.sent(out({ flags: ACK }));
    story.records();
    story.sent(out({ flags: SYN, sequence: 77 }));
    expect(story.records().map(({ trigger, packets }) => [trigger, packets])).toEqual([
      [TRIGGER.IDLE_END, [1, 0]],
      [TRIGGER.FIRST_PACKET, [1, 0]],
    ]);
    expect(story.datapath.maps.counters.read()).toMatchObject({ connectionsCreated: 2, connectionsEnded: 1 });
  });

  it('takes a SYN sent again for the same connection', () => {
    story = new PacketStory();
    story.sent(out({ flags: SYN }));
    story.sent(out({ flags: SYN }));
    story.received(back({ flags: SYN | ACK }));
    expect(story.records()).toMatchObject([
      { trigger: TRIGGER.FIRST_PACKET, packets: [1, 0] },
      { trigger: TRIGGER.FIRST_PACKET, packets: [1, 1] },
    ]);
  });
});

describe('a TCP connection that lives', () => {
  it('tells itself once per interval, with what came since', async () => {
    story = new PacketStory({ timeouts: { recordInterval: 50 } });
    story.sent(out({ flags: SYN }));
    story.received(back({ flags: SYN | ACK }));
    const opened = story.records().at(-1)!.time;
    const data = out({ flags: ACK, payload: new Uint8Array(10) });
    let sent = 0;
    let told: StoryRecord[] = [];
    await vi.waitFor(
      () => {
        story.sent(data);
        sent++;
        told = story.records();
        expect(told).toMatchObject([
          { trigger: TRIGGER.INTERVAL, packets: [sent, 0], bytes: [sent * ipBytes(data), 0] },
        ]);
      },
      { timeout: 20_000, interval: 5 },
    );
    // The interval is counted in ticks of up to 10 ms.
    expect(told[0]!.time - opened).toBeGreaterThanOrEqual(40e6);
  });

  it('is told by the sweep when it fell silent with something untold', async () => {
    // Longer than it takes to send three packets, whatever else the machine does.
    story = new PacketStory({ timeouts: { recordInterval: 500 } });
    story.sent(out({ flags: SYN }));
    story.received(back({ flags: SYN | ACK }));
    story.sent(out({ flags: ACK }));
    story.records();
    await vi.waitFor(() => expect(story.datapath.sweep().told).toBe(1), { timeout: 20_000 });
    expect(story.records()).toMatchObject([{ trigger: TRIGGER.INTERVAL, reply: 0, packets: [1, 0] }]);
    expect(story.datapath.sweep().told).toBe(0);
  });

  it('counts the segments a GSO packet stands for', () => {
    story = new PacketStory();
    story.sent(out({ flags: SYN }));
    const large = out({ flags: ACK, payload: new Uint8Array(1400) });
    story.sent(large, { gsoSegments: 3, gsoSize: 500 });
    story.received(back({ flags: SYN | ACK }));
    expect(totals(story.records()).packets).toEqual([4, 1]);
  });

  it('forces a record long before 32 bits of bytes overflow', () => {
    story = new PacketStory();
    story.sent(out({ flags: SYN }));
    story.received(back({ flags: SYN | ACK }));
    story.records();
    const data = out({ flags: ACK, payload: new Uint8Array(1400) });
    const repeat = Math.ceil(2 ** 31 / ipBytes(data)) + 1;
    story.sent(data, { repeat });
    const records = story.records();
    expect(records[0]).toMatchObject({ trigger: TRIGGER.INTERVAL });
    const untold = [...story.datapath.maps.connections.values()][0]!.bytes[0];
    expect(totals(records).bytes[0]! + untold).toBe(repeat * ipBytes(data));
    expect(Math.max(...records.map((record) => record.bytes[0]))).toBeGreaterThan(2 ** 31 - 1);
  });
});

describe('a TCP connection picked up mid-stream', () => {
  it('takes the side with the service port for the server', () => {
    story = new PacketStory();
    story.received(back({ sourcePort: 80, destinationPort: 40000, flags: ACK }));
    expect(story.records()).toMatchObject([
      { source: '10.2.0.9 80', reply: 1, direction: DIRECTION.EGRESS, trigger: TRIGGER.FIRST_PACKET },
    ]);
  });

  it('says that it does not know when the ports do not tell', () => {
    story = new PacketStory();
    story.sent(out({ sourcePort: 9000, destinationPort: 8000, flags: ACK }));
    expect(story.records()).toMatchObject([{ reply: 2, direction: DIRECTION.EGRESS }]);
  });

  it('takes a SYN-ACK for a reply', () => {
    story = new PacketStory();
    story.sent(out({ sourcePort: 40000, destinationPort: 80, flags: SYN | ACK }));
    expect(story.records()).toMatchObject([{ reply: 1, direction: DIRECTION.INGRESS }]);
  });
});

import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { DIRECTION } from '#core/flow/direction.ts';
import { TCP_FLAG } from '#core/flow/tcp-flags.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { total, UNPARSED_REASONS } from '../maps/counters.ts';
import {
  arp,
  authentication,
  ethernet,
  extension,
  fragmentHeader,
  icmp,
  ipBytes,
  ipv4,
  ipv6,
  PROTOCOL,
  sctp,
  tagged,
  tcp,
  udp,
} from './packet-builder.ts';
import { PacketStory, totals } from './packet-story.ts';

const POD = '10.1.0.5';
const PEER = '10.2.0.9';
const POD6 = 'fd00::5';
const PEER6 = 'fd00::9';
const TCX_NEXT = -1;

const out4 = (protocol: number, payload: Uint8Array, more: object = {}) =>
  ipv4({ source: POD, destination: PEER, protocol, payload, ...more });
const back4 = (protocol: number, payload: Uint8Array, more: object = {}) =>
  ipv4({ source: PEER, destination: POD, protocol, payload, ...more });
const out6 = (protocol: number, payload: Uint8Array, more: object = {}) =>
  ipv6({ source: POD6, destination: PEER6, protocol, payload, ...more });
const back6 = (protocol: number, payload: Uint8Array, more: object = {}) =>
  ipv6({ source: PEER6, destination: POD6, protocol, payload, ...more });

let story: PacketStory;

beforeAll(() => {
  buildBpf();
});

beforeEach(() => {
  story = new PacketStory({ timeouts: { udp: 40, icmp: 40, other: 40, closing: 20 } });
});

afterEach(() => {
  story.close();
});

async function sweepUntilEnded(count: number): Promise<void> {
  let ended = 0;
  await vi.waitFor(
    () => {
      ended += story.datapath.sweep().ended;
      expect(ended).toBe(count);
    },
    { timeout: 20_000, interval: 10 },
  );
}

describe('a UDP exchange', () => {
  it('tells its first packets and its end, with every byte once', async () => {
    const query = out4(PROTOCOL.udp, udp(40001, 53, new Uint8Array(30)));
    const answer = back4(PROTOCOL.udp, udp(53, 40001, new Uint8Array(90)));
    story.sent(query);
    story.received(answer);
    story.sent(query);
    await sweepUntilEnded(1);
    const records = story.records();
    expect(records.map(({ trigger, reply }) => [trigger, reply])).toEqual([
      [TRIGGER.FIRST_PACKET, 0],
      [TRIGGER.FIRST_PACKET, 1],
      [TRIGGER.IDLE_END, 0],
    ]);
    expect(totals(records)).toEqual({ packets: [2, 1], bytes: [2 * ipBytes(query), ipBytes(answer)] });
    expect(story.datapath.maps.connections.size).toBe(0);
  });
});

describe('ICMP', () => {
  it('pairs echo and reply by identifier, and tells type and code', () => {
    story.sent(out4(PROTOCOL.icmp, icmp(8, 0, 77)));
    story.received(back4(PROTOCOL.icmp, icmp(0, 0, 77)));
    story.received(back4(PROTOCOL.icmp, icmp(0, 0, 78)));
    expect(story.records()).toMatchObject([
      { source: '10.1.0.5 8', destination: '10.2.0.9 0', reply: 0, direction: DIRECTION.EGRESS },
      { source: '10.2.0.9 0', destination: '10.1.0.5 0', reply: 1, direction: DIRECTION.EGRESS },
      // A reply to an echo nobody saw: another exchange, opened by the pod all the same.
      { source: '10.2.0.9 0', reply: 1, direction: DIRECTION.EGRESS },
    ]);
    expect(story.datapath.maps.connections.size).toBe(2);
  });

  it('does the same for ICMPv6', () => {
    story.received(back6(PROTOCOL.icmpv6, icmp(128, 0, 5)));
    story.sent(out6(PROTOCOL.icmpv6, icmp(129, 0, 5)));
    expect(story.records()).toMatchObject([
      { source: 'fd00::9 128', reply: 0, direction: DIRECTION.INGRESS, ipv6: 1 },
      { source: 'fd00::5 129', reply: 1, direction: DIRECTION.INGRESS, ipv6: 1 },
    ]);
  });

  it('takes an error message for a message of its own, one way', () => {
    story.received(back4(PROTOCOL.icmp, icmp(3, 1)));
    story.sent(out4(PROTOCOL.icmp, icmp(3, 1)));
    expect(story.records()).toMatchObject([
      { source: '10.2.0.9 3', destination: '10.1.0.5 1', reply: 0, direction: DIRECTION.INGRESS },
      { source: '10.1.0.5 3', destination: '10.2.0.9 1', reply: 0, direction: DIRECTION.EGRESS },
    ]);
  });
});

describe('SCTP and other transports', () => {
  it('reads SCTP ports, its opening and its end', () => {
    story.sent(out4(PROTOCOL.sctp, sctp(5000, 6000, 1)));
    story.received(back4(PROTOCOL.sctp, sctp(6000, 5000, 2)));
    story.sent(out4(PROTOCOL.sctp, sctp(5000, 6000, 6)));
    expect(story.records().map(({ source, reply, trigger }) => [source, reply, trigger])).toEqual([
      ['10.1.0.5 5000', 0, TRIGGER.FIRST_PACKET],
      ['10.2.0.9 6000', 1, TRIGGER.FIRST_PACKET],
      ['10.1.0.5 5000', 0, TRIGGER.CLOSE],
    ]);
  });

  it('tracks a transport it does not know by its addresses', () => {
    story.sent(out4(PROTOCOL.gre, new Uint8Array(24)));
    story.received(back4(PROTOCOL.gre, new Uint8Array(24)));
    expect(story.records()).toMatchObject([
      { source: '10.1.0.5 0', protocol: PROTOCOL.gre, reply: 0 },
      { source: '10.2.0.9 0', protocol: PROTOCOL.gre, reply: 1 },
    ]);
  });
});

describe('headers between IP and transport', () => {
  it('skips IPv4 options', () => {
    story.sent(out4(PROTOCOL.udp, udp(1, 2), { options: new Uint8Array(40).fill(1) }));
    expect(story.records()).toMatchObject([{ source: '10.1.0.5 1', destination: '10.2.0.9 2' }]);
  });

  it('follows every kind of IPv6 extension header', () => {
    const extensions = [
      extension(PROTOCOL.hopByHop),
      extension(PROTOCOL.destination, 3),
      extension(PROTOCOL.routing, 2),
      authentication(),
      extension(PROTOCOL.mobility),
      fragmentHeader(9, 0, false),
      extension(PROTOCOL.destination),
    ];
    const packet = out6(PROTOCOL.tcp, tcp({ sourcePort: 40000, destinationPort: 443, flags: TCP_FLAG.SYN }), {
      extensions,
    });
    story.sent(packet);
    expect(story.records()).toMatchObject([
      { source: 'fd00::5 40000', destination: 'fd00::9 443', protocol: PROTOCOL.tcp, bytes: [ipBytes(packet), 0] },
    ]);
  });

  it('gives a chain that does not end up, and counts it', () => {
    const extensions = Array.from({ length: 20 }, () => extension(PROTOCOL.destination));
    expect(story.sent(out6(PROTOCOL.udp, udp(1, 2), { extensions })).returned).toBe(TCX_NEXT);
    expect(story.records()).toEqual([]);
    expect(unparsed()).toEqual({ 'too many extension headers': 1 });
  });
});

describe('fragments', () => {
  it('gives later IPv4 fragments the first one’s ports', async () => {
    const first = out4(PROTOCOL.udp, udp(40001, 9000, new Uint8Array(1472)), { id: 5, moreFragments: true });
    const second = out4(PROTOCOL.udp, new Uint8Array(1480), { id: 5, fragmentOffset: 1480, moreFragments: true });
    const last = out4(PROTOCOL.udp, new Uint8Array(100), { id: 5, fragmentOffset: 2960 });
    for (const packet of [first, second, last]) story.sent(packet);
    await sweepUntilEnded(1);
    const records = story.records();
    expect(records).toMatchObject([{ source: '10.1.0.5 40001' }, { trigger: TRIGGER.IDLE_END }]);
    expect(totals(records)).toEqual({
      packets: [3, 0],
      bytes: [ipBytes(first) + ipBytes(second) + ipBytes(last), 0],
    });
  });

  it('does so for IPv6', () => {
    story.sent(out6(PROTOCOL.udp, udp(40001, 9000, new Uint8Array(800)), { extensions: [fragmentHeader(6, 0, true)] }));
    story.sent(out6(PROTOCOL.udp, new Uint8Array(64), { extensions: [fragmentHeader(6, 808, false)] }));
    expect(story.datapath.maps.connections.size).toBe(1);
    expect([...story.datapath.maps.connections.keys()]).toMatchObject([{ localPort: 40001, remotePort: 9000 }]);
    expect([...story.datapath.maps.connections.values()]).toMatchObject([{ packets: [1, 0] }]);
  });

  it('counts a fragment whose first one it never saw', () => {
    story.sent(out4(PROTOCOL.udp, new Uint8Array(64), { id: 7, fragmentOffset: 1480 }));
    story.sent(out4(PROTOCOL.udp, udp(1, 2), { id: 8, moreFragments: true }));
    story.received(back4(PROTOCOL.udp, new Uint8Array(64), { id: 8, fragmentOffset: 1480 }));
    expect(unparsed()).toEqual({ 'first fragment not seen': 2 });
  });
});

describe('what is not a flow', () => {
  it.each([
    ['ARP', arp()],
    ['neighbour solicitation', out6(PROTOCOL.icmpv6, icmp(135))],
    ['neighbour advertisement', out6(PROTOCOL.icmpv6, icmp(136))],
    ['router solicitation', out6(PROTOCOL.icmpv6, icmp(133))],
    ['multicast listener report', out6(PROTOCOL.icmpv6, icmp(143), { extensions: [extension(PROTOCOL.hopByHop)] })],
    ['IGMP', out4(PROTOCOL.igmp, new Uint8Array(8))],
  ])('passes %s by in silence', (_, packet) => {
    expect(story.sent(packet).returned).toBe(TCX_NEXT);
    expect(story.records()).toEqual([]);
    expect(unparsed()).toEqual({});
    expect(story.datapath.maps.counters.read()).toMatchObject({ packets: 1, ignored: 1 });
  });

  it.each([
    ['a VLAN tag', tagged(out4(PROTOCOL.udp, udp(1, 2)), 100)],
    ['another link protocol', ethernet(0x88cc, new Uint8Array(46))],
  ])('counts %s as not IP', (_, packet) => {
    expect(story.sent(packet).returned).toBe(TCX_NEXT);
    expect(story.records()).toEqual([]);
    expect(story.datapath.maps.counters.read()).toMatchObject({ packets: 1, notIp: 1 });
  });
});

describe('truncated and malformed packets', () => {
  const segment = tcp({ sourcePort: 1, destinationPort: 2, flags: TCP_FLAG.SYN });

  it.each([
    ['IPv4 longer than its frame', out4(PROTOCOL.tcp, segment, { totalLength: 400 }), 'network header truncated'],
    ['IPv4 shorter than its header', out4(PROTOCOL.tcp, segment, { totalLength: 19 }), 'network header malformed'],
    ['an IPv4 header of 16 bytes', out4(PROTOCOL.tcp, segment, { headerWords: 4 }), 'network header malformed'],
    [
      'an IPv4 header beyond the frame',
      out4(PROTOCOL.tcp, new Uint8Array(4), { headerWords: 15 }),
      'network header truncated',
    ],
    ['version 5', out4(PROTOCOL.tcp, segment, { version: 5 }), 'network header malformed'],
    ['version 7 in IPv6', out6(PROTOCOL.tcp, segment, { version: 7 }), 'network header malformed'],
    ['IPv6 longer than its frame', out6(PROTOCOL.tcp, segment, { payloadLength: 900 }), 'network header truncated'],
    ['half a TCP header', out4(PROTOCOL.tcp, segment.subarray(0, 12)), 'transport header truncated'],
    ['a TCP header of 16 bytes', out4(PROTOCOL.tcp, withDataOffset(4)), 'transport header malformed'],
    ['a TCP header beyond the packet', out4(PROTOCOL.tcp, withDataOffset(15)), 'transport header malformed'],
    ['half a UDP header', out6(PROTOCOL.udp, new Uint8Array(5)), 'transport header truncated'],
    ['a UDP length of 7', out4(PROTOCOL.udp, udp(1, 2, new Uint8Array(4), 7)), 'transport header malformed'],
    ['half an ICMP header', out4(PROTOCOL.icmp, new Uint8Array(3)), 'transport header truncated'],
    ['half an SCTP header', out4(PROTOCOL.sctp, new Uint8Array(11)), 'transport header truncated'],
    ['an extension header cut off', out6(PROTOCOL.hopByHop, new Uint8Array(4)), 'network header truncated'],
    [
      'an extension header beyond the packet',
      out6(PROTOCOL.hopByHop, Uint8Array.of(6, 200, 0, 0, 0, 0, 0, 0)),
      'network header truncated',
    ],
    [
      'a first fragment without its ports',
      out4(PROTOCOL.udp, new Uint8Array(4), { id: 3, moreFragments: true }),
      'transport header truncated',
    ],
  ] as const)('lets %s pass and counts it', (_, packet, reason) => {
    expect(story.sent(packet).returned).toBe(TCX_NEXT);
    expect(story.received(packet).returned).toBe(TCX_NEXT);
    expect(story.records()).toEqual([]);
    expect(unparsed()).toEqual({ [reason]: 2 });
    expect(story.datapath.maps.connections.size).toBe(0);
  });

  it('survives every prefix of real packets, and accounts for each', () => {
    const packets = [
      out4(PROTOCOL.tcp, segment, { options: new Uint8Array(8) }),
      out6(PROTOCOL.udp, udp(1, 2, new Uint8Array(9)), {
        extensions: [extension(PROTOCOL.hopByHop), fragmentHeader(1, 0, true), extension(PROTOCOL.destination)],
      }),
      out6(PROTOCOL.icmpv6, icmp(128, 0, 1)),
    ];
    let fed = 0;
    for (const packet of packets) {
      // The kernel itself refuses to run a program on less than a whole IP header.
      const shortest = 14 + (packet[12] === 0x08 ? 20 : 40);
      for (let length = shortest; length <= packet.length; length++, fed++) {
        expect(story.sent(packet.slice(0, length)).returned).toBe(TCX_NEXT);
      }
    }
    const counters = story.datapath.maps.counters.read();
    expect(counters.packets).toBe(fed);
    expect(total(counters.unparsed)).toBe(fed - packets.length);
    expect(story.datapath.maps.connections.size).toBe(packets.length);
  });

  it('survives arbitrary bytes', () => {
    let seed = 12345;
    const random = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 16;
    };
    const rounds = 3000;
    for (let round = 0; round < rounds; round++) {
      const packet = Uint8Array.from({ length: 54 + (random() % 120) }, () => random());
      // Mostly IP, so that the deeper code is reached.
      if (round % 8) packet.set(round % 2 ? [0x08, 0x00, 0x45] : [0x86, 0xdd, 0x60], 12);
      expect(story.sent(packet).returned).toBe(TCX_NEXT);
    }
    expect(story.datapath.maps.counters.read().packets).toBe(rounds);
  });
});

function withDataOffset(dataOffset: number): Uint8Array {
  return tcp({ sourcePort: 1, destinationPort: 2, flags: TCP_FLAG.SYN, dataOffset });
}

/** Counts of unparsed packets by reason, without the zeros. */
function unparsed(): Record<string, number> {
  const counts = story.datapath.maps.counters.read().unparsed;
  return Object.fromEntries(UNPARSED_REASONS.map((reason, index) => [reason, counts[index]!]).filter(([, n]) => n));
}

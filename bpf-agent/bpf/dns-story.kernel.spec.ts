import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { buildBpf } from '../../scripts/build-bpf.ts';
import { addressText } from '../events/endpoint-table.ts';
import { DNS_SAMPLE_TWIN } from '../maps/dns-samples.ts';
import { extension, fragmentHeader, ipv4, ipv6, PROTOCOL, tcp, udp } from './packet-builder.ts';
import { PacketStory } from './packet-story.ts';

const POD = '10.1.0.5';
const SERVER = '10.2.0.9';
const TCX_NEXT = -1;
const { fields } = DNS_SAMPLE_TWIN;

let story: PacketStory;

beforeAll(() => {
  buildBpf();
});
beforeEach(() => {
  story = new PacketStory();
});
afterEach(() => {
  story.close();
});

const message = (length: number, first = 1) => Uint8Array.from({ length }, (_, at) => (first + at) & 0xff);
const ask = (port = 40_001, to = 53) =>
  story.sent(ipv4({ source: POD, destination: SERVER, protocol: PROTOCOL.udp, payload: udp(port, to, message(30)) }));
const answer = (payload: Uint8Array, port = 40_001, from = 53) =>
  story.received(ipv4({ source: SERVER, destination: POD, protocol: PROTOCOL.udp, payload: udp(from, port, payload) }));

interface Sample {
  readonly client: string;
  readonly server: string;
  readonly whole: number;
  readonly payload: Uint8Array;
}

function samples(): Sample[] {
  const found: Sample[] = [];
  story.datapath.dnsRing.drain(({ u8, u16, u32 }, at) => {
    const address = (from: number) => {
      const word = (at + from) >>> 2;
      return addressText(u32[word], u32[word + 1], u32[word + 2], u32[word + 3]);
    };
    const payload = at + fields.payload[0];
    found.push({
      client: address(fields.clientAddress[0]),
      server: address(fields.serverAddress[0]),
      whole: u16[(at + fields.whole[0]) >>> 1],
      payload: u8.slice(payload, payload + u16[(at + fields.length[0]) >>> 1]),
    });
  });
  return found;
}

describe('what a DNS server answers', () => {
  it('is copied for the agent, each time, and goes on to the pod', () => {
    ask();
    for (const length of [90, 12]) expect(answer(message(length)).returned).toBe(TCX_NEXT);
    expect(samples()).toEqual(
      [90, 12].map((length) => ({ client: POD, server: SERVER, whole: length, payload: message(length) })),
    );
    expect(story.datapath.maps.dnsSampleCounts()).toEqual({ copied: 2, lost: 0 });
  });

  it('is copied up to 512 bytes', () => {
    ask();
    answer(message(1_232));
    expect(samples()).toEqual([{ client: POD, server: SERVER, whole: 1_232, payload: message(512) }]);
  });

  it('is found behind IPv4 options and IPv6 extension headers', () => {
    ask();
    const options = new Uint8Array(8).fill(1);
    story.received(
      ipv4({
        source: SERVER,
        destination: POD,
        protocol: PROTOCOL.udp,
        payload: udp(53, 40_001, message(40)),
        options,
      }),
    );
    const six = { source: 'fd00::5', destination: 'fd00::9', protocol: PROTOCOL.udp };
    const back = { source: 'fd00::9', destination: 'fd00::5', protocol: PROTOCOL.udp };
    story.sent(ipv6({ ...six, payload: udp(40_001, 53, message(30)) }));
    story.received(ipv6({ ...back, payload: udp(53, 40_001, message(50)) }));
    story.received(
      ipv6({ ...back, payload: udp(53, 40_001, message(60)), extensions: [extension(PROTOCOL.destination, 2)] }),
    );
    expect(samples().map(({ client, payload }) => [client, payload])).toEqual([
      [POD, message(40)],
      ['fd00::5', message(50)],
      ['fd00::5', message(60)],
    ]);
  });

  it('is not copied where nobody asked, by another port, transport or way, cut short, or as a later fragment', () => {
    answer(message(40)); // unasked: the server opens a connection of its own
    ask(40_002, 5_353);
    answer(message(40), 40_002, 5_353);
    ask(40_003);
    answer(message(11), 40_003);
    const segment = (sourcePort: number, destinationPort: number) =>
      tcp({ sourcePort, destinationPort, flags: 0x18, payload: message(40) });
    story.sent(ipv4({ source: POD, destination: SERVER, protocol: PROTOCOL.tcp, payload: segment(40_004, 53) }));
    story.received(ipv4({ source: SERVER, destination: POD, protocol: PROTOCOL.tcp, payload: segment(53, 40_004) }));
    // The pod is the server.
    const query = { source: SERVER, destination: POD, protocol: PROTOCOL.udp, payload: udp(40_005, 53, message(40)) };
    story.received(ipv4(query));
    story.sent(
      ipv4({ source: POD, destination: SERVER, protocol: PROTOCOL.udp, payload: udp(53, 40_005, message(40)) }),
    );
    expect(samples()).toEqual([]);
    const six = { source: 'fd00::9', destination: 'fd00::5', protocol: PROTOCOL.udp };
    story.sent(ipv6({ source: 'fd00::5', destination: 'fd00::9', protocol: 17, payload: udp(40_001, 53, message(9)) }));
    story.received(ipv6({ ...six, payload: udp(53, 40_001, message(64)), extensions: [fragmentHeader(7, 0, true)] }));
    story.received(ipv6({ ...six, payload: message(64), extensions: [fragmentHeader(7, 72, false)] }));
    expect(samples()).toHaveLength(1);
  });

  it('passes when there is no room for a copy, which is counted', () => {
    ask();
    for (let left = 1_000; left > 0; left--) expect(answer(message(300)).returned).toBe(TCX_NEXT);
    const { copied, lost } = story.datapath.maps.dnsSampleCounts();
    expect([copied, copied + lost]).toEqual([455, 1_000]);
    expect(samples()).toHaveLength(455);
    answer(message(20, 9));
    expect(samples()).toMatchObject([{ payload: message(20, 9) }]);
  });
});

import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import * as build from './packet-builder.ts';
import { checked, frameOf, ip, NODE, seen, UplinkStory, VERDICT } from './uplink-story.ts';

const CLIENT = { 4: '198.51.100.9', 6: '2001:db8:c::9' } as const;
const HERE = { 4: '10.0.0.5', 6: 'fd00::5' } as const;
const ELSEWHERE = { 4: '10.0.1.6', 6: 'fd00:1::6' } as const;
const FAMILIES = [4, 6] as const;
const PROTOCOLS = ['tcp', 'udp'] as const;
const CASES = FAMILIES.flatMap((family) => PROTOCOLS.map((protocol) => [family, protocol] as const));
const FLAGS = { syn: 2, ack: 16, finAck: 17, rst: 4, synAck: 18 };

let story: UplinkStory;
let last = 20_000;
beforeAll(() => void buildBpf());
afterEach(() => story.close());

const frontend = (family: 4 | 6) => `${NODE[family]} 30080`;
const client = (family: 4 | 6) => `${CLIENT[family]} ${last++}`;
const whole = { checksum: 0xffff, headerChecksum: 0xffff };
const portOf = (end: string) => Number(end.split(' ')[1]);

describe.each(CASES)('a client outside, IPv%i and %s', (family, protocol) => {
  it('reaches a backend of this node under its own address, and is answered by the Service', () => {
    story = new UplinkStory();
    story.serve(frontend(family), [`${HERE[family]} 8080 here`]);
    const from = client(family);
    const to = `${HERE[family]} 8080`;
    for (const flags of [FLAGS.syn, FLAGS.ack]) {
      const asked = story.comesIn(frameOf({ protocol, from, to: frontend(family), flags }));
      expect(asked).toMatchObject({ returned: VERDICT.next, source: from, destination: to, hops: 64, ...whole });
      const answered = story.goesOut(frameOf({ protocol, from: to, to: from, flags: FLAGS.synAck }));
      expect(answered).toMatchObject({ returned: VERDICT.next, source: frontend(family), destination: from, ...whole });
    }
  });

  it('reaches one elsewhere with the node standing in for it, and is answered through this node', () => {
    story = new UplinkStory();
    story.serve(frontend(family), [`${ELSEWHERE[family]} 8080`]);
    const from = client(family);
    const to = `${ELSEWHERE[family]} 8080`;
    const asked = story.comesIn(frameOf({ protocol, from, to: frontend(family) }));
    expect(asked).toMatchObject({ returned: VERDICT.redirect, destination: to, hops: 63, ...whole });
    expect(asked.source.split(' ')[0]).toBe(NODE[family]);
    expect(portOf(asked.source)).toBeGreaterThanOrEqual(61_000);
    const again = story.comesIn(frameOf({ protocol, from, to: frontend(family), flags: FLAGS.ack }));
    expect(again.source).toBe(asked.source);
    const answered = story.comesIn(frameOf({ protocol, from: to, to: asked.source, flags: FLAGS.synAck }));
    expect(answered).toMatchObject({
      returned: VERDICT.redirect,
      source: frontend(family),
      destination: from,
      ...whole,
    });
    // What another would send to that port is not taken for an answer.
    const stranger = frameOf({ protocol, from: `${ELSEWHERE[family]} 8081`, to: asked.source });
    expect(story.comesIn(stranger)).toMatchObject({ returned: VERDICT.next, destination: asked.source });
  });

  it('has wrong checksums stay as wrong as they were', () => {
    story = new UplinkStory();
    story.serve(frontend(family), [`${ELSEWHERE[family]} 8080`]);
    const frame = frameOf({ protocol, from: client(family), to: frontend(family) });
    frame[frame.length - 1]! ^= 0x55;
    const before = seen({ returned: 0, packet: frame });
    expect(before.checksum).not.toBe(0xffff);
    expect(story.comesIn(frame).checksum).toBe(before.checksum);
  });

  it.each(['here', 'elsewhere'] as const)('is told by ICMP what became of a packet to a backend %s', (where) => {
    story = new UplinkStory();
    const backend = `${where === 'here' ? HERE[family] : ELSEWHERE[family]} 8080`;
    story.serve(frontend(family), [`${backend}${where === 'here' ? ' here' : ''}`]);
    const from = client(family);
    const sent = story.comesIn(frameOf({ protocol, from, to: frontend(family) }));
    const about = sent.frame.subarray(14, 14 + (family === 4 ? 28 : 48));
    const error = icmpError(family, backend.split(' ')[0]!, sent.source.split(' ')[0]!, about);
    const told = where === 'here' ? story.goesOut(error) : story.comesIn(error);
    expect(told).toMatchObject({
      returned: where === 'here' ? VERDICT.next : VERDICT.redirect,
      source: NODE[family],
      destination: CLIENT[family],
      ...whole,
    });
    expect(embedded(family, told.frame)).toMatchObject({ source: from, destination: frontend(family) });
  });

  it('may tell by ICMP what became of an answer', () => {
    story = new UplinkStory();
    const backend = `${ELSEWHERE[family]} 8080`;
    story.serve(frontend(family), [backend]);
    const from = client(family);
    const sent = story.comesIn(frameOf({ protocol, from, to: frontend(family) }));
    const answer = story.comesIn(frameOf({ protocol, from: backend, to: sent.source }));
    const router = family === 4 ? '203.0.113.254' : '2001:db8:f::1';
    const about = answer.frame.subarray(14, 14 + (family === 4 ? 28 : 48));
    const told = story.comesIn(icmpError(family, router, NODE[family], about));
    expect(told).toMatchObject({
      returned: VERDICT.redirect,
      source: router,
      destination: ELSEWHERE[family],
      ...whole,
    });
    expect(embedded(family, told.frame)).toMatchObject({ source: backend, destination: sent.source });
  });
});

describe.each(FAMILIES)('fragments, IPv%i', (family) => {
  it('go where their first one goes', () => {
    story = new UplinkStory();
    story.serve(frontend(family), [`${ELSEWHERE[family]} 8080`]);
    const source = CLIENT[family];
    const destination = NODE[family];
    const first = build.udp(last++, 30_080, new Uint8Array(24), 8 + 24 + 16);
    const fragment = (offset: number, more: boolean, payload: Uint8Array) =>
      family === 4
        ? checkedHeader(
            build.ipv4({
              source,
              destination,
              protocol: 17,
              payload,
              id: 7,
              fragmentOffset: offset,
              moreFragments: more,
            }),
          )
        : build.ipv6({
            source,
            destination,
            protocol: 17,
            payload,
            extensions: [build.fragmentHeader(7, offset, more)],
          });
    const payload = new Uint8Array(16).fill(9);
    const [one, two] = [fragment(0, true, first), fragment(32, false, payload)].map((frame) => story.comesIn(frame));
    for (const each of [one!, two!]) {
      expect(each).toMatchObject({ returned: VERDICT.redirect, headerChecksum: 0xffff });
      expect(each.source.split(' ')[0]).toBe(NODE[family]);
      expect(each.destination.split(' ')[0]).toBe(ELSEWHERE[family]);
    }
    expect([...two!.frame.subarray(-16)]).toEqual([...payload]);
  });
});

describe('a Service for clients outside', () => {
  const from = () => `${CLIENT[4]} ${last++}`;
  const syn = (to: string, client = from()) => frameOf({ protocol: 'tcp', from: client, to });

  it('leaves alone what is for others, what no Service has, and what cannot come from outside', () => {
    story = new UplinkStory();
    story.serve(frontend(4), [`${HERE[4]} 8080 here`]);
    story.serve(`${NODE[4]} 30090`, [`${HERE[4]} 8080 here`], { kind: 'cluster-ip', external: undefined as never });
    for (const untouched of [`${NODE[4]} 22`, `${HERE[4]} 8080`]) {
      expect(story.comesIn(syn(untouched))).toMatchObject({ returned: VERDICT.next, destination: untouched });
    }
    for (const source of ['127.0.0.1', NODE[4], '224.0.0.1', '0.0.0.0']) {
      const spoofed = syn(frontend(4), `${source} 5555`);
      expect(story.comesIn(spoofed)).toMatchObject({ returned: VERDICT.next, destination: frontend(4) });
    }
    expect(story.datapath.maps.external.connections.size).toBe(0);
  });

  it('without backends: the stack refuses a node port; other addresses, and what is to stay local, are dropped', () => {
    story = new UplinkStory();
    story.serve(frontend(4), []);
    story.serve('203.0.113.1 80', [], { kind: 'load-balancer' });
    story.serve(`${NODE[4]} 30081`, [`${ELSEWHERE[4]} 8080`], {}, { local: true, backends: [] });
    story.records();
    expect(story.comesIn(syn(frontend(4))).returned).toBe(VERDICT.next);
    expect(story.comesIn(syn('203.0.113.1 80')).returned).toBe(VERDICT.drop);
    expect(story.comesIn(syn(`${NODE[4]} 30081`)).returned).toBe(VERDICT.drop);
    const { SERVICE_BACKEND_NOT_FOUND: reason } = DROP_REASON;
    expect(story.records().map(({ dropReason, destination }) => [dropReason, destination])).toEqual([
      [reason, frontend(4)],
      [reason, '203.0.113.1 80'],
      [reason, `${NODE[4]} 30081`],
    ]);
  });

  it('that is to stay local asks no other node, and lets in whom its ranges name', () => {
    story = new UplinkStory();
    const backends = [`${HERE[4]} 8080 here`, `${ELSEWHERE[4]} 8080`];
    story.serve(frontend(4), backends);
    const table = story.table;
    const own = { address: HERE[4], port: 8080, node: 'here', pod: '', weight: 1, terminating: false };
    story.serve(frontend(4), backends, {}, { local: true, backends: [own], sourceRanges: ['198.51.100.0/24'] });
    for (let round = 0; round < 20; round++) {
      expect(story.comesIn(syn(frontend(4)))).toMatchObject({ destination: `${HERE[4]} 8080` });
    }
    story.records();
    expect(story.comesIn(syn(frontend(4), '198.51.101.1 5555')).returned).toBe(VERDICT.drop);
    expect(story.records().map(({ dropReason }) => dropReason)).toEqual([DROP_REASON.DENIED_BY_LB_SRC_RANGE_CHECK]);
    expect(table.external).toBe(2);
    for (const key of [...table.keys()]) table.delete(key);
    const { services, ranges } = story.datapath.maps.external;
    expect([services.size, ranges.size, story.datapath.maps.services.slots.size, table.external]).toEqual([0, 0, 0, 0]);
  });

  it('stands in for no more clients than it has ports, and says so', () => {
    story = new UplinkStory(4);
    story.serve(frontend(4), [`${ELSEWHERE[4]} 8080`]);
    const sources = Array.from({ length: 4 }, () => story.comesIn(syn(frontend(4))).source);
    expect(new Set(sources).size).toBe(4);
    story.records();
    expect(story.comesIn(syn(frontend(4))).returned).toBe(VERDICT.drop);
    expect(story.records().map(({ dropReason }) => dropReason)).toEqual([DROP_REASON.NO_MAPPING_FOR_NAT_MASQUERADE]);
  });

  it('gives the ports of a connection that was reset to the next', () => {
    story = new UplinkStory(1);
    story.serve(frontend(4), [`${ELSEWHERE[4]} 8080`]);
    const first = from();
    expect(story.comesIn(syn(frontend(4), first)).returned).toBe(VERDICT.redirect);
    expect(story.comesIn(syn(frontend(4))).returned).toBe(VERDICT.drop);
    story.comesIn(frameOf({ protocol: 'tcp', from: first, to: frontend(4), flags: FLAGS.rst }));
    expect(story.comesIn(syn(frontend(4))).returned).toBe(VERDICT.redirect);
  });

  it('sends new connections elsewhere when a backend goes, and leaves those that others have', () => {
    story = new UplinkStory();
    const both = [`${ELSEWHERE[4]} 8080`, `${ELSEWHERE[4]} 8081`];
    story.serve(frontend(4), both);
    const held = Array.from({ length: 20 }, () => {
      const client = from();
      return { client, ...story.comesIn(syn(frontend(4), client)) };
    });
    expect(new Set(held.map(({ destination }) => destination)).size).toBe(2);
    story.serve(frontend(4), both.slice(0, 1));
    for (const { client, source, destination } of held) {
      const ack = frameOf({ protocol: 'tcp', from: client, to: frontend(4), flags: FLAGS.ack });
      expect(story.comesIn(ack)).toMatchObject({ source, destination });
      // A SYN sent again meets a backend that lives.
      expect(story.comesIn(syn(frontend(4), client)).destination).toBe(both[0]);
    }
    expect(story.comesIn(syn(frontend(4))).destination).toBe(both[0]);
  });

  it('sends datagrams elsewhere when their backend goes', () => {
    story = new UplinkStory();
    story.serve(frontend(4), [`${ELSEWHERE[4]} 8080`]);
    const datagram = frameOf({ protocol: 'udp', from: from(), to: frontend(4) });
    expect(story.comesIn(datagram).destination).toBe(`${ELSEWHERE[4]} 8080`);
    story.serve(frontend(4), [`${HERE[4]} 8080 here`]);
    expect(story.comesIn(datagram)).toMatchObject({ returned: VERDICT.next, destination: `${HERE[4]} 8080` });
  });

  it('keeps a client with its backend, by its address', () => {
    story = new UplinkStory();
    const backends = Array.from({ length: 8 }, (_, index) => `10.0.1.${index + 1} 8080`);
    story.serve(frontend(4), backends, { affinitySeconds: 60 });
    const reached = (address: string) => story.comesIn(syn(frontend(4), `${address} ${last++}`)).destination;
    const clients = Array.from({ length: 30 }, (_, index) => `198.51.100.${index + 1}`);
    const first = clients.map(reached);
    expect(new Set(first).size).toBeGreaterThan(3);
    expect(clients.map(reached)).toEqual(first);
  });

  it('leaves a UDP checksum that is none as it is', () => {
    story = new UplinkStory();
    story.serve(frontend(4), [`${ELSEWHERE[4]} 8080`]);
    const frame = frameOf({ protocol: 'udp', from: from(), to: frontend(4) });
    frame.fill(0, 40, 42);
    expect([...story.comesIn(frame).frame.subarray(40, 42)]).toEqual([0, 0]);
  });

  it('passes on nothing that has come far enough', () => {
    story = new UplinkStory();
    story.serve(frontend(4), [`${ELSEWHERE[4]} 8080`]);
    const frame = syn(frontend(4));
    frame[22] = 1;
    expect(story.comesIn(checked(frame)).returned).toBe(VERDICT.drop);
  });

  it('makes an entry that was evicted again, and counts it', () => {
    story = new UplinkStory();
    story.serve(frontend(4), [`${ELSEWHERE[4]} 8080`]);
    const client = from();
    const asked = story.comesIn(syn(frontend(4), client));
    const { connections, counts } = story.datapath.maps.external;
    const evicted = () => {
      const { entered, left } = counts();
      return entered - left - story.datapath.sweep().external;
    };
    expect([counts(), evicted()]).toEqual([{ entered: 2, left: 0 }, 0]);
    for (const [key, { original }] of [...connections]) if (!original) connections.delete(key);
    story.comesIn(frameOf({ protocol: 'tcp', from: client, to: frontend(4), flags: FLAGS.finAck }));
    const answer = frameOf({ protocol: 'tcp', from: `${ELSEWHERE[4]} 8080`, to: asked.source, flags: FLAGS.ack });
    expect(story.comesIn(answer)).toMatchObject({ source: frontend(4), destination: client });
    expect([counts(), evicted()]).toEqual([{ entered: 3, left: 0 }, 1]);
    // A new connection in place of one that was reset: its entries go, and others are made.
    story.comesIn(frameOf({ protocol: 'tcp', from: client, to: frontend(4), flags: FLAGS.rst }));
    story.comesIn(syn(frontend(4), client));
    expect([counts(), evicted()]).toEqual([{ entered: 5, left: 2 }, 1]);
  });
});

function icmpError(family: 4 | 6, from: string, to: string, about: Uint8Array): Uint8Array {
  const message = family === 4 ? build.icmp(3, 3, 0, about) : build.icmp(1, 4, 0, about);
  return checked(ip(from, to, family === 4 ? build.PROTOCOL.icmp : build.PROTOCOL.icmpv6, message));
}

/** The packet that an error is about, as a frame of its own. */
function embedded(family: 4 | 6, frame: Uint8Array) {
  const packet = frame.subarray((family === 4 ? 34 : 54) + 8);
  return seen({ returned: 0, packet: build.ethernet(family === 4 ? 0x0800 : 0x86dd, packet) });
}

function checkedHeader(frame: Uint8Array): Uint8Array {
  const whole = checked(frame);
  const done = frame.slice();
  done.set(whole.subarray(24, 26), 24);
  return done;
}

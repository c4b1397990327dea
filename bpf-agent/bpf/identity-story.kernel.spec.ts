import ipaddr from 'ipaddr.js';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { buildBpf } from '../../scripts/build-bpf.ts';
import { ipv4, ipv6, PROTOCOL, udp } from './packet-builder.ts';
import { LOOPBACK, PacketStory } from './packet-story.ts';

const WORLD = 2;
const bytes = (text: string) => Uint8Array.from(ipaddr.parse(text).toByteArray());

let story: PacketStory;
let nextPort = 1000;

beforeAll(() => {
  buildBpf();
});

beforeEach(() => {
  story = new PacketStory();
});

afterEach(() => {
  story.close();
});

/** Identities the datapath gives a new exchange between the pod and `peer`. */
function identities(peer: string, port = nextPort++): [number, number] {
  const v6 = peer.includes(':');
  const packet = {
    source: v6 ? 'fd00::5' : '10.1.0.5',
    destination: peer,
    protocol: PROTOCOL.udp,
    payload: udp(port, 53),
  };
  story.sent(v6 ? ipv6(packet) : ipv4(packet));
  const [record] = story.records();
  return [record!.sourceIdentity, record!.destinationIdentity];
}

describe('identities', () => {
  it('take the exact address before the longest CIDR before the world', () => {
    const map = story.datapath.maps.identities;
    expect(identities('10.2.3.4')).toEqual([WORLD, WORLD]);
    map.setPrefix(bytes('10.0.0.0'), 8, 0x1000001);
    expect(identities('10.2.3.4')[1]).toBe(0x1000001);
    map.setPrefix(bytes('10.2.0.0'), 16, 0x1000002);
    expect(identities('10.2.3.4')[1]).toBe(0x1000002);
    map.setAddress(bytes('10.2.3.4'), 0x40000007);
    expect(identities('10.2.3.4')[1]).toBe(0x40000007);
    expect(identities('10.2.3.5')[1]).toBe(0x1000002);
    expect(identities('10.3.3.5')[1]).toBe(0x1000001);
    expect(identities('11.0.0.1')[1]).toBe(WORLD);
    map.deleteAddress(bytes('10.2.3.4'));
    map.deletePrefix(bytes('10.2.0.0'), 16);
    expect(identities('10.2.3.4')[1]).toBe(0x1000001);
  });

  it('keep the two families apart', () => {
    const map = story.datapath.maps.identities;
    map.setPrefix(bytes('0.0.0.0'), 0, 4004);
    map.setPrefix(bytes('fd00:1::'), 32, 6006);
    expect(identities('192.0.2.1')[1]).toBe(4004);
    expect(identities('fd00:1:2::3')[1]).toBe(6006);
    expect(identities('2001:db8::1')[1]).toBe(WORLD);
  });

  it('give the pod its endpoint’s identity, whatever address it uses', () => {
    story.datapath.maps.endpoints.set(LOOPBACK, { id: 9, identity: 900 });
    story.datapath.maps.identities.setAddress(bytes('10.1.0.5'), 111);
    expect(identities('10.2.3.4')[0]).toBe(900);
  });

  it('fall back to the address when the interface is no endpoint', () => {
    story.datapath.maps.identities.setAddress(bytes('10.1.0.5'), 111);
    expect(identities('10.2.3.4')[0]).toBe(111);
  });

  it('are cached in the connection until the revision changes', () => {
    const { identities: map, state } = story.datapath.maps;
    const query = ipv4({ source: '10.1.0.5', destination: '10.2.3.4', protocol: PROTOCOL.udp, payload: udp(7, 53) });
    const answer = ipv4({ source: '10.2.3.4', destination: '10.1.0.5', protocol: PROTOCOL.udp, payload: udp(53, 7) });
    story.sent(query);
    expect(story.records()[0]?.destinationIdentity).toBe(WORLD);
    map.setAddress(bytes('10.2.3.4'), 4242);
    state.bumpIdentityRevision();
    story.received(answer);
    expect(story.records()[0]?.sourceIdentity).toBe(4242);
  });

  it('remember the policy revision under which a connection began', () => {
    story.datapath.maps.state.setPolicyRevision(12);
    story.sent(ipv4({ source: '10.1.0.5', destination: '10.2.3.4', protocol: PROTOCOL.udp, payload: udp(8, 53) }));
    expect(story.records()[0]?.policyRevision).toBe(12);
  });
});

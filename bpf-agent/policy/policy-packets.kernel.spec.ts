import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PolicyEngine } from '#core/policy/policy-engine.ts';
import { type SpecCluster, specCluster, specPolicies } from '#core/policy/spec-cluster.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { arp, ethernet, fragmentHeader, icmp, ipv4, ipv6, join, PROTOCOL, tcp, udp } from '../bpf/packet-builder.ts';
import { LOOPBACK } from '../bpf/packet-story.ts';
import { frame, OWN, PolicyStory } from './policy-story.ts';

// Each rule of precedence of docs/datapath.md, as packets.

const [SYN, ACK, FIN, RST] = [0x02, 0x10, 0x01, 0x04];
const CLIENT = '10.0.0.1';
const OTHER = '10.0.0.2';
const WORLD = '192.0.2.7';
const NODE = '172.20.0.1';
const SHOT = 2;

let story: PolicyStory;
let port = 2000;

beforeAll(() => {
  buildBpf();
  story = new PolicyStory();
});

afterAll(() => story.close());

beforeEach(() => {
  story.packets.datapath.maps.connections.clear();
  story.records();
  port += 10;
});

const pods: Parameters<typeof specCluster>[0] = {
  server: { namespace: 'shop', labels: { app: 'server' }, address: OWN.v4 },
  client: { namespace: 'shop', labels: { app: 'client' }, address: CLIENT },
  other: { namespace: 'shop', labels: { app: 'other' }, address: OTHER },
};

function enforce(text: string, options: Parameters<typeof specCluster>[1] = {}): SpecCluster {
  const cluster = specCluster(pods, options);
  story.enforce(new PolicyEngine(specPolicies(text), cluster), cluster.identityOf.server!);
  for (const peer of ['client', 'other', 'host']) story.know(cluster.peer(peer));
  return cluster;
}

function networkPolicy(name: string, spec: string, annotation = ''): string {
  const annotations = annotation === '' ? '' : `, annotations: { waggle.dev/enforcement: ${annotation} }`;
  return `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: shop${annotations} }
spec: ${spec}
---`;
}

function ciliumPolicy(name: string, spec: string): string {
  return `
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
---`;
}

const CLOSED = networkPolicy('closed', '{ podSelector: {}, policyTypes: [Ingress, Egress] }');
const INGRESS_CLOSED = networkPolicy('closed', '{ podSelector: {} }');
const FROM_CLIENT = networkPolicy(
  'from-client',
  '{ podSelector: { matchLabels: { app: server } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: client } } }], ports: [{ port: 80 }] }] }',
);

const opening = (sourcePort: number, destinationPort = 80) => tcp({ sourcePort, destinationPort, flags: SYN });
const answer = (destinationPort: number, sourcePort = 80) => tcp({ sourcePort, destinationPort, flags: SYN | ACK });
const data = (sourcePort: number, destinationPort = 80) => tcp({ sourcePort, destinationPort, flags: ACK });

describe('what decides', () => {
  it('without a policy nothing is dropped, malformed and spoofed packets included', () => {
    story.packets.datapath.maps.endpoints.set(LOOPBACK, { id: 7, identity: 900 });
    story.packets.datapath.maps.state.bump();
    expect(story.receives(WORLD, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.packets.sent(frame(WORLD, CLIENT, PROTOCOL.udp, udp(1, 2))).returned).not.toBe(SHOT);
    expect(story.receives(WORLD, PROTOCOL.tcp, opening(port).subarray(0, 9))).toBe(true);
  });

  it('a deny rule before an allow rule, however much closer the allow rule knows the peer', () => {
    enforce(
      ciliumPolicy(
        'mixed',
        `{ endpointSelector: {}, ingress: [{ fromEndpoints: [{ matchLabels: { app: client } }], toPorts: [{ ports: [{ port: "80" }] }] }],
           ingressDeny: [{ fromEntities: [all], toPorts: [{ ports: [{ port: "80", protocol: TCP }] }] }] }`,
      ),
    );
    expect(story.receives(CLIENT, PROTOCOL.tcp, opening(port))).toBe(false);
    const [record] = story.records();
    expect(record).toMatchObject({ trigger: 6, verdict: 2, dropReason: 181, direction: 1, reply: 0 });
    expect(story.reason(record!.ruleId)).toBe('denied by CiliumNetworkPolicy shop/mixed spec.ingressDeny[0]');
  });

  it('an allow rule before the default deny, and the default deny names who made it', () => {
    enforce(INGRESS_CLOSED + FROM_CLIENT);
    expect(story.receives(CLIENT, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.receives(CLIENT, PROTOCOL.tcp, opening(port, 81))).toBe(false);
    expect(story.receives(OTHER, PROTOCOL.tcp, opening(port))).toBe(false);
    const [allowed, , denied] = story.records();
    expect(story.reason(allowed!.ruleId)).toBe('allowed by NetworkPolicy shop/from-client spec.ingress[0]');
    expect(denied).toMatchObject({ verdict: 2, dropReason: 133, packets: [1, 0] });
    expect(story.reason(denied!.ruleId)).toContain('NetworkPolicy shop/closed, NetworkPolicy shop/from-client');
  });

  it('an ipBlock for pods and the world, its exceptions for neither', () => {
    enforce(
      networkPolicy(
        'blocks',
        '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 10.0.0.0/24, except: [10.0.0.2/32] } }, { ipBlock: { cidr: 192.0.2.0/24 } }] }] }',
      ),
    );
    expect(story.receives(CLIENT, PROTOCOL.udp, udp(port, 53))).toBe(true);
    expect(story.receives(OTHER, PROTOCOL.udp, udp(port, 53))).toBe(false);
    expect(story.receives(WORLD, PROTOCOL.udp, udp(port, 53))).toBe(true);
    expect(story.receives('198.51.100.1', PROTOCOL.udp, udp(port, 53))).toBe(false);
  });

  it('a range of IPv6 has no address of IPv4', () => {
    enforce(networkPolicy('six', '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: "::/0" } }] }] }'));
    expect(story.receives('2001:db8::7', PROTOCOL.udp, udp(port, 53))).toBe(true);
    expect(story.receives(WORLD, PROTOCOL.udp, udp(port, 53))).toBe(false);
    enforce(networkPolicy('four', '{ podSelector: {}, ingress: [{ from: [{ ipBlock: { cidr: 0.0.0.0/0 } }] }] }'));
    expect(story.receives('2001:db8::8', PROTOCOL.udp, udp(port, 53))).toBe(false);
    expect(story.receives(WORLD, PROTOCOL.udp, udp(port + 1, 53))).toBe(true);
  });

  it('the pod’s own node, and the pod itself, always', () => {
    enforce(CLOSED);
    expect(story.receives(NODE, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.sends(NODE, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.receives(OWN.v4, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.receives(WORLD, PROTOCOL.tcp, opening(port))).toBe(false);
  });

  it('an endpoint whose policy is not known yet is closed but for its node', () => {
    enforce('');
    const { maps } = story.packets.datapath;
    const none = { ingress: false, egress: false };
    const policy = { set: 0, enforced: none, audited: none, ranges: false, guarded: false, closed: true };
    maps.endpoints.set(LOOPBACK, { id: 7, identity: 1, policy });
    expect(story.receives(NODE, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.sends(CLIENT, PROTOCOL.tcp, opening(port))).toBe(false);
    expect(story.records().at(-1)).toMatchObject({ dropReason: 203, verdict: 2, direction: 2, ruleId: 8 });
  });

  it('ARP and neighbour discovery are not asked about', () => {
    enforce(CLOSED);
    expect(story.packets.sent(arp()).returned).not.toBe(SHOT);
    for (const type of [133, 134, 135, 136, 143]) {
      expect(story.receives('fe80::1', PROTOCOL.icmpv6, icmp(type)), `${type}`).toBe(true);
    }
    expect(story.receives('fe80::1', PROTOCOL.icmpv6, icmp(128, 0, port))).toBe(false);
  });
});

describe('what follows a connection', () => {
  it('replies, in both directions of opening', () => {
    enforce(CLOSED + FROM_CLIENT);
    expect(story.receives(CLIENT, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.sends(CLIENT, PROTOCOL.tcp, answer(port))).toBe(true);
    expect(story.receives(CLIENT, PROTOCOL.tcp, data(port))).toBe(true);
    // The pod may not open what it may answer.
    expect(story.sends(CLIENT, PROTOCOL.tcp, opening(port + 1))).toBe(false);
  });

  it('ICMP errors about it, and none about others', () => {
    enforce(CLOSED + FROM_CLIENT);
    story.receives(CLIENT, PROTOCOL.tcp, opening(port));
    const about = (from: number, to: string) =>
      icmp(
        3,
        3,
        0,
        frame(to, OWN.v4, PROTOCOL.tcp, tcp({ sourcePort: from, destinationPort: 80, flags: SYN })).slice(14, 42),
      );
    expect(story.sends(CLIENT, PROTOCOL.icmp, about(port, CLIENT))).toBe(true);
    expect(story.sends(CLIENT, PROTOCOL.icmp, about(port + 1, CLIENT))).toBe(false);
    expect(story.sends(CLIENT, PROTOCOL.icmp, about(port, CLIENT)), 'an entry of its kind decides for no other').toBe(
      true,
    );
    const inward = icmp(11, 0, 0, frame(OWN.v4, CLIENT, PROTOCOL.tcp, answer(port)).slice(14, 42));
    expect(story.receives(WORLD, PROTOCOL.icmp, inward), 'from a router on the way').toBe(true);
  });

  it('later fragments go the way of their first', () => {
    enforce(networkPolicy('dns', '{ podSelector: {}, ingress: [{ ports: [{ port: 53, protocol: UDP }] }] }'));
    const fragments = (destination: number, id: number) => {
      const whole = udp(port, destination, new Uint8Array(24));
      const base = { source: CLIENT, destination: OWN.v4, protocol: PROTOCOL.udp, id };
      return [
        ipv4({ ...base, payload: whole.subarray(0, 16), moreFragments: true }),
        ipv4({ ...base, payload: whole.subarray(16), fragmentOffset: 16 }),
      ];
    };
    const verdicts = (frames: Uint8Array[]) => frames.map((one) => story.packets.received(one).returned !== SHOT);
    expect(verdicts(fragments(53, 1))).toEqual([true, true]);
    expect(verdicts(fragments(54, 2))).toEqual([false, false]);
    expect(verdicts([fragments(53, 3)[1]!]), 'its first was never seen').toEqual([false]);
    expect(story.records().at(-1)).toMatchObject({ dropReason: 175 });
    const six = { source: 'fd00::1', destination: OWN.v6, protocol: PROTOCOL.udp };
    const first = ipv6({ ...six, extensions: [fragmentHeader(9, 0, true)], payload: udp(port, 53, new Uint8Array(8)) });
    const later = ipv6({ ...six, extensions: [fragmentHeader(9, 16, false)], payload: new Uint8Array(8) });
    expect(verdicts([first, later])).toEqual([true, true]);
  });

  it('a packet without a known start passes if either side may have opened', () => {
    enforce(CLOSED + FROM_CLIENT);
    expect(story.receives(CLIENT, PROTOCOL.tcp, data(port)), 'to the open port').toBe(true);
    expect(story.sends(OTHER, PROTOCOL.tcp, data(80, port)), 'as if of a connection nobody may open').toBe(false);
    expect(story.sends(CLIENT, PROTOCOL.tcp, data(80, port + 1)), 'an answer from the open port').toBe(true);
    expect(story.records().every(({ direction }) => direction === 1 || direction === 2)).toBe(true);
  });
});

describe('policy that changes', () => {
  it('stops a connection it newly denies, both ways, and lets it go on when it is allowed again', () => {
    enforce(INGRESS_CLOSED + FROM_CLIENT);
    story.receives(CLIENT, PROTOCOL.tcp, opening(port));
    story.sends(CLIENT, PROTOCOL.tcp, answer(port));
    enforce(INGRESS_CLOSED);
    expect(story.receives(CLIENT, PROTOCOL.tcp, data(port))).toBe(false);
    expect(story.sends(CLIENT, PROTOCOL.tcp, data(80, port))).toBe(false);
    const drops = story.records().filter(({ trigger }) => trigger === 6);
    expect(drops.map(({ reply, direction }) => [reply, direction])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    enforce(INGRESS_CLOSED + FROM_CLIENT);
    expect(story.receives(CLIENT, PROTOCOL.tcp, data(port))).toBe(true);
  });

  it('leaves a connection it allows all the same, whatever else changes', () => {
    enforce(INGRESS_CLOSED + FROM_CLIENT);
    story.receives(CLIENT, PROTOCOL.tcp, opening(port));
    for (let round = 0; round < 20; round++) {
      enforce(round % 2 === 0 ? CLOSED + FROM_CLIENT : INGRESS_CLOSED + FROM_CLIENT);
      expect(story.sends(CLIENT, PROTOCOL.tcp, round === 0 ? answer(port) : data(80, port))).toBe(true);
    }
  });

  it('does not remember what was denied from the start', () => {
    enforce(CLOSED);
    for (let from = 0; from < 50; from++) story.receives(CLIENT, PROTOCOL.tcp, opening(from + 3000));
    expect(story.packets.datapath.maps.connections.size).toBe(0);
  });
});

describe('packets nobody should send', () => {
  it('from an address that is not the pod’s are dropped for that', () => {
    enforce(INGRESS_CLOSED);
    expect(story.packets.sent(frame('10.7.7.7', CLIENT, PROTOCOL.tcp, opening(port))).returned).toBe(SHOT);
    expect(story.records()).toMatchObject([{ dropReason: 132, source: `10.7.7.7 ${port}`, verdict: 2 }]);
    expect(story.sends(CLIENT, PROTOCOL.tcp, opening(port))).toBe(true);
  });

  it('that are malformed are dropped, each for its reason', () => {
    enforce(INGRESS_CLOSED);
    const reason = (packet: Uint8Array): number | undefined => {
      story.records();
      expect(story.packets.received(packet).returned).toBe(SHOT);
      return story.records()[0]?.dropReason;
    };
    const fields = { source: CLIENT, destination: OWN.v4, protocol: PROTOCOL.tcp };
    expect(reason(ipv4({ ...fields, payload: opening(port), totalLength: 9000 }))).toBe(134);
    expect(reason(ipv4({ ...fields, payload: opening(port).subarray(0, 12) }))).toBe(135);
    expect(
      reason(ipv4({ ...fields, payload: tcp({ sourcePort: 1, destinationPort: 2, flags: SYN, dataOffset: 2 }) })),
    ).toBe(135);
    expect(story.packets.received(ethernet(0x88cc, join(new Uint8Array(40)))).returned, 'LLDP').not.toBe(SHOT);
  });
});

describe('what is told', () => {
  it('drops up to a rate, then their number', () => {
    enforce(CLOSED);
    const began = performance.now();
    for (let from = 0; from < 100; from++) story.receives(OTHER, PROTOCOL.tcp, opening(4000 + from, 8080));
    const seconds = (performance.now() - began) / 1_000;
    const told = story.records();
    expect(told.length).toBeGreaterThanOrEqual(10);
    expect(told.length).toBeLessThanOrEqual(10 * (2 + seconds));
    const before = told.reduce((sum, { packets }) => sum + packets[0], 0);
    // A second later the sweep tells the rest.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100);
    story.packets.datapath.sweep();
    const rest = story.records().filter(({ destination }) => destination.endsWith(' 8080'));
    expect(before + rest.reduce((sum, { packets }) => sum + packets[0], 0)).toBe(100);
    expect(story.packets.datapath.maps.counters.read().dropped[0]).toBeGreaterThanOrEqual(100);
  });

  it('an audited policy’s denial, of a connection that passes', () => {
    enforce(FROM_CLIENT.replace('from-client,', 'audited, annotations: { waggle.dev/enforcement: audit },'));
    expect(story.receives(OTHER, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.receives(CLIENT, PROTOCOL.tcp, opening(port))).toBe(true);
    const [audited, fine] = story.records();
    expect(audited).toMatchObject({ verdict: 4, dropReason: 0 });
    expect(story.reason(audited!.auditRuleId)).toContain('shop/audited');
    expect(fine).toMatchObject({ verdict: 1, auditRuleId: 0 });
  });

  it('everything, and drops nothing, under the global switch', () => {
    enforce(CLOSED, { audit: true });
    expect(story.receives(OTHER, PROTOCOL.tcp, opening(port))).toBe(true);
    expect(story.packets.sent(frame('10.7.7.7', CLIENT, PROTOCOL.udp, udp(1, 2))).returned).not.toBe(SHOT);
    expect(story.records().map(({ verdict }) => verdict)).toEqual([4, 4]);
  });

  it('a connection’s end, though policy holds it', () => {
    enforce(INGRESS_CLOSED + FROM_CLIENT);
    story.receives(CLIENT, PROTOCOL.tcp, opening(port));
    story.sends(CLIENT, PROTOCOL.tcp, answer(port));
    story.receives(CLIENT, PROTOCOL.tcp, tcp({ sourcePort: port, destinationPort: 80, flags: FIN | ACK }));
    story.receives(CLIENT, PROTOCOL.tcp, tcp({ sourcePort: port, destinationPort: 80, flags: RST }));
    expect(story.records().at(-1)).toMatchObject({ trigger: 4, verdict: 1 });
  });
});

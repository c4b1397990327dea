import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { PolicyEngine } from '#core/policy/policy-engine.ts';
import { type SpecCluster, specCluster, specPolicies } from '#core/policy/spec-cluster.ts';
import { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import { buildBpf } from '../../scripts/build-bpf.ts';
import { PROTOCOL, tcp, udp } from '../bpf/packet-builder.ts';
import { DatapathLosses } from '../observer/datapath-losses.ts';
import { OWN, PolicyStory } from './policy-story.ts';

// What becomes of policy when more connections are open than the table holds: it forgets the oldest and opens the newest.

const [SYN, ACK] = [0x02, 0x10];
const CLIENT = '10.0.0.1';
const OTHER = '10.0.0.2';
const TABLE = 1_024;
/** Opened beyond what fits; the kernel's LRU lists let go of some entries a little early. */
const CROWD = 6 * TABLE;

const POLICY = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: from-client, namespace: shop }
spec:
  podSelector: { matchLabels: { app: server } }
  policyTypes: [Ingress, Egress]
  ingress: [{ from: [{ podSelector: { matchLabels: { app: client } } }], ports: [{ port: 80 }, { port: 53, protocol: UDP }] }]
`;
const pods: Parameters<typeof specCluster>[0] = {
  server: { namespace: 'shop', labels: { app: 'server' }, address: OWN.v4 },
  client: { namespace: 'shop', labels: { app: 'client' }, address: CLIENT },
  other: { namespace: 'shop', labels: { app: 'other' }, address: OTHER },
};

let story: PolicyStory;
let cluster: SpecCluster;

beforeAll(() => {
  buildBpf();
  story = new PolicyStory({ connections: TABLE });
  cluster = specCluster(pods);
  for (const peer of ['client', 'other']) story.know(cluster.peer(peer));
});

afterAll(() => story.close());

beforeEach(() => {
  enforce(POLICY);
  story.packets.datapath.maps.connections.clear();
  story.records();
});

function enforce(text: string): void {
  story.enforce(new PolicyEngine(specPolicies(text), cluster), cluster.identityOf.server!);
}

const segment = (sourcePort: number, destinationPort: number, flags: number) =>
  tcp({ sourcePort, destinationPort, flags });
const opens = (peer: string, port: number) => story.receives(peer, PROTOCOL.tcp, segment(port, 80, SYN));
const entries = () => [...story.packets.datapath.maps.connections.keys()];
const isKnown = (port: number) => entries().some(({ remotePort, localPort }) => [remotePort, localPort].includes(port));

/** Allowed connections, one after the other, each answered. */
function crowd(): void {
  for (let port = 10_000; port < 10_000 + CROWD; port++) {
    expect(opens(CLIENT, port)).toBe(true);
    expect(story.sends(CLIENT, PROTOCOL.tcp, segment(80, port, SYN | ACK))).toBe(true);
  }
}

/** When the kernel lets go of which entry is its own affair, once it has to. */
function crowdOut(port: number): void {
  for (let round = 0; round < 5 && isKnown(port); round++) crowd();
  expect(isKnown(port)).toBe(false);
}

it('every connection is judged, allowed ones open, denied ones do not and take no place', () => {
  crowd();
  const held = entries().length;
  expect(held).toBeLessThanOrEqual(TABLE);
  for (let port = 20_000; port < 20_200; port++) {
    expect(opens(OTHER, port)).toBe(false);
    expect(opens(CLIENT, port)).toBe(true);
    expect(story.sends(CLIENT, PROTOCOL.tcp, segment(80, port, SYN | ACK))).toBe(true);
  }
  expect(entries().some(({ remote }) => remote.at(-1) === 2)).toBe(false);
});

it('a TCP connection that was forgotten goes on where its opening is allowed, and does not where it is not', () => {
  expect(opens(CLIENT, 3_000)).toBe(true);
  crowdOut(3_000);
  expect(story.receives(CLIENT, PROTOCOL.tcp, segment(3_000, 80, ACK))).toBe(true);
  expect(story.sends(CLIENT, PROTOCOL.tcp, segment(80, 3_000, ACK))).toBe(true);

  expect(opens(CLIENT, 3_001)).toBe(true);
  enforce(POLICY.replace('app: client', 'app: nobody'));
  expect(story.receives(CLIENT, PROTOCOL.tcp, segment(3_001, 80, ACK))).toBe(false);
  story.packets.datapath.maps.connections.clear();
  expect(story.receives(CLIENT, PROTOCOL.tcp, segment(3_001, 80, ACK))).toBe(false);
  expect(story.sends(CLIENT, PROTOCOL.tcp, segment(80, 3_001, ACK))).toBe(false);
});

it('an answer to a forgotten UDP exchange is closed until the client speaks again', () => {
  const asks = () => story.receives(CLIENT, PROTOCOL.udp, udp(4_000, 53));
  const answers = () => story.sends(CLIENT, PROTOCOL.udp, udp(53, 4_000));
  expect([asks(), answers()]).toEqual([true, true]);
  crowdOut(4_000);
  // Egress is closed: who speaks first opens, and that is the server now.
  expect([answers(), asks(), answers()]).toEqual([false, true, true]);
});

it('what was forgotten is counted, and told as a loss', () => {
  const { maps } = story.packets.datapath;
  const counted = () => {
    const counters = maps.counters.read();
    return new DatapathLosses().update(counters, entries().length, 1);
  };
  const count = () => counted().find(({ source }) => source === LossSource.CONNECTION_TABLE)?.count ?? 0;
  const before = count() + entries().length;
  for (let port = 10_000; port < 10_000 + CROWD; port++) opens(CLIENT, port);
  expect(count() + entries().length).toBe(before + CROWD);
  expect(count()).toBeGreaterThanOrEqual(CROWD - TABLE);
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RuleEffect } from '#proto/gen/waggle/v1/agent_pb.ts';
import { PolicyEnforcement, PolicyProtection, PolicyService } from '#proto/gen/waggle/v1/policy_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { CLUSTER } from '#runtime/testing/sample-flows.ts';
import { type Backend, startBackend } from '../start.ts';

const log = pino({ level: 'silent' });
let folder: string;
let agents: InProcessAgent[];
let backend: Backend | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'waggle-policies-'));
  agents = [new InProcessAgent('node-1'), new InProcessAgent('node-2')];
  for (const agent of agents) await agent.start();
});

afterEach(async () => {
  await backend?.close();
  backend = undefined;
  for (const agent of agents) await agent.stop();
  rmSync(folder, { recursive: true });
});

function put(kind: string, namespace: string, name: string, rest: object, metadata: object = {}): void {
  const path = join(folder, kind, namespace);
  mkdirSync(path, { recursive: true });
  const apiVersion = kind === 'NetworkPolicy' ? 'networking.k8s.io/v1' : 'v1';
  const object = { apiVersion, kind, metadata: { name, uid: name, namespace, ...metadata }, ...rest };
  writeFileSync(join(path, `${name}.yaml`), JSON.stringify(object));
}

function pod(namespace: string, name: string, address: string): void {
  const status = { phase: 'Running', podIPs: [{ ip: address }] };
  put('Pod', namespace, name, { spec: { nodeName: 'node-1' }, status }, { labels: { app: name } });
}

async function listed() {
  backend = await startBackend({
    listen: '127.0.0.1:0',
    relayListen: '127.0.0.1:0',
    stateDir: folder,
    agents: agents.map(({ name, address }) => ({ name, address })),
    log,
  });
  const client = createClient(PolicyService, backend.relayAddress);
  try {
    // The cluster's name comes with the first agent's status.
    for (;;) {
      const response = await client.listPolicies({});
      if (response.workloads.length === 0 || response.workloads[0].key.startsWith(CLUSTER)) return response;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  } finally {
    client.close();
  }
}

test('every policy with whom it selects, what its rules did on all nodes, and who is covered', async () => {
  pod('shop', 'web', '10.0.0.1');
  pod('shop', 'db', '10.0.0.2');
  pod('other', 'spy', '10.0.0.3');
  put(
    'NetworkPolicy',
    'shop',
    'to-db',
    {
      spec: {
        podSelector: { matchLabels: { app: 'db' } },
        ingress: [
          { from: [{ podSelector: { matchLabels: { app: 'web' } } }], ports: [{ port: 5432 }] },
          { from: [{ podSelector: { matchLabels: { app: 'nobody' } } }] },
          { ports: [{ port: 9000 }] },
          { from: [{ ipBlock: { cidr: '198.51.100.0/24' } }], ports: [{ port: 9001 }] },
        ],
      },
    },
    { creationTimestamp: '2026-01-02T03:04:05Z' },
  );
  const policy = { kind: 'NetworkPolicy', namespace: 'shop', name: 'to-db', rule: 0, path: 'spec.ingress[0]' };
  const whole = { ...policy, rule: -1, path: '' };
  const last = timestampFromMs(1_800_000_000_000);
  agents[0].ruleHits = {
    since: timestampFromMs(1_700_000_000_000),
    rules: [
      { effect: RuleEffect.ALLOW, policies: [policy], hits: 3n, packets: 30n, last },
      { effect: RuleEffect.DEFAULT_DENY, policies: [whole], direction: 1, hits: 5n, packets: 5n, last },
      { effect: RuleEffect.DEFAULT_DENY, policies: [whole], direction: 2, hits: 2n, packets: 2n },
    ],
  };
  agents[1].ruleHits = {
    since: timestampFromMs(1_700_000_005_000),
    rules: [{ effect: RuleEffect.ALLOW, policies: [policy], hits: 4n, packets: 40n }],
    audit: true,
  };
  const response = await listed();
  const [shown] = response.policies;
  expect(response.workloads.map(({ key }) => key)).toEqual([
    `${CLUSTER}/other/Pod/spy`,
    `${CLUSTER}/shop/Pod/db`,
    `${CLUSTER}/shop/Pod/web`,
  ]);
  expect(shown).toMatchObject({
    namespace: 'shop',
    name: 'to-db',
    enforcement: PolicyEnforcement.ENFORCED,
    closesIngress: true,
    closesEgress: false,
    created: { seconds: BigInt(Date.parse('2026-01-02T03:04:05Z') / 1000) },
    ingressDefaultDeny: { packets: 5n, last: { seconds: 1_800_000_000n } },
    egressDefaultDeny: { packets: 2n },
    workloads: [1],
    problem: '',
  });
  expect(shown.rules.map(({ path, hits, packets, summary }) => [path, hits, packets, summary])).toEqual([
    ['spec.ingress[0]', 7n, 70n, 'from app=web of namespace shop, on TCP 5432'],
    ['spec.ingress[1]', 0n, 0n, 'from app=nobody of namespace shop, on any port'],
    ['spec.ingress[2]', 0n, 0n, 'from anybody, on TCP 9000'],
    ['spec.ingress[3]', 0n, 0n, 'from 198.51.100.0/24, on TCP 9001'],
  ]);
  expect(shown.findings.map(({ code }) => code)).toEqual(['WP203']);
  const [spy, db] = response.workloads;
  expect([spy.ingress, spy.policies]).toEqual([PolicyProtection.OPEN, []]);
  expect([db.ingress, db.egress, db.policies]).toEqual([PolicyProtection.PROTECTED, PolicyProtection.OPEN, [0]]);
  expect(response.reaches).toMatchObject([
    { source: 2, destination: 1, protocol: 6, firstPort: 5432, lastPort: 5432, policy: 0, path: 'spec.ingress[0]' },
    { sourceCard: '//World/world', destination: 1, firstPort: 9000, anybody: true, range: '' },
    { sourceCard: '//World/world', destination: 1, firstPort: 9001, anybody: false, range: '198.51.100.0/24' },
  ]);
  expect(response.hitsSince?.seconds).toBe(1_700_000_005n);
  expect(response.auditingNodes).toEqual(['node-2']);
});

test('a policy that cannot be used and a node that does not answer are told', async () => {
  put('NetworkPolicy', 'shop', 'wrong', { spec: { podSelector: {}, ingres: [] } });
  await agents[1].stop();
  const { policies, silentNodes } = await listed();
  expect(policies).toMatchObject([{ name: 'wrong', enforcement: PolicyEnforcement.CLOSED, rules: [] }]);
  expect(policies[0].findings.map(({ code, error }) => [code, error])).toEqual([
    ['WP003', true],
    ['WP201', false],
  ]);
  expect(silentNodes).toMatchObject([{ name: 'node-2', reason: expect.stringContaining('nothing listens') }]);
});

test('without a cluster state it is said that nothing is known', async () => {
  backend = await startBackend({ listen: '127.0.0.1:0', relayListen: '127.0.0.1:0', log });
  const client = createClient(PolicyService, backend.relayAddress);
  const { unavailable, policies } = await client.listPolicies({});
  client.close();
  expect([policies.length, unavailable]).toEqual([0, expect.stringContaining('--state-dir')]);
});

test('how many policies each namespace has, and how far they close it', async () => {
  pod('shop', 'web', '10.0.0.1');
  pod('shop', 'db', '10.0.0.2');
  pod('other', 'spy', '10.0.0.3');
  put('NetworkPolicy', 'shop', 'closed', { spec: { podSelector: {}, policyTypes: ['Ingress'] } });
  put('NetworkPolicy', 'shop', 'db-out', {
    spec: { podSelector: { matchLabels: { app: 'db' } }, policyTypes: ['Egress'] },
  });
  await listed();
  const client = createClient(PolicyService, backend!.relayAddress);
  const { cluster, namespaces } = await client.countPolicies({});
  client.close();
  expect(cluster).toBe(CLUSTER);
  expect(namespaces).toMatchObject([
    { namespace: 'shop', policies: 2, ingress: PolicyProtection.PROTECTED, egress: PolicyProtection.OPEN },
  ]);
});

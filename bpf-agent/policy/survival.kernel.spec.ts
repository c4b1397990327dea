import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { RuleEffect } from '#proto/gen/waggle/v1/agent_pb.ts';
import { TestNode, type TestPod } from '../testing/test-node.ts';
import { until } from '../testing/until.ts';
import { connected, endProbes, intruding, moves, Probe, SERVER, TCP_PORT } from './pod-probe.ts';

// Enforcement outlives its agent, and changes without a gap: probers at 1 ms look for what leaks and what breaks.

let node: TestNode;

beforeEach(() => {
  node = new TestNode();
});

afterEach(async () => {
  endProbes();
  await node.stop();
});

function writePolicy(name: string, spec: object): void {
  node.writeObject('NetworkPolicy', 'shop', name, {
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name, namespace: 'shop' },
    spec,
  });
}

const fromFriends = {
  podSelector: { matchLabels: { app: 'server' } },
  ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }], ports: [{ port: TCP_PORT }] }],
};

async function attached(pod: TestPod): Promise<void> {
  await node.agentCalls.awaitEndpoint({ podUid: pod.uid, timeoutMs: 30_000 }, { deadlineMs: 40_000 });
}

/** A server that lets in its friend, who is connected, and not its foe, who tries. */
async function friendAndFoe() {
  const [server, friend, foe] = ['server', 'friend', 'foe'].map((name) => node.addPod(name));
  writePolicy('from-friends', fromFriends);
  await node.startAgent();
  for (const pod of [server, friend, foe]) await attached(pod);

  const listening = new Probe(server, SERVER);
  await until('the server listens', async () => (await listening.counters()).listening);
  const connection = new Probe(friend, connected(server));
  await until('the friend is connected', async () => (await connection.counters()).open || undefined);
  const intruder = new Probe(foe, intruding(server));
  await until('the foe tries', async () => (await intruder.counters()).sent > 50 || undefined);
  return { foe, listening, connection, intruder };
}

it('no denied packet passes and no allowed connection breaks: kill, restart, stop, and policies that change', {
  timeout: 400_000,
}, async () => {
  const { foe, listening, connection, intruder } = await friendAndFoe();
  // What a killed agent has not kept yet, no later one tells.
  const kept = () => ['"rule"', '"default-deny"'].every((kind) => node.run.read('rule-hits.json').includes(kind));
  await until('hits are kept', () => kept() || undefined);

  await node.endAgent('SIGKILL');
  await moves(connection, 300);
  await node.startAgent();
  await moves(connection, 300);
  expect(await node.endAgent('SIGTERM')).toBe(0);
  await moves(connection, 300);
  const restarted = Date.now();
  await node.startAgent();

  for (let round = 0; round < 10; round++) {
    // Each is another whole policy set for the server; none of them lets the foe in.
    writePolicy('more', {
      podSelector: {},
      policyTypes: round % 2 === 0 ? ['Ingress', 'Egress'] : ['Ingress'],
      egress: [{}],
      ingress: [{ from: [{ podSelector: { matchLabels: { app: `nobody-${round}` } } }] }],
    });
    await moves(connection, 50);
  }

  // Rules keep what they have decided, over two agents that were ended and one that was killed.
  const { rules, since } = await node.agentCalls.listRuleHits({});
  expect(Number(since!.seconds) * 1000).toBeLessThan(restarted);
  const hitsOf = (effect: RuleEffect) => Number(rules.find((rule) => rule.effect === effect)?.hits ?? 0n);
  expect(hitsOf(RuleEffect.ALLOW)).toBeGreaterThan(0);
  expect(hitsOf(RuleEffect.DEFAULT_DENY)).toBeGreaterThan(0);

  const counted = await listening.counters();
  const tried = await intruder.counters();
  const { broken } = await connection.counters();
  expect(tried.sent).toBeGreaterThan(300);
  expect({ leaked: counted[foe.ip] ?? 0, connected: tried.connected, broken }).toEqual({
    leaked: 0,
    connected: 0,
    broken: 0,
  });
});

it('a connection that is newly denied stops, and goes on when it is allowed again', { timeout: 300_000 }, async () => {
  const [server, friend] = ['server', 'friend'].map((name) => node.addPod(name));
  writePolicy('from-friends', fromFriends);
  await node.startAgent();
  for (const pod of [server, friend]) await attached(pod);
  const listening = new Probe(server, SERVER);
  await until('the server listens', async () => (await listening.counters()).listening);
  const connection = new Probe(friend, connected(server));
  await moves(connection, 100);

  writePolicy('from-friends', { podSelector: { matchLabels: { app: 'server' } } });
  let before = -1;
  await until('it has stopped', async () => {
    const { answered } = await connection.counters();
    const stands = answered === before;
    before = answered;
    await new Promise((resolve) => setTimeout(resolve, 200));
    return stands || undefined;
  });
  writePolicy('from-friends', fromFriends);
  await moves(connection, 100);
});

it('a new pod is closed from its first packet', async () => {
  writePolicy('closed', { podSelector: {} });
  const foe = node.addPod('foe');
  await node.startAgent();
  await attached(foe);
  const late = node.addPod('late');
  const intruder = new Probe(foe, intruding(late));
  await until('the foe tries', async () => (await intruder.counters()).sent > 20 || undefined);
  await attached(late);
  const listening = new Probe(late, SERVER);
  await until('it listens', async () => (await listening.counters()).listening);
  const { sent } = await intruder.counters();
  await until('the foe goes on', async () => (await intruder.counters()).sent > sent + 300 || undefined);
  expect((await listening.counters())[foe.ip]).toBeUndefined();
  expect((await intruder.counters()).connected).toBe(0);
});

it('a policy that cannot be read leaves its last good state in force, and health says so', async () => {
  const [server, foe] = ['server', 'foe'].map((name) => node.addPod(name));
  writePolicy('from-friends', fromFriends);
  await node.startAgent();
  for (const pod of [server, foe]) await attached(pod);
  const problem = async () => (await node.flows.status({})).nodes[0]?.message ?? '';
  expect(await problem()).toBe('');
  writePolicy('from-friends', { podSelector: { matchLabels: { app: 7 } } });
  const said = await until('the agent says so', async () => (await problem()) || undefined);
  expect(said).toMatch(/NetworkPolicy shop\/from-friends.*last good state/);
  await node.endAgent('SIGKILL');
  await node.startAgent();
  const again = await until('the next agent says so', async () => (await problem()) || undefined);
  expect(again).toMatch(/NetworkPolicy shop\/from-friends.*last good state/);
  const listening = new Probe(server, SERVER);
  await until('the server listens', async () => (await listening.counters()).listening);
  const intruder = new Probe(foe, intruding(server));
  await until('the foe tries', async () => (await intruder.counters()).sent > 200 || undefined);
  expect((await listening.counters())[foe.ip]).toBeUndefined();
  writePolicy('from-friends', fromFriends);
  await until('all is well again', async () => (await problem()) === '' || undefined);
});

it('a policy that never could be read closes what it may be about, and health says so, until it can', async () => {
  const [server, foe] = ['server', 'foe'].map((name) => node.addPod(name));
  const broken = join(node.stateDirectory, 'NetworkPolicy', 'shop', 'broken.yaml');
  mkdirSync(dirname(broken), { recursive: true });
  writeFileSync(broken, 'kind: NetworkPolicy\nspec: [unclosed\n');
  await node.startAgent();
  for (const pod of [server, foe]) await attached(pod);
  const ready = () =>
    node.runOnNode(`fetch('http://127.0.0.1:9965/readyz').then(async r=>console.log(r.status,await r.text()))`);
  const closed = /^503 .*NetworkPolicy shop\/broken.*closed until it can be read/;
  await until('it is not ready, and says why', async () => closed.test(await ready()) || undefined);
  expect((await node.flows.status({})).nodes[0]?.message).toMatch(/^policy: NetworkPolicy shop\/broken/);

  const listening = new Probe(server, SERVER);
  await until('the server listens', async () => (await listening.counters()).listening);
  const intruder = new Probe(foe, intruding(server));
  await until('the foe tries', async () => (await intruder.counters()).sent > 200 || undefined);
  expect((await listening.counters())[foe.ip]).toBeUndefined();

  // Of another it is known whom it selects: the server is closed, and the foe is no longer.
  rmSync(broken);
  writePolicy('from-friends', { ...fromFriends, ingress: [{ from: 7 }] });
  const said = await until('the agent says so', async () => {
    const { nodes } = await node.flows.status({});
    return nodes[0]?.message.includes('from-friends') ? nodes[0].message : undefined;
  });
  expect(said).toMatch(/closed until it can be read/);
  const { sent } = await intruder.counters();
  await until('the foe goes on', async () => (await intruder.counters()).sent > sent + 200 || undefined);
  expect((await listening.counters())[foe.ip]).toBeUndefined();

  writePolicy('from-friends', { podSelector: { matchLabels: { app: 'server' } }, ingress: [{}] });
  await until('the foe is let in', async () => (await listening.counters())[foe.ip]);
  await until('all is well again', async () => (await ready()).startsWith('200') || undefined);
});

it('an upgrade that cannot take the earlier maps over: nothing leaks and nothing breaks', {
  timeout: 300_000,
}, async () => {
  const { foe, listening, connection, intruder } = await friendAndFoe();

  for (let round = 1; round <= 4; round++) {
    await node.endAgent(round % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    await moves(connection, 100);
    // Maps of another size are other maps: whatever decides about packets is made anew, beside what is at work.
    const flags = ['--policy-entries', String(100_000 + round)];
    await node.startAgent(...flags, ...(round > 2 ? ['--connections', String(100_000 + round)] : []));
    await moves(connection, 100);
  }
  const { sent } = await intruder.counters();
  await until('the foe goes on', async () => (await intruder.counters()).sent > sent + 200 || undefined);
  const { broken } = await connection.counters();
  const leaked = (await listening.counters())[foe.ip] ?? 0;
  expect({ leaked, connected: (await intruder.counters()).connected, broken }).toEqual({
    leaked: 0,
    connected: 0,
    broken: 0,
  });
});

it('a policy that finds no room leaves the last one in force, and health says so, until there is room', {
  timeout: 200_000,
}, async () => {
  const [server, friend, foe] = ['server', 'friend', 'foe'].map((name) => node.addPod(name));
  writePolicy('from-friends', fromFriends);
  await node.startAgent('--policy-entries', '64');
  for (const pod of [server, friend, foe]) await attached(pod);
  const problem = async () => (await node.flows.status({})).nodes[0]?.message ?? '';
  expect(await problem()).toBe('');
  const listening = new Probe(server, SERVER);
  await until('the server listens', async () => (await listening.counters()).listening);
  const connection = new Probe(friend, connected(server));
  const intruder = new Probe(foe, intruding(server));
  await moves(connection, 100);

  const ports = Array.from({ length: 100 }, (_, index) => ({ port: 20_000 + 2 * index }));
  const [rule] = fromFriends.ingress;
  // It would shut the friend out.
  writePolicy('from-friends', { ...fromFriends, ingress: [{ ...rule, ports }] });
  expect(await until('the agent says so', async () => (await problem()) || undefined)).toMatch(
    /for 1 the last good one is in force.*"policies"/,
  );
  await moves(connection, 200);
  // A pod that comes while there is no room for its policy is closed: it has no last one.
  const late = node.addPod('late', { app: 'server', tier: 'late' });
  await until(
    'the newcomer',
    async () => (await node.agentCalls.listEndpoints({})).endpoints.length === 4 || undefined,
  );
  await expect(
    node.runIn(
      friend,
      `const s=require('net').connect(22,'${late.ip}');
    s.on('error',e=>{console.log(e.code);process.exit(1)});setTimeout(()=>process.exit(1),1000)`,
    ),
  ).rejects.toThrow(/exit 1/);

  writePolicy('from-friends', fromFriends);
  await until('all is well again', async () => (await problem()) === '' || undefined);
  await moves(connection, 100);
  expect([(await listening.counters())[foe.ip] ?? 0, (await intruder.counters()).connected]).toEqual([0, 0]);
  expect((await connection.counters()).broken).toBe(0);
});

it('1,000 policies: computed before anything passes, and changed under load without a leak', {
  timeout: 300_000,
}, async () => {
  const [server, friend, foe] = ['server', 'friend', 'foe'].map((name) => node.addPod(name));
  writePolicy('from-friends', fromFriends);
  const about = (index: number, peer: string) => ({
    podSelector: { matchLabels: { app: ['server', 'friend', 'foe', `absent-${index}`][index % 4]! } },
    ingress: [{ from: [{ podSelector: { matchLabels: { app: peer } } }], ports: [{ port: 1000 + index }] }],
  });
  for (let index = 0; index < 1_000; index++) writePolicy(`policy-${index}`, about(index, `nobody-${index}`));
  await node.startAgent();
  for (const pod of [server, friend, foe]) await attached(pod);
  const listening = new Probe(server, SERVER);
  await until('the server listens', async () => (await listening.counters()).listening);
  const connection = new Probe(friend, connected(server));
  const intruder = new Probe(foe, intruding(server));
  await moves(connection, 100);

  for (let round = 0; round < 40; round++) {
    // Some of these make the server's default deny longer, some its rules; none lets the foe at its ports.
    writePolicy(`policy-${round * 4}`, about(round * 4, round % 2 === 0 ? 'friend' : `nobody-${round}`));
    if (round % 3 === 0) node.removeObject('NetworkPolicy', 'shop', `policy-${round * 4 + 1}`);
    await moves(connection, 10);
  }
  const { broken } = await connection.counters();
  const [leaked, reached] = [(await listening.counters())[foe.ip] ?? 0, (await intruder.counters()).connected];
  expect({ leaked, reached, broken }).toEqual({ leaked: 0, reached: 0, broken: 0 });

  // In force within moments, though a thousand others stand beside it.
  writePolicy('from-foes', { ...fromFriends, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'foe' } } }] }] });
  await until('the foe is let in', async () => (await listening.counters())[foe.ip]);
});

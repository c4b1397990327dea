import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestNode, type TestPod } from '../testing/test-node.ts';
import { until } from '../testing/until.ts';
import { connected, endProbes, intruding, moves, Probe, SERVER, TCP_PORT } from './pod-probe.ts';

// What policies are about changes while connections are open: labels, addresses, annotations, agents and the state itself.

let node: TestNode;

beforeEach(() => {
  node = new TestNode();
});

afterEach(async () => {
  endProbes();
  await node.stop();
});

const BEES = [{ namespaceSelector: { matchLabels: { team: 'bees' } } }];
const NOBODY = [{ podSelector: { matchLabels: { app: 'nobody' } } }];
const FRIENDS = [{ podSelector: { matchLabels: { app: 'friend' } } }];

function writePolicy(from: object[], annotations: Record<string, string> = {}): void {
  node.writeObject('NetworkPolicy', 'shop', 'from', {
    apiVersion: 'networking.k8s.io/v1',
    metadata: { name: 'from', namespace: 'shop', annotations },
    spec: { podSelector: { matchLabels: { app: 'server' } }, ingress: [{ from, ports: [{ port: TCP_PORT }] }] },
  });
}

function writeNamespace(team: string): void {
  node.writeObject('Namespace', '_cluster', 'shop', { metadata: { name: 'shop', labels: { team } } });
}

async function podsUp(...names: string[]): Promise<TestPod[]> {
  const pods = names.map((name) => node.addPod(name));
  await node.startAgent();
  for (const { uid } of pods) {
    await node.agentCalls.awaitEndpoint({ podUid: uid, timeoutMs: 30_000 }, { deadlineMs: 40_000 });
  }
  return pods;
}

/** A server, and a connection to it that moves. */
async function connection(server: TestPod, client: TestPod): Promise<{ listening: Probe; open: Probe }> {
  const listening = new Probe(server, SERVER);
  await until('the server listens', async () => (await listening.counters()).listening);
  const open = new Probe(client, connected(server));
  await moves(open, 50);
  return { listening, open };
}

/** Nothing has come back for half a second. */
async function stands(probe: Probe): Promise<void> {
  let [before, quietSince] = [-1, Date.now()];
  await until('it stands', async () => {
    const { answered } = await probe.counters();
    if (answered !== before) quietSince = Date.now();
    before = answered;
    return Date.now() - quietSince > 500 || undefined;
  });
}

it('labels of a namespace, and of a pod, change under an open connection', { timeout: 200_000 }, async () => {
  writePolicy(BEES);
  const [server, friend] = await podsUp('server', 'friend');
  const { open } = await connection(server, friend);
  writeNamespace('wasps');
  await stands(open);
  writeNamespace('bees');
  await moves(open, 50);

  writePolicy(FRIENDS);
  await moves(open, 50);
  node.writePod(friend, { app: 'stranger' });
  await stands(open);
  node.writePod(friend, { app: 'friend' });
  await moves(open, 50);
  // The server's own labels say which policies are about it.
  writePolicy(NOBODY);
  await stands(open);
  node.writePod(server, { app: 'other' });
  await moves(open, 50);
  expect((await open.counters()).broken).toBe(0);
});

it('an address that becomes another pod’s is judged as that pod', { timeout: 200_000 }, async () => {
  writePolicy(FRIENDS);
  const [server, friend] = await podsUp('server', 'friend');
  const { open } = await connection(server, friend);
  node.removeObject('Pod', 'shop', 'friend');
  const heir = { ...friend, name: 'heir', uid: randomUUID() };
  node.writePod(heir, { app: 'heir' });
  await stands(open);
  node.removeObject('Pod', 'shop', 'heir');
  node.writePod(friend, { app: 'friend' });
  await moves(open, 50);
});

it('audit comes and goes under load: nothing breaks, and what is enforced lets nobody in', {
  timeout: 300_000,
}, async () => {
  writePolicy(FRIENDS);
  const [server, friend, foe] = await podsUp('server', 'friend', 'foe');
  const { listening, open } = await connection(server, friend);
  const intruder = new Probe(foe, intruding(server));
  const came = async () => (await listening.counters())[foe.ip] ?? 0;
  await until('the foe tries', async () => (await intruder.counters()).sent > 100 || undefined);
  expect(await came()).toBe(0);
  for (let round = 0; round < 5; round++) {
    const before = await came();
    writePolicy(FRIENDS, { 'waggle.dev/enforcement': 'audit' });
    await until('audit lets the foe in', async () => (await came()) > before || undefined);
    await moves(open, 20);
    writePolicy(FRIENDS);
    const goesOn = async () => {
      const { sent } = await intruder.counters();
      await until('the foe goes on', async () => (await intruder.counters()).sent > sent + 200 || undefined);
    };
    let last = -1;
    await until('enforcement keeps the foe out', async () => {
      const now = await came();
      const same = now === last;
      last = now;
      await goesOn();
      return same || undefined;
    });
    await goesOn();
    expect(await came()).toBe(last);
    await moves(open, 20);
  }
  expect((await open.counters()).broken).toBe(0);
});

it('policies that come and go while no agent runs hold from its start', { timeout: 200_000 }, async () => {
  writePolicy(FRIENDS);
  const [server, friend] = await podsUp('server', 'friend');
  const { open } = await connection(server, friend);
  await node.endAgent('SIGKILL');
  writePolicy(NOBODY);
  await moves(open, 50);
  await node.startAgent();
  await stands(open);
  await node.endAgent('SIGKILL');
  node.removeObject('NetworkPolicy', 'shop', 'from');
  await node.startAgent();
  await moves(open, 50);
  expect((await open.counters()).broken).toBe(0);
});

it('an agent killed in the middle of changes leaves no set behind', { timeout: 300_000 }, async () => {
  writePolicy(FRIENDS);
  const [server, friend, foe] = await podsUp('server', 'friend', 'foe');
  const { listening, open } = await connection(server, friend);
  const intruder = new Probe(foe, intruding(server));
  for (let round = 0; round < 5; round++) {
    const ports = Array.from({ length: 400 }, (_, index) => ({ port: 10_000 + round + 3 * index }));
    node.writeObject('NetworkPolicy', 'shop', 'long', {
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: 'long', namespace: 'shop' },
      spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }], ports }] },
    });
    // A change is seen within 100 ms, and takes some to write.
    await new Promise((resolve) => setTimeout(resolve, 60 + 25 * round));
    await node.endAgent('SIGKILL');
    await moves(open, 30);
    await node.startAgent();
  }
  await until('one set is left for each', () => setsInKernel().size === 3 || undefined);
  await moves(open, 30);
  expect((await listening.counters())[foe.ip]).toBeUndefined();
  expect((await intruder.counters()).connected).toBe(0);
  expect((await open.counters()).broken).toBe(0);
});

/** Numbers of the policy sets that have entries. */
function setsInKernel(): Set<number> {
  const folder = join(node.run.pins, 'maps');
  const pin = readdirSync(folder).find((name) => name.startsWith('policies-'))!;
  const dump = execFileSync('bpftool', ['-j', 'map', 'dump', 'pinned', join(folder, pin)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  // An entry that was deleted while the map was walked has no contents.
  const entries = JSON.parse(dump) as { formatted?: { key: { set: number } } }[];
  return new Set(entries.flatMap(({ formatted }) => formatted?.key.set ?? []));
}

it('a cluster state that is gone is no order to forget it, for an agent that runs or one that starts', {
  timeout: 300_000,
}, async () => {
  writePolicy(FRIENDS);
  const [server, friend, foe] = await podsUp('server', 'friend', 'foe');
  const { listening, open } = await connection(server, friend);
  const intruder = new Probe(foe, intruding(server));
  await until('the foe tries', async () => (await intruder.counters()).sent > 100 || undefined);
  const away = `${node.stateDirectory}-away`;
  const goesOn = async () => {
    const { sent } = await intruder.counters();
    await until('the foe goes on', async () => (await intruder.counters()).sent > sent + 300 || undefined);
    await moves(open, 50);
    expect((await listening.counters())[foe.ip]).toBeUndefined();
  };
  renameSync(node.stateDirectory, away);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  await goesOn();
  renameSync(away, node.stateDirectory);
  await goesOn();
  writePolicy(NOBODY);
  await stands(open);
  writePolicy(FRIENDS);
  await goesOn();

  await node.endAgent('SIGKILL');
  renameSync(node.stateDirectory, away);
  await node.startAgent();
  const problem = async () => (await node.flows.status({})).nodes[0]?.message ?? '';
  const unread = /cluster state could not be read yet; what was in force before stays so/;
  await until('it says that it knows nothing', async () => unread.test(await problem()) || undefined);
  await goesOn();
  renameSync(away, node.stateDirectory);
  await until('all is well again', async () => (await problem()) === '' || undefined);
  await goesOn();
  expect((await open.counters()).broken).toBe(0);
});

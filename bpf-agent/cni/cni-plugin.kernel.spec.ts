import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { TestNode } from '../testing/test-node.ts';
import { until } from '../testing/until.ts';

// The plugin as a container runtime runs it: its executable, CNI's environment and standard input, a real network namespace
// and veth pair without a process in them, and the agent.

const PLUGIN = join(import.meta.dirname, 'waggle-cni');
const PORT = 9999;

let node: TestNode;
let children: ChildProcess[];
let bare: BarePod[];

beforeEach(() => {
  node = new TestNode();
  children = [];
  bare = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const { netns } of bare) execFileSync('ip', ['netns', 'del', netns]);
  await node.stop();
});

interface BarePod {
  readonly uid: string;
  readonly name: string;
  readonly ip: string;
  readonly veth: string;
  readonly netns: string;
}

/** What the first plugin of a list leaves: a namespace with an address, and nobody in it. */
function madeByFirstPlugin(name: string, host: number): BarePod {
  const pod = { uid: randomUUID(), name, ip: `10.77.1.${host}`, veth: `wgc${host}`, netns: `${node.id}c${host}` };
  const ip = (...args: string[]) => execFileSync('ip', args);
  ip('netns', 'add', pod.netns);
  bare.push(pod);
  ip('-n', pod.netns, 'link', 'set', 'lo', 'up');
  ip('-n', node.id, 'link', 'add', pod.veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pod.netns);
  ip('-n', node.id, 'addr', 'add', '169.254.1.1/32', 'dev', pod.veth);
  ip('-n', node.id, 'link', 'set', pod.veth, 'up');
  ip('-n', pod.netns, 'addr', 'add', `${pod.ip}/32`, 'dev', 'eth0');
  ip('-n', pod.netns, 'link', 'set', 'eth0', 'up');
  ip('-n', pod.netns, 'route', 'add', '169.254.1.1', 'dev', 'eth0');
  ip('-n', pod.netns, 'route', 'add', 'default', 'via', '169.254.1.1', 'dev', 'eth0');
  ip('-n', node.id, 'route', 'add', `${pod.ip}/32`, 'dev', pod.veth);
  return pod;
}

async function runtimeAsks(command: string, pod: BarePod, more: { timeoutMs?: number; netns?: string } = {}) {
  const prevResult = {
    cniVersion: '1.1.0',
    interfaces: [{ name: 'cni0' }, { name: pod.veth }, { name: 'eth0', sandbox: `/run/netns/${pod.netns}` }],
    ips: [{ interface: 2, address: `${pod.ip}/32` }],
  };
  const child = spawn('nsenter', [`--net=/run/netns/${node.id}`, PLUGIN], {
    env: {
      CNI_COMMAND: command,
      CNI_CONTAINERID: 'c1',
      CNI_NETNS: more.netns ?? `/run/netns/${pod.netns}`,
      CNI_IFNAME: 'eth0',
      CNI_ARGS: `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${pod.name};K8S_POD_UID=${pod.uid}`,
      CNI_PATH: import.meta.dirname,
      WAGGLE_CNI_NODE: process.execPath,
    },
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk));
  child.stdin.end(
    JSON.stringify({
      ...{ cniVersion: '1.1.0', name: 'k8s', type: 'waggle-cni', agentSocket: node.run.socket, prevResult },
      timeoutMs: more.timeoutMs ?? 300,
    }),
  );
  const exit = await new Promise((resolve) => child.once('close', resolve));
  return { exit, answer: said === '' ? undefined : JSON.parse(said), prevResult };
}

/** Counts the datagrams that come into the namespace, and sends one out each millisecond. */
function talk(netns: string, to: string): { counters(): Promise<{ came: number; sent: number }> } {
  const code = `const c={came:0,sent:0};const u=require('dgram').createSocket('udp4');
    u.on('message',()=>c.came++);u.on('error',()=>{});
    u.bind(${PORT},()=>setInterval(()=>{c.sent++;u.send('x',${PORT},'${to}',()=>{})},1));
    process.stdin.on('data',()=>console.log(JSON.stringify(c)))`;
  const child = spawn('nsenter', [`--net=/run/netns/${netns}`, process.execPath, '-e', code]);
  children.push(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk));
  return {
    async counters() {
      said = '';
      child.stdin.write('?\n');
      return JSON.parse(await until('the talker answers', () => (said.includes('\n') ? said : undefined)));
    },
  };
}

function writePolicy(name: string, spec: object): void {
  const metadata = { name, namespace: 'shop' };
  node.writeObject('NetworkPolicy', 'shop', name, { apiVersion: 'networking.k8s.io/v1', metadata, spec });
}

it('a pod is closed before its first process, under its policy once that is known, and free where none selects it', {
  timeout: 120_000,
}, async () => {
  writePolicy('friends', {
    podSelector: { matchLabels: { app: 'late' } },
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ from: [{ podSelector: { matchLabels: { app: 'friend' } } }] }],
  });
  const friend = node.addPod('friend');
  const foe = node.addPod('foe');
  await node.startAgent();
  for (const { uid } of [friend, foe]) {
    await node.agentCalls.awaitEndpoint({ podUid: uid, timeoutMs: 30_000 }, { deadlineMs: 40_000 });
  }

  const late = madeByFirstPlugin('late', 1);
  const added = await runtimeAsks('ADD', late);
  expect(added).toMatchObject({ exit: 0, answer: added.prevResult });
  expect((await runtimeAsks('CHECK', late)).exit).toBe(0);

  // Its process runs, and the cluster's state does not know it: nobody reaches it, and it reaches nobody.
  const inside = talk(late.netns, foe.ip);
  const [fromFriend, fromFoe] = [talk(friend.namespace, late.ip), talk(foe.namespace, late.ip)];
  for (const talker of [inside, fromFriend, fromFoe]) {
    await until('it talks', async () => (await talker.counters()).sent > 200 || undefined);
  }
  expect(await inside.counters()).toMatchObject({ came: 0 });
  expect(await fromFoe.counters()).toMatchObject({ came: 0 });

  // Known by its uid, without an address in the state and without a cgroup: the plugin has told both.
  node.writeObject('Pod', 'shop', 'late', {
    metadata: { name: 'late', namespace: 'shop', uid: late.uid, labels: { app: 'late' } },
    spec: { nodeName: node.name, containers: [] },
    status: { phase: 'Pending', podIPs: [] },
  });
  await until('the friend gets through', async () => (await inside.counters()).came > 100 || undefined);
  // The pod's own egress stays closed by its policy; and who came through was the friend alone.
  expect((await fromFoe.counters()).came).toBe(0);
  const hits = await node.agentCalls.listRuleHits({});
  expect(JSON.stringify(hits.rules.map(({ policies }) => policies.map(({ name }) => name)))).toContain('friends');

  expect((await runtimeAsks('DEL', late)).exit).toBe(0);
  expect((await runtimeAsks('STATUS', late)).exit).toBe(0);
  expect((await runtimeAsks('GC', late)).exit).toBe(0);
});

it('waits for a pod that is known, by name where there is no namespace to look into', async () => {
  writePolicy('closed', { podSelector: {} });
  await node.startAgent();
  const pod = madeByFirstPlugin('web', 2);
  node.writeObject('Pod', 'shop', 'web', {
    metadata: { name: 'web', namespace: 'shop', uid: pod.uid, labels: { app: 'web' } },
    spec: { nodeName: node.name, containers: [] },
    status: { phase: 'Pending', podIPs: [] },
  });
  const before = performance.now();
  expect((await runtimeAsks('ADD', pod, { timeoutMs: 30_000, netns: '/run/netns/not-seen-from-here' })).exit).toBe(0);
  expect(performance.now() - before).toBeLessThan(20_000);
  const { endpoints } = await node.agentCalls.listEndpoints({});
  expect(endpoints).toMatchObject([{ pod: 'web', interfaceName: pod.veth, addresses: [pod.ip], problem: '' }]);
});

it('fails when it must: no agent, no such interface', async () => {
  const pod = madeByFirstPlugin('web', 3);
  expect(await runtimeAsks('ADD', pod)).toMatchObject({ exit: 1, answer: { code: 11 } });
  expect(await runtimeAsks('STATUS', pod)).toMatchObject({ exit: 1, answer: { code: 50 } });
  await node.startAgent();
  expect(await runtimeAsks('CHECK', pod)).toMatchObject({ exit: 1, answer: { code: 100 } });
  const nowhere = await runtimeAsks('ADD', { ...pod, veth: 'wgc99' }, { netns: '/run/netns/none' });
  expect(nowhere).toMatchObject({ exit: 1, answer: { code: 100, msg: expect.stringContaining('wgc99') } });
  // Nothing is enforced where there is no policy, and nobody is kept out.
  expect((await runtimeAsks('ADD', pod)).exit).toBe(0);
  const other = node.addPod('other');
  const inside = talk(pod.netns, other.ip);
  talk(other.namespace, pod.ip);
  await until('they talk', async () => (await inside.counters()).came > 50 || undefined);
});

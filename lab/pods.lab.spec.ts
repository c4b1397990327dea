import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cpuShare } from '#runtime/testing/cpu-share.ts';
import { labLayout, netnsPath, podNetns } from './lab-layout.ts';
import { readyPods, specLabName, traces, until } from './spec-lab.ts';
import { type Lab, startLab } from './start-lab.ts';
import type { Job, Node, Pod } from './store/objects.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab({ name: specLabName(), agents: false });
});
afterAll(async () => {
  await lab?.down();
  expect(traces(lab.name)).toEqual([]);
});

const apply = (text: string) => lab.apply([{ name: 'spec.yaml', text }]);
/** A namespace for one test, with what is in it applied. */
async function given(namespace: string, ...objects: string[]): Promise<void> {
  const texts = [`{apiVersion: v1, kind: Namespace, metadata: {name: ${namespace}}}`, ...objects];
  const response = await lab.apply([{ name: 'spec.yaml', text: texts.join('\n---\n') }], namespace);
  expect(response.problems).toEqual([]);
}
const pod = (name: string, container: string, spec = '', labels = '') =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, labels: {${labels}}}, spec: {${spec}containers: [{name: main, ${container}}]}}`;
const getPod = async (namespace: string, name: string) =>
  (await lab.list<Pod>('Pod', namespace)).find((one) => one.metadata.name === name);
const status = (one: Pod | undefined) => one?.status.containerStatuses?.[0];

const SERVER =
  'image: waggle.dev/lab/http, env: [{name: PORT, value: "8080"}], ports: [{name: http, containerPort: 8080}]';
const SHELL = 'image: none, command: [sleep, infinity]';
const fetchFrom = (namespace: string, from: string, url: string) =>
  lab.exec(namespace, from, [
    process.execPath,
    '-e',
    `fetch(${JSON.stringify(url)}, { signal: AbortSignal.timeout(30000) }).then(async (r) => console.log(r.status, await r.text()))`,
  ]);

describe('pods reach each other', () => {
  test.each([
    ['on one node', 'node1', 'node1'],
    ['across nodes', 'node1', 'node2'],
  ])('%s, over IPv4 and IPv6, by address and by name', async (_where, clientNode, serverNode) => {
    const namespace = `reach-${clientNode}-${serverNode}`;
    await given(
      namespace,
      pod('client', SHELL, `nodeName: ${clientNode}, `),
      pod('server', SERVER, `nodeName: ${serverNode}, `, 'app: server'),
      '{apiVersion: v1, kind: Service, metadata: {name: api}, spec: {ipFamilyPolicy: PreferDualStack, selector: {app: server}, ports: [{name: web, port: 8080, targetPort: http}]}}',
    );
    await readyPods(lab, namespace, 2);
    const addresses = (await getPod(namespace, 'server'))!.status.podIPs!.map(({ ip }) => ip);
    expect(addresses).toHaveLength(2);
    for (const host of [addresses[0], `[${addresses[1]}]`]) {
      expect(await fetchFrom(namespace, 'client', `http://${host}:8080/x`)).toMatchObject({
        status: 0,
        stdout: expect.stringContaining('200 {"name":"http","version":"v1","path":"/x"'),
      });
    }
    // What the C library makes of resolv.conf and our DNS.
    await until('the name resolves', 60_000, async () => {
      const { stdout } = await lab.exec(namespace, 'client', ['getent', 'ahosts', 'api']);
      return addresses.every((address) => stdout.includes(address));
    });
    const named = await fetchFrom(namespace, 'client', `http://api.${namespace}:8080/`);
    expect(named.stdout).toContain('200 ');
    expect((await lab.exec(namespace, 'client', ['getent', 'hosts', 'nobody'])).status).not.toBe(0);
  });

  test('and their node, and nodes each other', async () => {
    await given('node-reach', pod('server', SERVER, 'nodeName: node2, '));
    await readyPods(lab, 'node-reach', 1);
    const [, node2] = (await lab.status()).nodes;
    const { netns } = (await lab.status()).nodes[0]!;
    const address = (await getPod('node-reach', 'server'))!.status.podIP;
    const { runTool } = await import('./network/run-tool.ts');
    const script = `fetch('http://${address}:8080/', { signal: AbortSignal.timeout(30000) }).then((r) => console.log(r.status))`;
    for (const from of [netns, node2!.netns]) {
      const { stdout } = await runTool('nsenter', [`--net=${netnsPath(from)}`, process.execPath, '-e', script]);
      expect(stdout, from).toBe('200\n');
    }
    const fromHost = await fetch(`http://${address}:8080/`);
    expect(fromHost.status, 'the host reaches pods too').toBe(200);
  });
});

describe('a pod', () => {
  test('is what Kubernetes would make of it', async () => {
    await given(
      'shape',
      pod(
        'web-0',
        `${SHELL}, resources: {limits: {cpu: 1}}, env: [{name: ME, valueFrom: {fieldRef: {fieldPath: status.podIP}}}]`,
        'nodeName: node2, ',
      ),
    );
    await readyPods(lab, 'shape', 1);
    const web = (await getPod('shape', 'web-0'))!;
    expect(web.status).toMatchObject({ phase: 'Running', qosClass: 'Burstable', hostIP: expect.any(String) });
    const node = (await lab.list<Node>('Node')).find(({ metadata }) => metadata.name === 'node2')!;
    expect(web.status.hostIP).toBe(node.status.addresses[0]!.address);
    const script =
      'hostname; echo $ME; cat /etc/resolv.conf; tail -n 1 /proc/self/cgroup; cat /sys/class/net/eth0/mtu; echo $TERM$SHELL$USER';
    const { stdout } = await lab.exec('shape', 'web-0', ['sh', '-c', script]);
    const [hostname, me, ...rest] = stdout.trimEnd().split('\n');
    expect(hostname).toBe('web-0');
    expect(me).toBe(web.status.podIP);
    expect(rest.slice(1, 3)).toEqual([
      'search shape.svc.cluster.local svc.cluster.local cluster.local',
      'options ndots:5',
    ]);
    const uid = web.metadata.uid.replaceAll('-', '_');
    expect(rest[3]).toMatch(
      new RegExp(
        `/waggle/${lab.name}/node2/kubepods\\.slice/kubepods-burstable\\.slice/kubepods-burstable-pod${uid}\\.slice/cri-containerd-[0-9a-f]{64}\\.scope$`,
      ),
    );
    const state = JSON.parse(readFileSync(join((await lab.status()).stateDir, 'Pod', 'shape', 'web-0.yaml'), 'utf8'));
    expect(state).toEqual(web);
  });

  test('changes labels in place: its process and address stay', async () => {
    await given('relabel', pod('one', SHELL, '', 'tier: a'));
    const [before] = await readyPods(lab, 'relabel', 1);
    const target = await lab.execTarget('relabel', 'one');
    const response = await lab.apply([{ name: 'x', text: pod('one', SHELL, '', 'tier: b') }], 'relabel');
    expect(response.results).toMatchObject([{ kind: 'Pod', name: 'one', outcome: 'configured' }]);
    await apply('{apiVersion: v1, kind: Namespace, metadata: {name: relabel, labels: {team: blue}}}');
    const after = (await getPod('relabel', 'one'))!;
    expect(after.metadata.labels).toEqual({ tier: 'b' });
    expect(after.metadata.uid).toBe(before!.metadata.uid);
    expect(after.status).toEqual(before!.status);
    expect((await lab.execTarget('relabel', 'one')).pid).toBe(target.pid);
    const { stateDir } = await lab.status();
    const written = (path: string) => JSON.parse(readFileSync(join(stateDir, path), 'utf8')).metadata.labels;
    expect(written('Pod/relabel/one.yaml')).toEqual({ tier: 'b' });
    expect(written('Namespace/_cluster/relabel.yaml')).toEqual({
      'kubernetes.io/metadata.name': 'relabel',
      team: 'blue',
    });
    expect(
      (await apply('{apiVersion: v1, kind: Namespace, metadata: {name: relabel, labels: {team: blue}}}')).results,
    ).toMatchObject([{ outcome: 'unchanged' }]);
  });

  test('that crashes is restarted ever more slowly, and still has its network in between', async () => {
    await given('crash', pod('looper', 'image: x, command: [sh, -c, "echo started; exit 3"]'));
    const looping = await until('it waits for its third restart, or a later one', 60_000, async () => {
      const one = await getPod('crash', 'looper');
      const state = status(one);
      return state?.state.waiting?.reason === 'CrashLoopBackOff' && state.restartCount >= 2 ? one : undefined;
    });
    const seconds = 2 ** (status(looping)!.restartCount - 1);
    expect(status(looping)).toMatchObject({
      ready: false,
      state: { waiting: { message: `back-off ${seconds}s restarting failed container=main` } },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    });
    expect(looping.status.phase).toBe('Running');
    expect(existsSync(netnsPath(podNetns(labLayout(lab.name), looping.spec.nodeName!, looping.metadata.uid)))).toBe(
      true,
    );
    // Meanwhile it may have been started once more.
    expect(await lab.log('crash', 'looper')).toMatch(/^(started\n){3,}$/);
    await until('nothing is executed in it', 60_000, async () => {
      const answer = await lab.exec('crash', 'looper', ['true']).catch((error: Error) => error);
      return answer instanceof Error && /does not run: CrashLoopBackOff/.test(answer.message);
    });
  });

  test('whose built-in program ends has its exit code', async () => {
    const env = 'image: waggle.dev/lab/exit, env: [{name: EXIT_CODE, value: "7"}, {name: AFTER_MS, value: "50"}]';
    await given(
      'ends',
      pod('failed', env, 'restartPolicy: Never, '),
      pod('wrong', 'image: waggle.dev/lab/load', 'restartPolicy: Never, '),
    );
    for (const [name, exitCode] of [
      ['failed', 7],
      ['wrong', 1],
    ] as const) {
      const one = await until(`${name} has failed`, 60_000, async () => {
        const found = await getPod('ends', name);
        return found?.status.phase === 'Failed' ? found : undefined;
      });
      expect(status(one)?.state.terminated).toMatchObject({ exitCode, reason: 'Error' });
    }
    expect(await lab.log('ends', 'wrong')).toContain('URL is not set');
  });

  test('whose program is killed is restarted', async () => {
    await given('killed', pod('server', SERVER));
    await readyPods(lab, 'killed', 1);
    const before = await lab.execTarget('killed', 'server');
    process.kill(before.pid, 'SIGKILL');
    const after = await until('it runs again', 60_000, async () => {
      const one = await getPod('killed', 'server');
      return status(one)?.restartCount === 1 && status(one)?.ready ? one : undefined;
    });
    expect(status(after)?.lastState.terminated?.exitCode).toBe(137);
    expect((await fetchFrom('killed', 'server', 'http://127.0.0.1:8080/')).stdout).toContain('200 ');
  });

  test("that goes does not disturb those that talk to it, nor their node's other programs", async () => {
    await given(
      'goes',
      pod(
        'server',
        'image: waggle.dev/lab/tcp-server, env: [{name: PORT, value: "4000"}]',
        'nodeName: node1, ',
        'app: server',
      ),
      pod(
        'echo',
        'image: waggle.dev/lab/udp-echo, env: [{name: PORT, value: "4000"}]',
        'nodeName: node1, ',
        'app: echo',
      ),
    );
    await readyPods(lab, 'goes', 2);
    // By address: by a name, they may only ever learn that it is gone.
    const addressOf = async (name: string) => (await getPod('goes', name))!.status.podIP;
    const [tcp, udp] = await Promise.all(['server', 'echo'].map(addressOf));
    const client = (kind: string, address: string | undefined) => {
      const env = `env: [{name: TARGET, value: "${address}:4000"}, {name: RATE, value: "50"}]`;
      return pod(`${kind}-client`, `image: waggle.dev/lab/${kind}-client, ${env}`, 'nodeName: node2, ');
    };
    await given('goes', client('tcp', tcp), client('udp', udp));
    await readyPods(lab, 'goes', 4);
    const says = (name: string, what: RegExp) => async () => what.test(await lab.log('goes', name)) || undefined;
    await until('both clients succeed', 60_000, says('tcp-client', / [1-9]\d* ok/));
    await until('both clients succeed', 60_000, says('udp-client', / [1-9]\d* ok/));
    await lab.delete({ objects: ['server', 'echo'].map((name) => ({ kind: 'Pod', namespace: 'goes', name })) });
    await until('the client fails', 60_000, says('tcp-client', /failed: /));
    await until('the client fails', 60_000, says('udp-client', /failed: /));
    const left = await readyPods(lab, 'goes', 2);
    expect(left.map((one) => status(one)?.restartCount)).toEqual([0, 0]);
  });

  test('that has finished holds nothing any more, and can be deleted', async () => {
    await given('finished', pod('done', 'image: x, command: ["true"]', 'restartPolicy: Never, '));
    const done = await until('it succeeded', 60_000, async () => {
      const one = await getPod('finished', 'done');
      return one?.status.phase === 'Succeeded' ? one : undefined;
    });
    expect(status(done)?.state.terminated?.reason).toBe('Completed');
    const netns = netnsPath(podNetns(labLayout(lab.name), done.spec.nodeName!, done.metadata.uid));
    await until('its network is gone', 30_000, () => !existsSync(netns));
    await lab.delete({ objects: [{ kind: 'Pod', namespace: 'finished', name: 'done' }] });
    expect(await lab.list('Pod', 'finished')).toEqual([]);
  });

  test('on the host network is its node', async () => {
    await given('hostnet', pod('agentish', SHELL, 'hostNetwork: true, nodeName: node1, '));
    const [one] = await readyPods(lab, 'hostnet', 1);
    const node1 = (await lab.status()).nodes[0]!;
    expect(one!.status.podIP).toBe(node1.address.v4);
    const { stdout } = await lab.exec('hostnet', 'agentish', ['ip', '-brief', '-4', 'address']);
    expect(stdout).toContain(node1.address.v4);
  });
});

describe('workloads', () => {
  const deployment = (name: string, replicas: number, container: string) =>
    `{apiVersion: apps/v1, kind: Deployment, metadata: {name: ${name}}, spec: {replicas: ${replicas}, selector: {matchLabels: {app: ${name}}}, template: {metadata: {labels: {app: ${name}}}, spec: {containers: [{name: main, ${container}}]}}}}`;

  test('20 pods stand within 2 s', async () => {
    const round = async (): Promise<number> => {
      await given('twenty');
      const began = performance.now();
      await lab.apply([{ name: 'x', text: deployment('many', 20, 'image: waggle.dev/lab/sleep') }], 'twenty');
      const pods = await readyPods(lab, 'twenty', 20);
      const took = performance.now() - began;
      expect(new Set(pods.map((one) => one.status.podIP)).size).toBe(20);
      await lab.delete({ objects: [{ kind: 'Namespace', name: 'twenty' }] });
      expect(await lab.list('Pod', 'twenty')).toEqual([]);
      return took;
    };
    // A shared machine may be busy with something else: the best of a few rounds counts, and when more wants to run than
    // there are processors, only our share of the time does.
    let best = (await round()) * cpuShare();
    for (let more = 0; more < 4 && best >= 2_000; more++) best = Math.min(best, (await round()) * cpuShare());
    expect(best).toBeLessThan(2_000);
  });

  test('are scaled', async () => {
    await given('scaled', deployment('web', 1, 'image: waggle.dev/lab/sleep'));
    const [first] = await readyPods(lab, 'scaled', 1);
    await lab.scale('scaled', 'web', 3);
    await readyPods(lab, 'scaled', 3);
    await lab.scale('scaled', 'web', 1);
    const [left] = await readyPods(lab, 'scaled', 1);
    expect(left!.metadata.name).toBe(first!.metadata.name);
    await lab.scale('scaled', 'web', 0);
    await until('none is left', 60_000, async () => (await lab.list('Pod', 'scaled')).length === 0);
    await expect(lab.scale('scaled', 'nobody', 1)).rejects.toThrow('there is no deployment "nobody"');
  });

  test('a Job runs to its completions', async () => {
    await given(
      'jobs',
      '{apiVersion: batch/v1, kind: Job, metadata: {name: sums}, spec: {completions: 3, parallelism: 2, template: {spec: {restartPolicy: Never, containers: [{name: main, image: x, command: [sh, -c, "echo $((1+1))"]}]}}}}',
    );
    const job = await until('it is complete', 60_000, async () => {
      const [one] = await lab.list<Job>('Job', 'jobs');
      return one?.status.conditions?.[0]?.type === 'Complete' ? one : undefined;
    });
    expect(job.status).toMatchObject({ succeeded: 3, failed: 0 });
    expect(await lab.log('jobs', 'sums')).toBe('2\n');
  });

  test('a DaemonSet has a pod on every node', async () => {
    await given(
      'daemons',
      '{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: each}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: main, image: waggle.dev/lab/sleep}]}}}}',
    );
    const pods = await readyPods(lab, 'daemons', 2);
    expect(pods.map((one) => one.spec.nodeName).sort()).toEqual(['node1', 'node2']);
  });
});

test('a broken manifest is told by file and line, and the rest still applies', async () => {
  const good = '{apiVersion: v1, kind: Namespace, metadata: {name: sound}}';
  const response = await lab.apply([
    {
      name: 'a.yaml',
      text: `${good}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: []}\n---\nkind: {`,
    },
    {
      name: 'b.yaml',
      text: '{apiVersion: v1, kind: Service, metadata: {name: s, namespace: sound}, spec: {ports: [{port: 80}]}}',
    },
    {
      name: 'c.yaml',
      text: '{apiVersion: v1, kind: Service, metadata: {name: s, namespace: nowhere}, spec: {ports: [{port: 80}]}}',
    },
    { name: 'd.yaml', text: '{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}' },
  ]);
  expect(response.results.map(({ kind, outcome }) => `${kind} ${outcome}`)).toEqual([
    'Namespace created',
    'Service created',
  ]);
  expect(response.problems.map(({ file, line, message }) => `${file}:${line} ${message}`)).toEqual([
    'a.yaml:6 Pod p: spec.containers must hold at least one container',
    expect.stringMatching(/^a\.yaml:8 /),
    'c.yaml:1 Service s: metadata.namespace there is no namespace "nowhere"; apply it too',
  ]);
  expect(response.ignoredKinds).toEqual([{ kind: 'ConfigMap.v1', count: 1 }]);
});

test('guestbook and bookinfo talk', async () => {
  const { scenarioSources } = await import('./scenario.ts');
  for (const name of ['guestbook', 'bookinfo']) {
    expect((await lab.apply(scenarioSources(name)!)).problems).toEqual([]);
  }
  await readyPods(lab, 'bookinfo', 7);
  await readyPods(lab, 'default', 3);
  for (const [namespace, client] of [
    ['default', 'web'],
    ['default', 'web2'],
    ['bookinfo', 'load-generator'],
  ] as const) {
    await until(`${client} had answers`, 60_000, async () => / [1-9]\d* ok/.test(await lab.log(namespace, client)));
  }
});

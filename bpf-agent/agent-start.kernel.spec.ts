import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allLinks, isRoot, TestNode, type TestPod } from './testing/test-node.ts';
import { until } from './testing/until.ts';

let node: TestNode;

beforeEach(() => {
  node = new TestNode();
});
afterEach(() => node.stop());

describe.runIf(isRoot())('an agent that cannot start', () => {
  it('refuses to run twice, and cleans up', async () => {
    node.addPod('web-1');
    await node.startAgent();
    const again = node.waggle('agent', '--state-dir', node.stateDirectory, '--run-dir', node.run.path);
    expect(await again.ended).toBe(1);
    expect(again.output).toMatch(/an agent already runs on .*--run-dir/);
    const early = node.waggle('agent', 'cleanup', '--run-dir', node.run.path);
    expect(await early.ended).toBe(1);
    expect(early.output).toMatch(/stop it first/);

    await node.endAgent();
    const links = node.pinnedLinks();
    expect(links).toHaveLength(2);
    expect(allLinks()).toEqual(expect.arrayContaining(links));
    const cleaned = node.waggle('agent', 'cleanup', '--run-dir', node.run.path);
    expect(await cleaned.ended).toBe(0);
    // The kernel frees them in the background.
    await until('its links are gone', () => !allLinks().some((id) => links.includes(id)) || undefined);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(node.run.path);
  });

  it('says in one line which port is taken', async () => {
    await node.startAgent();
    const second = node.waggle(
      'agent',
      '--state-dir',
      node.stateDirectory,
      '--run-dir',
      `${node.run.path}-2`,
      '--metrics-listen',
      '127.0.0.1:0',
    );
    expect(await second.ended).toBe(1);
    expect(second.output).toMatch(/127\.0\.0\.1:4244 is already in use.*--listen/);
    const cleaned = node.waggle('agent', 'cleanup', '--run-dir', `${node.run.path}-2`);
    expect(await cleaned.ended).toBe(0);
  });

  it('says in one line what it lacks', async () => {
    const unprivileged = node.waggleAs('nobody', 'agent', '--state-dir', '/nowhere', '--run-dir', '/nowhere');
    expect(await unprivileged.ended).toBe(1);
    expect(unprivileged.output).toMatch(/^waggle: eBPF cannot be used here: missing CAP_SYS_ADMIN.*root.*\n$/);
    const stateless = node.waggle('agent', '--run-dir', node.run.path);
    expect(await stateless.ended).toBe(2);
    expect(stateless.output).toMatch(/--state-dir/);
  });
});

describe.runIf(isRoot())('an agent that cannot do all of it', () => {
  const ready = () =>
    node.runOnNode(
      `fetch('http://127.0.0.1:9965/readyz').then(async r=>console.log(r.status,await r.text()),e=>console.log(e.cause))`,
    );

  it('lets packets to Services pass where it cannot translate sockets, and is not ready', async () => {
    const address = '10.96.0.10';
    const pod = node.addPod('web-1');
    node.writeObject('ServiceCIDR', '_cluster', 'kubernetes', {
      metadata: { name: 'kubernetes' },
      spec: { cidrs: ['10.96.0.0/16'] },
    });
    // Somebody else serves the range, as kube-proxy does: behind an address that the cluster knows nothing of.
    const other = node.addSandbox('other', randomUUID());
    execFileSync('ip', ['-n', other.namespace, 'addr', 'add', `${address}/32`, 'dev', 'lo']);
    execFileSync('ip', ['-n', node.id, 'route', 'add', `${address}/32`, 'via', other.ip, 'dev', 'wgv2']);
    await node.serve(other, 80);
    const place = noCgroup(pod);
    await node.startAgent('--cgroup-root', place);
    const said = await until('it says what is wrong', async () => {
      const answer = await ready();
      return /^503/.test(answer) && /services/.test(answer) ? answer : undefined;
    });
    expect(said).toMatch(/cannot attach Services to the cgroup .*--cgroup-root has to be a directory of cgroup v2/);
    await until('the pod is observed', async () => (await node.flows.status({})).nodes[0]!.endpoints === 1);
    await node.request(pod, { ...other, ip: address }, 80);
  });

  it('is not ready where it sees none of the pods', async () => {
    node.addPod('web-1');
    const nothing = join(node.folder, 'nothing');
    mkdirSync(nothing);
    await node.startAgent('--services', 'off', '--cgroup-root', nothing);
    const said = await until('it says what is wrong', async () => {
      const answer = await ready();
      return /^503/.test(answer) ? answer : undefined;
    });
    expect(said).toMatch(/"pods","problem":"not observed: pod shop\/web-1: no cgroup directory/);
  });

  /** A folder that looks as the pod's cgroup does, and is none. */
  function noCgroup(pod: TestPod): string {
    const folder = join(node.folder, 'no-cgroup');
    const place = join(folder, pod.cgroup.slice(node.cgroupRoot.length));
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'cgroup.procs'), `${pod.process.pid}\n`);
    return folder;
  }
});

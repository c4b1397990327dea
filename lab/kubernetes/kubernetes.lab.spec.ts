import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Verdict } from '#proto/gen/flow/flow_pb.ts';
import { Observer } from '#proto/gen/observer/observer_pb.ts';
import { AgentService } from '#proto/gen/waggle/v1/agent_pb.ts';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { apiServerObstacle, findProgram } from '#runtime/testing/api-server.ts';
import { agentSocket, labLayout, nodeRunDir } from '../lab-layout.ts';
import { readyPods, specLabName, traces, until } from '../spec-lab.ts';
import { type Lab, startLab } from '../start-lab.ts';
import type { Pod } from '../store/objects.ts';
import { labKubeconfig } from './lab-api-server.ts';

const obstacle =
  apiServerObstacle() ?? (findProgram('kubectl') === undefined ? 'there is no kubectl: install it' : undefined);
if (obstacle !== undefined) console.warn(`SKIPPED: a lab whose agents read a real API server: ${obstacle}`);

const WEB = `
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: node1, containers: [{name: c, image: waggle.dev/lab/http, env: [{name: PORT, value: "8080"}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: shop, labels: {app: client}}
spec: {nodeName: node2, containers: [{name: c, image: none, command: [sleep, infinity]}]}
`;

const POLICY = JSON.stringify({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'closed', namespace: 'shop' },
  spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] },
});

describe.skipIf(obstacle !== undefined)('a lab whose agents read a real API server', () => {
  let lab: Lab;
  let web: Pod;
  beforeAll(async () => {
    lab = await startLab({ name: specLabName(), source: 'kubernetes' });
    await lab.apply([{ name: 'web', text: WEB }]);
    const pods = await readyPods(lab, 'shop', 2);
    web = pods.find(({ metadata }) => metadata.name === 'web')!;
  }, 240_000);
  afterAll(async () => {
    returned?.kill('SIGKILL');
    await lab?.down();
    if (lab !== undefined) expect(traces(lab.name)).toEqual([]);
  });

  const kubectl = (args: readonly string[], input?: string) =>
    execFileSync(findProgram('kubectl')!, ['--kubeconfig', labKubeconfig(labLayout(lab.name)), ...args], {
      input,
      encoding: 'utf8',
    });
  /** The server's command line, to start it again with, and what was started so. */
  let serverCommand: string[] = [];
  let returned: ChildProcess | undefined;
  const killServer = () => {
    const found = execFileSync('pgrep', ['-f', `kube-apiserver.*${labLayout(lab.name).dir}/`], { encoding: 'utf8' });
    serverCommand = readFileSync(`/proc/${Number(found)}/cmdline`, 'utf8')
      .split('\0')
      .slice(0, -1);
    process.kill(Number(found), 'SIGKILL');
  };
  /** What a node's agent says is wrong; `no answer` while it does not serve. */
  const problemOf = async (node: string) => {
    const client = createClient(FlowService, `unix:${agentSocket(labLayout(lab.name), node)}`);
    try {
      const { nodes } = await client.status({}, { deadlineMs: 2_000 });
      return nodes[0]?.message ?? '';
    } catch {
      return 'no answer';
    } finally {
      client.close();
    }
  };
  /** Pods that a node's agent observes, with the numbers the kernel knows them by. */
  const podsOf = async (node: string) => {
    const client = createClient(AgentService, `unix:${agentSocket(labLayout(lab.name), node)}`);
    try {
      const { endpoints } = await client.listEndpoints({}, { deadlineMs: 2_000 });
      return endpoints.map(({ pod, identity, endpointId, problem }) => ({ pod, identity, endpointId, problem }));
    } finally {
      client.close();
    }
  };
  /** Who was refused whom, newest last. */
  const refusals = async (node: string) => {
    const client = createClient(Observer, `unix:${agentSocket(labLayout(lab.name), node)}`);
    const told: string[] = [];
    try {
      const request = { number: 1_000n, whitelist: [{ verdict: [Verdict.DROPPED] }] };
      for await (const { responseTypes } of client.getFlows(request, { signal: AbortSignal.timeout(10_000) })) {
        if (responseTypes.case !== 'flow') continue;
        const { source, destination } = responseTypes.value;
        told.push(`${source?.podName} → ${destination?.podName}`);
      }
      return told;
    } finally {
      client.close();
    }
  };
  const reaches = async () => {
    const connect = `exec 3<>/dev/tcp/${web.status.podIP}/8080`;
    const { status } = await lab.exec('shop', 'client', ['timeout', '2', 'bash', '-c', connect]);
    return status === 0;
  };

  test('has its objects at the server', () => {
    const names = kubectl(['get', 'pods', '-n', 'shop', '-o', 'jsonpath={.items[*].metadata.name}']);
    expect(names.split(' ').sort()).toEqual(['client', 'web']);
    expect(kubectl(['get', 'pod', '-n', 'shop', 'web', '-o', 'jsonpath={.status.podIP}'])).toBe(web.status.podIP);
    const internal = '{.items[*].status.addresses[?(@.type=="InternalIP")].address}';
    expect(kubectl(['get', 'nodes', '-o', `jsonpath=${internal}`]).split(' ')).toHaveLength(4);
    expect(kubectl(['get', 'nodes', '-o', 'name']).trim().split('\n')).toEqual(['node/node1', 'node/node2']);
  });

  test('enforces policies that kubectl applies, and lets go of them when it deletes them', async () => {
    await until('one reaches the other', 20_000, reaches);
    kubectl(['apply', '-f', '-'], POLICY);
    await until('the policy is enforced', 20_000, async () => !(await reaches()));
    kubectl(['delete', '-n', 'shop', 'networkpolicy', 'closed']);
    await until('the policy is gone', 20_000, reaches);
  });

  test('goes on enforcing while the server is gone', async () => {
    kubectl(['apply', '-f', '-'], POLICY);
    // What is only slow is no enforcement yet.
    const refused = async () => (await refusals('node1')).filter((each) => each === 'client → web').length;
    const before = await refused();
    await until('the policy is enforced', 30_000, async () => !(await reaches()) && (await refused()) > before);
    killServer();
    const stale = /gives no answer.*old and stays in use/;
    await vi.waitFor(async () => expect(await problemOf('node1')).toMatch(stale), { timeout: 40_000, interval: 100 });
    expect(await reaches()).toBe(false);
  });

  test('has agents that start meanwhile, go on with what the one before knew, say how old it is, and read what there is later', {
    timeout: 180_000,
  }, async () => {
    const known = await podsOf('node1');
    expect(known.map(({ pod }) => pod)).toContain('web');
    await lab.agent('node1', 'kill');
    const stale = /^Kubernetes API .*gives no answer.*what is known is .* old and stays in use/;
    await vi.waitFor(async () => expect(await problemOf('node1')).toMatch(stale), { timeout: 40_000, interval: 100 });
    await vi.waitFor(async () => expect(await podsOf('node1')).toEqual(known), { timeout: 20_000, interval: 100 });
    expect(await reaches()).toBe(false);
    // What the agent sees itself, after its start.
    await vi.waitFor(async () => expect(await refusals('node1')).toContain('client → web'), { timeout: 20_000 });

    // One that finds nothing says so, and leaves in force what was.
    await lab.agent('node1', 'stop');
    rmSync(join(nodeRunDir(labLayout(lab.name), 'node1'), 'cluster-state.jsonl'));
    await lab.agent('node1', 'start');
    const why = /could not be read yet; what was in force before stays so: .*gives no answer/;
    await vi.waitFor(async () => expect(await problemOf('node1')).toMatch(why), { timeout: 40_000, interval: 100 });
    expect(await reaches()).toBe(false);
    returned = spawn(serverCommand[0]!, serverCommand.slice(1), { stdio: 'ignore' });
    await vi.waitFor(async () => expect(await problemOf('node1')).toBe(''), { timeout: 60_000, interval: 100 });
    expect(await reaches()).toBe(false);
    kubectl(['delete', '-n', 'shop', 'networkpolicy', 'closed']);
    await until('the policy is gone', 30_000, reaches);
  });
});

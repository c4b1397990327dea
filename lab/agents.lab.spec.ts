import { afterAll, beforeAll, expect, test } from 'vitest';
import { podStatusText } from './get-table.ts';
import { readyPods, specLabName, traces, until } from './spec-lab.ts';
import { type Lab, startLab } from './start-lab.ts';
import type { Pod } from './store/objects.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab({ name: specLabName(), cgroupDriver: 'cgroupfs' });
});
afterAll(async () => {
  await lab?.down();
  expect(traces(lab.name)).toEqual([]);
});

const pod = (name: string, node: string) =>
  `{apiVersion: v1, kind: Pod, metadata: {name: ${name}}, spec: {nodeName: ${node}, containers: [{name: main, image: none, command: [sleep, infinity]}]}}`;

test('agents run in their nodes, and come back when they are killed', async () => {
  const before = (await lab.status()).nodes;
  expect(before.map(({ agent }) => agent)).toEqual(['running', 'running']);
  await lab.agent('node1', 'kill');
  const [node1] = await until('a new agent runs', 60_000, async () => {
    const { nodes } = await lab.status();
    return nodes[0]!.agent === 'running' && nodes[0]!.agentPid !== before[0]!.agentPid ? nodes : undefined;
  });
  expect(node1!.agentPid).toBeGreaterThan(0);
  await lab.agent('node2', 'restart');
  expect((await lab.status()).nodes[1]).toMatchObject({ agent: 'running' });
  await expect(lab.agent('node9', 'kill')).rejects.toThrow('there is no node "node9"; there are node1, node2');
});

test('a container starts only when the agent says that its pod is attached; the cgroups may have either shape', async () => {
  await lab.agent('node1', 'stop');
  await lab.apply([{ name: 'x', text: `${pod('early', 'node1')}\n---\n${pod('other', 'node2')}` }]);
  const waiting = await until('the other pod runs and this one says what it waits for', 60_000, async () => {
    const pods = await lab.list<Pod>('Pod', 'default');
    const [early, other] = ['early', 'other'].map((name) => pods.find(({ metadata }) => metadata.name === name)!);
    return other!.status.phase === 'Running' && podStatusText(early!).includes('(') ? early : undefined;
  });
  expect(podStatusText(waiting)).toMatch(/^ContainerCreating \(waiting for the agent of node1: /);
  expect(waiting.status.podIP, 'it has its network already').toMatch(/^\d/);
  await lab.agent('node1', 'start');
  await readyPods(lab, 'default', 2);
  const { stdout } = await lab.exec('default', 'early', ['tail', '-n', '1', '/proc/self/cgroup']);
  expect(stdout.trim()).toMatch(
    new RegExp(`/waggle/${lab.name}/node1/kubepods/besteffort/pod${waiting.metadata.uid}/[0-9a-f]{64}$`),
  );
});

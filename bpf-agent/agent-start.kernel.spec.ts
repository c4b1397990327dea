import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allLinks, isRoot, TestNode } from './kernel-test-node.ts';

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
    expect(allLinks().filter((id) => links.includes(id))).toEqual([]);
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
    expect(await stateless.ended).toBe(1);
    expect(stateless.output).toMatch(/--state-dir/);
  });
});

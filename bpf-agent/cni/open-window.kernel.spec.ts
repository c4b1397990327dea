import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cpuShare } from '#runtime/testing/cpu-share.ts';
import { TestNode } from '../testing/test-node.ts';
import { until } from '../testing/until.ts';

// Without the plugin the agent learns of a pod only once it has a process: how long that process is unwatched.

const PODS = 10;

let node: TestNode;

beforeEach(() => {
  node = new TestNode();
});

afterEach(() => node.stop());

/** How often the agent's programs are attached to pods, two each; looked at often, so by names alone. */
function attachments(): number {
  const folder = join(node.run.pins, 'links');
  if (!existsSync(folder)) return 0;
  return readdirSync(folder).filter((name) => /^\d+-(?:in|e)gress$/.test(name)).length;
}

it('without the plugin a new pod is open for a moment', { timeout: 120_000 }, async () => {
  const metadata = { name: 'closed', namespace: 'shop' };
  const policy = { apiVersion: 'networking.k8s.io/v1', metadata, spec: { podSelector: {} } };
  node.writeObject('NetworkPolicy', 'shop', 'closed', policy);
  await node.startAgent();
  const took: number[] = [];
  for (let index = 0; index < PODS; index++) {
    const [name, uid] = [`pod-${index}`, randomUUID()];
    // As on Kubernetes: the object first; interface, process and, much later, the addresses follow.
    node.writePod({ name, uid, ip: '' }, { app: 'web' });
    await new Promise((resolve) => setTimeout(resolve, 100 + index * 26));
    const before = performance.now();
    node.addSandbox(name, uid);
    const made = performance.now();
    await until(`${name} is attached`, () => attachments() >= 2 * (index + 1) || undefined);
    took.push(performance.now() - made);
    expect(made - before).toBeLessThan(60_000);
  }
  took.sort((a, b) => a - b);
  console.log(`open for ${took[PODS / 2]!.toFixed(0)} ms in the median, at most ${took.at(-1)!.toFixed(0)} ms`);
  expect(took[PODS / 2]! * cpuShare()).toBeLessThan(1_000);
});

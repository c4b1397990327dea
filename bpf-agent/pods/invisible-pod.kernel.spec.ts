import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { whyInvisible } from './invisible-pod.ts';

const made: string[] = [];
afterEach(() => {
  for (const name of made.splice(0)) execFileSync('ip', ['netns', 'delete', name]);
});

test('a pod behind macvlan is told from one whose network is not there yet', () => {
  const name = `invisible-${randomBytes(4).toString('hex')}`;
  execFileSync('ip', ['netns', 'add', name]);
  made.push(name);
  const path = `/run/netns/${name}`;
  expect(whyInvisible(path, 'x')).toBe('no veth pair leads from the network namespace x to the node');
  const inside = (...args: string[]) => execFileSync('ip', ['-n', name, ...args]);
  inside('link', 'add', 'below', 'type', 'veth', 'peer', 'name', 'other');
  inside('link', 'add', 'eth0', 'link', 'below', 'type', 'macvlan');
  expect(whyInvisible(path, 'x')).toMatch(/but eth0 is macvlan; the agent cannot see such pods: .*--hubble/);
});

import { describe, expect, test } from 'vitest';
import type { Container, Pod } from '../store/objects.ts';
import { containerCommand, containerEnv, expand } from './environment.ts';

const container: Container = {
  name: 'main',
  image: 'x',
  command: ['run', '--as=$(NAME)'],
  args: ['$(MISSING)', '$$(NAME)'],
  env: [
    { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'WHERE', value: '$(NAME)@$(NODE)' },
    { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
    { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'TIER', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app/tier']" } } },
    { name: 'EMPTY' },
  ],
};
const pod = {
  metadata: { name: 'web-1', namespace: 'shop', uid: 'u', labels: { 'app/tier': 'front' } },
  spec: { nodeName: 'node1', containers: [container] },
  status: { phase: 'Pending', podIP: '10.0.0.7' },
} as unknown as Pod;

test("a container's environment takes the pod's fields, and variables set before", () => {
  const env = containerEnv(pod, container);
  expect(env).toMatchObject({
    NAME: 'web-1',
    NODE: 'node1',
    IP: '10.0.0.7',
    TIER: 'front',
    EMPTY: '',
    HOSTNAME: 'web-1',
  });
  expect(env.WHERE, 'NODE is set later, so it is not known yet').toBe('web-1@$(NODE)');
  expect(containerCommand(container, env)).toEqual(['run', '--as=web-1', '$(MISSING)', '$(NAME)']);
});

describe('$(VARIABLES)', () => {
  test.each([
    ['$(A)', 'a'],
    ['x$(A)y$(A)', 'xaya'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$A $(B) $(', '$A $(B) $('],
    ['$(toString)', '$(toString)'],
  ])('%s', (text, expected) => {
    expect(expand(text, { A: 'a' })).toBe(expected);
  });
});

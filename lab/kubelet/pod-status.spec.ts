import { describe, expect, test } from 'vitest';
import type { ContainerState, ContainerStatus } from '../store/objects.ts';
import { podConditions, podPhase } from './pod-status.ts';

const ended = (exitCode: number) => ({ terminated: { exitCode, reason: 'x', finishedAt: 't' } });
const running: ContainerState = { running: { startedAt: 't' } };
const waiting: ContainerState = { waiting: { reason: 'x' } };
const container = (state: ContainerState, lastState: ContainerState = {}): ContainerStatus => ({
  name: 'c',
  image: 'x',
  ready: state.running !== undefined,
  started: false,
  restartCount: 0,
  state,
  lastState,
});

describe("a pod's phase", () => {
  test.each([
    ['no container yet', 'Always', [], 'Pending'],
    ['one never started', 'Always', [container(running), container(waiting)], 'Pending'],
    ['all run', 'Always', [container(running)], 'Running'],
    ['crash-looping', 'Always', [container(waiting, ended(1))], 'Running'],
    ['ended, to be restarted', 'Always', [container(ended(0))], 'Running'],
    ['all ended well', 'OnFailure', [container(ended(0)), container(ended(0))], 'Succeeded'],
    ['one still runs', 'Never', [container(ended(0)), container(running)], 'Running'],
    ['failed for good', 'Never', [container(ended(0)), container(ended(3))], 'Failed'],
    ['failed, to be restarted', 'OnFailure', [container(ended(3))], 'Running'],
  ] as const)('%s', (_what, policy, statuses, expected) => {
    expect(podPhase(policy, [...statuses])).toBe(expected);
  });
});

test('a condition that stays keeps its time of change, one that changes gets a new one', () => {
  const before = [
    { type: 'PodScheduled', status: 'True' as const, lastTransitionTime: 'then' },
    { type: 'Ready', status: 'False' as const, lastTransitionTime: 'then' },
  ];
  const conditions = podConditions(before, 'Running', [container(running)]);
  const time = (type: string) => conditions.find((condition) => condition.type === type)?.lastTransitionTime;
  expect(time('PodScheduled')).toBe('then');
  expect(time('Ready')).not.toBe('then');
});

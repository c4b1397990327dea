import { describe, expect, test } from 'vitest';
import { ageText, objectTable, podStatusText } from './get-table.ts';
import type { Pod, PodStatus } from './store/objects.ts';

const pod = (status: Partial<PodStatus>, metadata: object = {}): Pod =>
  ({
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', creationTimestamp: new Date().toISOString(), ...metadata },
    spec: { containers: [{ name: 'a', image: 'x' }], nodeName: 'node1' },
    status: { phase: 'Pending', ...status },
  }) as unknown as Pod;
const container = (state: object, ready = false) => [{ name: 'a', ready, restartCount: 2, state }] as never;

describe("a pod's state in one word", () => {
  test.each([
    ['Pending', pod({})],
    ['Running', pod({ phase: 'Running', containerStatuses: container({ running: {} }, true) })],
    [
      'CrashLoopBackOff',
      pod({ containerStatuses: container({ waiting: { reason: 'CrashLoopBackOff', message: 'm' } }) }),
    ],
    [
      'ContainerCreating (waiting for the agent)',
      pod({
        containerStatuses: container({ waiting: { reason: 'ContainerCreating', message: 'waiting for the agent' } }),
      }),
    ],
    [
      'Completed',
      pod({ phase: 'Succeeded', containerStatuses: container({ terminated: { reason: 'Completed', exitCode: 0 } }) }),
    ],
    ['Error', pod({ phase: 'Failed', containerStatuses: container({ terminated: { reason: 'Error', exitCode: 3 } }) })],
    ['Terminating', pod({ phase: 'Running' }, { deletionTimestamp: 'now' })],
    ['Pending (no room)', pod({ conditions: [{ type: 'PodScheduled', status: 'False', message: 'no room' }] })],
  ])('%s', (expected, one) => {
    expect(podStatusText(one)).toBe(expected);
  });
});

test('a table has its columns aligned, and no blanks at the ends of lines', () => {
  const table = objectTable('Pod', [pod({ phase: 'Running', containerStatuses: container({ running: {} }, true) })], {
    wide: false,
    namespaces: true,
  });
  expect(table).toBe(
    'NAMESPACE   NAME   READY   STATUS    RESTARTS   AGE\nshop        web    1/1     Running   2          0s\n',
  );
});

test.each([
  [5_000, '5s'],
  [119_000, '119s'],
  [187_000, '3m7s'],
  [12 * 60_000, '12m'],
  [5 * 3_600_000 + 180_000, '5h3m'],
  [30 * 3_600_000, '30h'],
  [96 * 3_600_000, '4d'],
])('%d ms are %s', (milliseconds, expected) => {
  expect(ageText(milliseconds)).toBe(expected);
});

import { describe, expect, test } from 'vitest';
import type { PodSpec } from '../store/objects.ts';
import { containerCgroup, podCgroup, qosClass } from './cgroup-path.ts';

const UID = '0a1b2c3d-1111-2222-3333-444455556666';

describe("a pod's cgroup as the kubelet names it", () => {
  test.each([
    ['cgroupfs', 'Guaranteed', `kubepods/pod${UID}`],
    ['cgroupfs', 'Burstable', `kubepods/burstable/pod${UID}`],
    ['cgroupfs', 'BestEffort', `kubepods/besteffort/pod${UID}`],
    ['systemd', 'Guaranteed', 'kubepods.slice/kubepods-pod0a1b2c3d_1111_2222_3333_444455556666.slice'],
    [
      'systemd',
      'BestEffort',
      'kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod0a1b2c3d_1111_2222_3333_444455556666.slice',
    ],
  ] as const)('%s, %s', (driver, qos, path) => {
    expect(podCgroup(driver, qos, UID)).toBe(path);
  });

  test('a container of it', () => {
    expect(containerCgroup('cgroupfs', 'abc')).toBe('abc');
    expect(containerCgroup('systemd', 'abc')).toBe('cri-containerd-abc.scope');
  });
});

describe("a pod's class", () => {
  const pod = (...resources: PodSpec['containers'][number]['resources'][]): PodSpec => ({
    containers: resources.map((one, index) => ({ name: `c${index}`, image: 'x', ...(one ? { resources: one } : {}) })),
  });
  const full = { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: 1, memory: '1Gi' } };

  test.each([
    ['nothing asked for', pod(undefined), 'BestEffort'],
    ['everything limited to what it asks for', pod(full, full), 'Guaranteed'],
    ['limits alone, which are requests too', pod({ limits: full.limits }), 'Guaranteed'],
    ['one container without', pod(full, undefined), 'Burstable'],
    ['memory alone', pod({ limits: { memory: '1Gi' } }), 'Burstable'],
    ['less asked for than allowed', pod({ requests: { cpu: '500m' }, limits: full.limits }), 'Burstable'],
  ])('%s', (_what, spec, expected) => {
    expect(qosClass(spec)).toBe(expected);
  });
});

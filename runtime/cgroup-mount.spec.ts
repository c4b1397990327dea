import { expect, it } from 'vitest';
import { cgroup2MountPoint } from './cgroup-mount.ts';

const V1 =
  '30 24 0:26 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n33 30 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu';

it('finds the unified mount beside version 1', () => {
  expect(
    cgroup2MountPoint(
      `${V1}\n31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n`,
    ),
  ).toBe('/sys/fs/cgroup/unified');
});

it('takes the mount that shows the whole tree', () => {
  const part = '40 24 0:27 /system.slice/x /run/part rw - cgroup2 cgroup2 rw';
  const whole = '41 24 0:27 / /host/cgroup rw master:1 propagate_from:2 - cgroup2 none rw';
  expect(cgroup2MountPoint(`${part}\n${whole}`)).toBe('/host/cgroup');
});

it('reads blanks in a path', () => {
  expect(cgroup2MountPoint('41 24 0:27 / /mnt/a\\040b\\134c rw - cgroup2 none rw')).toBe('/mnt/a b\\c');
});

it('says when there is none', () => {
  expect(cgroup2MountPoint(V1)).toBeUndefined();
  expect(cgroup2MountPoint('')).toBeUndefined();
  expect(cgroup2MountPoint('garbage - cgroup2')).toBeUndefined();
});

import { expect, test } from 'vitest';
import { cgroup2Mount } from './cgroup.ts';

const V1 = '32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu';

test.each([
  [
    'where everything is version 2',
    '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw',
    '/sys/fs/cgroup',
  ],
  ['beside version 1', `${V1}\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`, '/sys/fs/cgroup/unified'],
  ['with a blank in the path', '41 31 0:38 / /mnt/my\\040groups rw - cgroup2 none rw', '/mnt/my groups'],
  ['nowhere', V1, undefined],
])('the cgroup v2 mount is found %s', (_what, mountinfo, expected) => {
  expect(cgroup2Mount(mountinfo)).toBe(expected);
});

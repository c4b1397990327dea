import { readFileSync } from 'node:fs';

/**
 * The mount point of cgroup v2 in the text of a `/proc/<pid>/mountinfo`, or undefined. Where there are several, the one that
 * shows the most of the tree (root nearest to `/`), then the first.
 */
export function cgroup2MountPoint(mountinfo: string): string | undefined {
  let best: { root: string; point: string } | undefined;
  for (const line of mountinfo.split('\n')) {
    // 36 35 98:0 /root /mount/point options [optional fields] - type source super-options
    const separator = line.indexOf(' - ');
    if (separator < 0 || line.slice(separator + 3).split(' ')[0] !== 'cgroup2') continue;
    const [, , , root, point] = line.slice(0, separator).split(' ');
    if (root === undefined || point === undefined) continue;
    if (best === undefined || unescaped(root).length < best.root.length) {
      best = { root: unescaped(root), point: unescaped(point) };
    }
  }
  return best?.point;
}

/** Where this process sees cgroup v2, or undefined. */
export function findCgroup2(procRoot = '/proc'): string | undefined {
  return cgroup2MountPoint(readFileSync(`${procRoot}/self/mountinfo`, 'utf8'));
}

/** A path as mountinfo has it, where the kernel writes blanks and backslashes as octal. */
export function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
}

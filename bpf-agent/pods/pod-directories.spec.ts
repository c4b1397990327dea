import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PodDirectories, podProcesses } from './pod-directories.ts';

const UIDS = Array.from({ length: 6 }, (_, index) => `6f1d2c3b-0a9e-4f77-8b1c-00000000000${index}`);
const HASH = 'd3b07384d113edec49eaa6238ad5ff00';
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'waggle-cgroup-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function directory(...parts: string[]): string {
  const path = join(root, ...parts);
  mkdirSync(path, { recursive: true });
  return path;
}

const underscored = (uid: string) => uid.replaceAll('-', '_');

describe('pod directories', () => {
  it('are found in every form the kubelet and kind give them', () => {
    const expected = new Map([
      [UIDS[0], directory('kubepods', `pod${UIDS[0]}`)],
      [UIDS[1], directory('kubepods', 'burstable', `pod${UIDS[1]}`)],
      [HASH, directory('kubepods', 'besteffort', `pod${HASH}`)],
      [UIDS[2], directory('kubepods.slice', `kubepods-pod${underscored(UIDS[2])}.slice`)],
      [
        UIDS[3],
        directory('kubepods.slice', 'kubepods-burstable.slice', `kubepods-burstable-pod${underscored(UIDS[3])}.slice`),
      ],
      [UIDS[4], directory('docker', 'abc', 'kubelet', 'kubepods', 'besteffort', `pod${UIDS[4]}`)],
      [
        UIDS[5],
        directory(
          'system.slice',
          'docker-abc.scope',
          'kubelet.slice',
          'kubelet-kubepods.slice',
          'kubelet-kubepods-besteffort.slice',
          `kubelet-kubepods-besteffort-pod${underscored(UIDS[5])}.slice`,
        ),
      ],
    ]);
    directory('user.slice', `pod${UIDS[0]}`);
    expect(new PodDirectories(root).scan()).toEqual(expected);
  });

  it('come and go between scans', () => {
    const directories = new PodDirectories(root);
    expect(directories.scan()).toEqual(new Map());
    const pod = directory('kubepods', `pod${UIDS[0]}`);
    expect(directories.scan()).toEqual(new Map([[UIDS[0], pod]]));
    rmSync(pod, { recursive: true });
    expect(directories.scan()).toEqual(new Map());
  });

  it('of a second kubelet are found in a large tree within the search interval', () => {
    for (let index = 0; index < 300; index++) directory('system.slice', `s${index}.service`);
    directory('kubepods', `pod${UIDS[0]}`);
    const directories = new PodDirectories(root);
    expect(directories.scan(0).size).toBe(1);
    directory('kubepods.slice', `kubepods-pod${underscored(UIDS[1])}.slice`);
    expect(directories.scan(1000).size).toBe(1);
    expect(directories.scan(10_000).size).toBe(2);
  });

  it('have their processes in themselves and below', () => {
    const pod = directory('kubepods', `pod${UIDS[0]}`);
    writeFileSync(join(pod, 'cgroup.procs'), '');
    writeFileSync(join(directory('kubepods', `pod${UIDS[0]}`, 'pause'), 'cgroup.procs'), '0\n41\n');
    writeFileSync(join(directory('kubepods', `pod${UIDS[0]}`, 'web', 'inner'), 'cgroup.procs'), '42\n43\n');
    expect([...podProcesses(pod)]).toEqual([41, 42, 43]);
    expect([...podProcesses(join(root, 'gone'))]).toEqual([]);
  });
});

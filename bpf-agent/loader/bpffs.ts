/** The BPF file system, where pinned programs, links and maps outlive the process. It can be mounted anywhere. */
import { existsSync, mkdirSync, statfsSync } from 'node:fs';

import { mountFilesystem, unmountFilesystem } from './libc.ts';
import { LoaderError } from './loader-error.ts';

const BPF_FS_MAGIC = 0xcafe4a11;

export function isBpffs(path: string): boolean {
  return existsSync(path) && statfsSync(path).type === BPF_FS_MAGIC;
}

/**
 * Makes `path` a directory on a BPF file system, mounting one there when it is not.
 * @throws LoaderError `pin-failed`.
 */
export function ensureBpffs(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (isBpffs(path)) return;
  const { value, errno } = mountFilesystem('bpf', path);
  if (value < 0) throw new LoaderError('pin-failed', `cannot mount a BPF file system on ${path}`, errno);
}

/** Unmounts what `ensureBpffs` mounted: everything pinned there and held by nobody else is gone. */
export function unmountBpffs(path: string): void {
  if (isBpffs(path)) unmountFilesystem(path);
}

import { type Dirent, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isKubepodsDirectory, isTierDirectory, podUidOfDirectory } from './cgroup-path.ts';

/** How far below the root the kubelet's directory is looked for: kind in docker is `system.slice/docker-x.scope/kubelet.slice/…`. */
const DEPTH = 6;
/** Directories looked at per search for the kubelet's: beyond them, a machine is stranger than we can scan every second. */
const SEARCH_LIMIT = 20_000;
/** A small tree is searched afresh each time, a large one only this often, in milliseconds. */
const CHEAP_SEARCH = 256;
const SEARCH_INTERVAL_MS = 10_000;

/** The pods' cgroup directories below a root, found again and again at little cost. */
export class PodDirectories {
  readonly #root: string;
  #kubepods: string[] = [];
  #searchedAt = Number.NEGATIVE_INFINITY;
  #searchCost = 0;

  constructor(root: string) {
    this.#root = root;
  }

  /** Directories of all pods by uid or static pod's hash. An unreadable root gives none. */
  scan(nowMs: number = performance.now()): Map<string, string> {
    if (this.#searchIsDue(nowMs)) {
      this.#searchedAt = nowMs;
      this.#search();
    }
    const pods = new Map<string, string>();
    for (const directory of this.#kubepods) collectPods(directory, pods);
    return pods;
  }

  #searchIsDue(nowMs: number): boolean {
    return (
      this.#kubepods.length === 0 || this.#searchCost <= CHEAP_SEARCH || nowMs - this.#searchedAt >= SEARCH_INTERVAL_MS
    );
  }

  /** Breadth first, so that the usual places come before the limit. */
  #search(): void {
    this.#kubepods = [];
    this.#searchCost = 0;
    let level = [this.#root];
    for (let depth = 0; depth <= DEPTH && level.length > 0; depth++) {
      const next: string[] = [];
      for (const directory of level) {
        if (++this.#searchCost > SEARCH_LIMIT) return;
        for (const name of subdirectories(directory)) {
          const path = join(directory, name);
          if (isKubepodsDirectory(name)) this.#kubepods.push(path);
          else next.push(path);
        }
      }
      level = next;
    }
  }
}

function collectPods(directory: string, into: Map<string, string>): void {
  for (const name of subdirectories(directory)) {
    const uid = podUidOfDirectory(name);
    if (uid !== undefined) into.set(uid, join(directory, name));
    else if (isTierDirectory(name)) collectPods(join(directory, name), into);
  }
}

/**
 * Ids of the processes in a pod's directory and below. The pause process usually comes first: its container is the oldest.
 * Processes of another pid namespace show as 0 and are left out.
 */
export function* podProcesses(directory: string): Generator<number> {
  for (const line of readProcs(directory)) if (line !== '' && line !== '0') yield Number(line);
  for (const name of subdirectories(directory)) yield* podProcesses(join(directory, name));
}

function readProcs(directory: string): string[] {
  try {
    return readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n');
  } catch {
    // The pod went away while we looked, or the cgroup is threaded.
    return [];
  }
}

function subdirectories(directory: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
  const names: string[] = [];
  for (const entry of entries) if (entry.isDirectory()) names.push(entry.name);
  return names;
}

import { spawnSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import { fileURLToPath } from 'node:url';

/** What figures were measured on. */
export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly processor: string;
  readonly kernel: string;
  readonly node: string;
}

export function thisMachine(): Machine {
  const processors = cpus();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit: commit(),
    cores: processors.length,
    processor: processors[0]?.model.trim() ?? 'unknown processor',
    // Without the builder's suffix: 6.18.44.
    kernel: release().split('-', 1)[0],
    node: process.versions.node,
  };
}

function commit(): string {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
  });
  return status === 0 ? stdout.trim() : 'unknown';
}

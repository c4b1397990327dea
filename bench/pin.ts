import { spawnSync } from 'node:child_process';

/** Pins every thread of this process (those that collect garbage and compile included) to one core. */
export function pinToCore(core: number): void {
  const { status, stderr, error } = spawnSync('taskset', ['-a', '-p', '-c', String(core), String(process.pid)], {
    encoding: 'utf8',
  });
  if (error || status !== 0) {
    throw new Error(
      `cannot pin the benchmark to core ${core} (apt-get install util-linux): ${error?.message ?? stderr}`,
    );
  }
}

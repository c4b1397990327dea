import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where scripts/build-hubble-cli.ts puts it. */
const BUILT = join(homedir(), '.cache/waggle/hubble-1.19.6/hubble');

/** The real `hubble` command: what WAGGLE_HUBBLE_CLI names, or the one that was built; undefined where there is none. */
export const HUBBLE_CLI = [process.env.WAGGLE_HUBBLE_CLI, BUILT].find((path) => path !== undefined && existsSync(path));

export interface HubbleOutcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the real `hubble …` against a server. */
export function hubble(server: string, args: readonly string[], timeoutMs = 30_000): Promise<HubbleOutcome> {
  return new Promise((resolve) => {
    const all = ['--server', server, ...args];
    execFile(HUBBLE_CLI!, all, { timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : 128;
      resolve({ status, stdout, stderr });
    });
  });
}

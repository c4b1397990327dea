import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#runtime/testing/free-port.ts';

/** Where scripts/build-hubble-cli.ts puts it. */
const BUILT = join(homedir(), '.cache/waggle/hubble-1.19.6/hubble-relay');

const STOP_GRACE_MS = 3_000;

/** Cilium's own relay: what WAGGLE_HUBBLE_RELAY names, or the one that was built; undefined where there is none. */
export const HUBBLE_RELAY = [process.env.WAGGLE_HUBBLE_RELAY, BUILT].find(
  (path) => path !== undefined && existsSync(path),
);

/** It learns of agents from one agent's Peer service, connects to each, and serves their flows together. */
export class HubbleRelay {
  readonly #child: ChildProcess;
  /** `host:port`, without TLS. */
  readonly address: string;
  said = '';

  private constructor(child: ChildProcess, address: string) {
    this.#child = child;
    this.address = address;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        this.said += chunk;
      });
    }
  }

  /** @param peerService `unix:/path` of an agent. @param tls flags for the connections to agents; without them they are plain */
  static async start(peerService: string, tls: readonly string[] = ['--disable-client-tls']): Promise<HubbleRelay> {
    const address = `127.0.0.1:${await freePort()}`;
    const child = spawn(
      HUBBLE_RELAY!,
      [
        ...['serve', '--peer-service', peerService.replace('unix:', 'unix://'), '--listen-address', address],
        ...['--health-listen-address', `127.0.0.1:${await freePort()}`, '--gops=false', '--disable-server-tls', ...tls],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    return new HubbleRelay(child, address);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('close', resolve));
    this.#child.kill('SIGTERM');
    // It waits for its streams, however long those are followed.
    const late = setTimeout(() => this.#child.kill('SIGKILL'), STOP_GRACE_MS);
    await ended;
    clearTimeout(late);
  }
}

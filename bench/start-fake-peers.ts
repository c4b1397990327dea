import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BenchmarkContext } from './benchmark.ts';
import type { FakePeer } from './fake-peers.ts';

const PROCESS = fileURLToPath(new URL('./fake-peers.ts', import.meta.url));

/** Starts the process of fake agents; resolves when they listen. It ends with the benchmark. */
export function startFakePeers(
  context: BenchmarkContext,
  mix: {
    readonly peers: number;
    readonly podsPerPeer: number;
    readonly flowsPerPeer: number;
    readonly rowsPerBatch: number;
  },
): Promise<FakePeer[]> {
  const args = [mix.peers, mix.podsPerPeer, mix.flowsPerPeer, mix.rowsPerBatch, context.otherCore].map(String);
  const child = fork(PROCESS, args, { execArgv: [] });
  context.cleanUp(() => {
    child.kill();
  });
  return new Promise((resolve, reject) => {
    child.once('message', (peers) => resolve(peers as FakePeer[]));
    child.once('exit', (code) => reject(new Error(`the fake agents ended with status ${code}`)));
  });
}

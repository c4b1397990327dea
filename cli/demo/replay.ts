import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Backend } from '#backend/start.ts';
import type { ReplayingAgent } from '#bpf-agent/replay/replaying-agent.ts';
import type { Recording } from '#proto/gen/waggle/v1/recording_pb.ts';

export interface ReplayOptions {
  readonly recording: Recording;
  readonly listen: string;
  readonly grpcListen: string;
  /** Why nothing is observed, for people. */
  readonly reason: string;
}

/** A recording in place of a cluster: an agent per node that replays it, the cluster's state in a folder, and the backend. */
export class Replay {
  readonly #folder: string;
  readonly #agents: ReplayingAgent[] = [];
  #backend: Backend | undefined;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(options: ReplayOptions): Promise<Replay> {
    const replay = new Replay(mkdtempSync(join(tmpdir(), 'waggle-replay-')));
    try {
      await replay.#start(options);
      return replay;
    } catch (error) {
      await replay.stop();
      throw error;
    }
  }

  get backend(): Backend {
    return this.#backend!;
  }

  get nodes(): number {
    return this.#agents.length;
  }

  async stop(): Promise<void> {
    await this.#backend?.close();
    await Promise.all(this.#agents.map((agent) => agent.stop()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start({ recording, listen, grpcListen, reason }: ReplayOptions): Promise<void> {
    for (const { path, content } of recording.state) {
      mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
      writeFileSync(join(this.#folder, path), content);
    }
    const { startReplayingAgent } = await import('#bpf-agent/replay/replaying-agent.ts');
    const { startedMs } = await import('#bpf-agent/replay/recording.ts');
    const span = { startedMs: startedMs(recording), durationMs: recording.durationMs };
    const beginMs = Date.now();
    for (const node of recording.nodes) {
      this.#agents.push(await startReplayingAgent({ recording: node, span, beginMs, version: packageVersion() }));
    }
    const { startBackend } = await import('#backend/start.ts');
    this.#backend = await startBackend({
      listen,
      relayListen: grpcListen,
      stateDir: this.#folder,
      // By the names of the state's nodes: followed here instead of at the addresses they had.
      agents: this.#agents.map(({ node, address }) => ({ name: node, address })),
      replayReason: reason,
    });
  }
}

function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

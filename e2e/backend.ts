import { FlowService, type NodeState, type StatusResponse } from '#proto/gen/waggle/v1/flow_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { freePort } from '#runtime/testing/free-port.ts';
import { eventually } from './eventually.ts';
import { WaggleProcess } from './waggle.ts';

/** A backend of a test's own on free ports of loopback. */
export class Backend {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly #args: readonly string[];
  #process: WaggleProcess;

  private constructor(httpPort: number, grpcPort: number, args: readonly string[]) {
    this.httpPort = httpPort;
    this.grpcPort = grpcPort;
    this.#args = args;
    this.#process = WaggleProcess.start(args);
  }

  static start(stateDir: string, more: readonly string[] = []): Promise<Backend> {
    return Backend.startWith(['--state-dir', stateDir, ...more]);
  }

  /** With whatever settings; it listens on free ports. */
  static async startWith(settings: readonly string[]): Promise<Backend> {
    const [http, grpc] = [await freePort(), await freePort()];
    const listen = ['--listen', `127.0.0.1:${http}`, '--grpc-listen', `127.0.0.1:${grpc}`];
    const backend = new Backend(http, grpc, ['backend', ...listen, ...settings]);
    await backend.answers();
    return backend;
  }

  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  get grpc(): string {
    return `127.0.0.1:${this.grpcPort}`;
  }

  get pid(): number {
    return this.#process.pid;
  }

  async status(): Promise<StatusResponse> {
    const client = createClient(FlowService, this.grpc);
    try {
      return await client.status({}, { deadlineMs: 5_000 });
    } finally {
      client.close();
    }
  }

  async answers(): Promise<void> {
    const running = this.#process;
    let ended = false;
    void running.exit.then(() => {
      ended = true;
    });
    await eventually('the backend answers', 90_000, async () => {
      if (ended) throw new Error(`the backend ended:\n${running.stdout}${running.stderr}`);
      return this.status().then(
        () => true,
        () => false,
      );
    });
  }

  /** Waits until every named node is in this state. */
  async nodes(state: NodeState, names: readonly string[], timeoutMs = 60_000): Promise<void> {
    await eventually(`${names.join(', ')} in state ${state}`, timeoutMs, async () => {
      // One answer that takes too long is none yet.
      const { nodes = [] } = await this.status().catch((): Partial<StatusResponse> => ({}));
      return names.every((name) => nodes.find((node) => node.name === name)?.state === state);
    });
  }

  /** As a crash ends it, and begun again on the same ports. */
  async crashAndRestart(): Promise<void> {
    this.#process.signal('SIGKILL');
    await this.#process.exit;
    this.#process = WaggleProcess.start(this.#args);
    await this.answers();
  }

  async stop(): Promise<void> {
    await this.#process.stop();
  }
}

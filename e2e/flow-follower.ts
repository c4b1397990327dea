import { nodeBootKey } from '#core/flow/node-boot.ts';
import { type Cursor, FlowService, type Loss } from '#proto/gen/waggle/v1/flow_pb.ts';
import { type Client, createClient } from '#runtime/grpc/client.ts';
import { FlowReader, type ToldFlow } from './flow-reader.ts';

export interface SeenFlow extends ToldFlow {
  /** When this reader got it, milliseconds since 1970. */
  readonly seenMs: number;
}

/** A reader that stays: whenever its stream ends, it resumes by its cursor. */
export class FlowFollower {
  readonly flows: SeenFlow[] = [];
  readonly losses: Loss[] = [];
  /** Streams begun so far. */
  streams = 0;
  readonly #client: Client<typeof FlowService>;
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #cursor: Cursor | undefined;

  constructor(target: string) {
    this.#client = createClient(FlowService, target);
    this.#done = this.#run();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      const reader = new FlowReader();
      this.streams++;
      try {
        const request = this.#cursor === undefined ? { last: 1_000_000 } : { cursor: this.#cursor };
        for await (const batch of this.#client.follow({ ...request, follow: true }, { signal })) {
          const seenMs = Date.now();
          for (const flow of reader.read(batch)) this.flows.push({ ...flow, seenMs });
          this.losses.push(...batch.losses);
          this.#cursor = batch.cursor ?? this.#cursor;
        }
      } catch {
        // Whatever ended it, the next stream goes on from the cursor.
      }
      if (!signal.aborted) await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#done;
    this.#client.close();
  }
}

/** Where the sequences of any node boot have a gap or come again: one line each, empty for a stream without fault. */
export function sequenceFaults(flows: readonly ToldFlow[]): string[] {
  const last = new Map<string, number>();
  const faults: string[] = [];
  for (const { boot, sequence } of flows) {
    const key = nodeBootKey(boot);
    const before = last.get(key);
    if (before !== undefined && sequence !== before + 1) faults.push(`${key}: ${sequence} follows ${before}`);
    last.set(key, sequence);
  }
  return faults;
}

import { BatchDecoder } from '#core/flow/batch.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { isLayer7 } from '#core/flow/layer7.ts';
import type { NodeBoot } from '#core/flow/node-boot.ts';
import { type FlowBatch, LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { LossLedger } from './loss-ledger.ts';
import type { MergeQueue, MergeSource } from './merge-queue.ts';
import type { RateMeter } from './rate-meter.ts';

/** What every stream into the relay writes to. */
export interface IngestInto {
  readonly window: FlowWindow;
  readonly merge: MergeQueue;
  readonly losses: LossLedger;
  readonly rate: RateMeter;
  /** Of those that tell of layer 7. */
  readonly requests: RateMeter;
  /** By the window's node number: the greatest sequence received. Shared, so that no second stream repeats a row. */
  readonly lastSequence: number[];
}

/**
 * One stream of batches into the relay. Rows that were received before (same node boot, no greater sequence) are left out;
 * sequences that are missing without having been told are counted as lost here.
 */
export class Ingest {
  readonly #into: IngestInto;
  readonly #rate: RateMeter;
  readonly #decoder: BatchDecoder;
  readonly #source: MergeSource;
  /** Flows the agent has told as lost, and that have not been missed yet. */
  #told = 0;
  /** Endpoints the stream has named so far: all held until it ends. */
  endpoints = 0;
  /** Whether it has told of requests. */
  #requests = false;

  constructor(into: IngestInto, rate: RateMeter) {
    this.#into = into;
    this.#rate = rate;
    this.#decoder = new BatchDecoder(into.window);
    this.#source = into.merge.addSource();
  }

  /** Throws FlowDecodeError. */
  receive(batch: FlowBatch): void {
    const { window, lastSequence, losses } = this.#into;
    for (const loss of batch.losses) {
      losses.add(loss);
      if (loss.source === LossSource.AGENT_RING) this.#told += Number(loss.count);
    }
    this.endpoints += batch.endpoints.length;
    if (batch.rows === 0 && batch.endpoints.length === 0 && batch.nodes.length === 0) return;
    const { rows, columns } = this.#decoder.decode(batch);
    this.#requests ||= batch.layer7.length > 0;
    let missing = 0;
    let repeated = 0;
    let from = 0;
    for (let row = 0; row < rows; row++) {
      const node = columns.node[row];
      const sequence = columns.sequence[row];
      const last = lastSequence[node];
      if (last !== undefined && sequence <= last) {
        // A stream repeats at its beginning, if at all: a run that ends here is handed over without the repeated row.
        this.#source.push(columns, from, row, this.#requests);
        from = row + 1;
        repeated++;
        continue;
      }
      if (last !== undefined && sequence > last + 1) missing += sequence - last - 1;
      lastSequence[node] = sequence;
    }
    this.#source.push(columns, from, rows, this.#requests);
    if (this.#requests) {
      for (let row = 0; row < rows; row++) if (isLayer7(columns.observation[row])) this.#into.requests.add(1);
    }
    this.#rate.add(rows - repeated);
    this.#into.rate.add(rows - repeated);
    if (missing > 0) this.#account(missing, window.nodes[columns.node[rows - 1]]);
  }

  /** What the agent has told as lost explains missing sequences; the rest was lost on the way here. */
  #account(missing: number, boot: NodeBoot): void {
    const explained = Math.min(missing, this.#told);
    this.#told -= explained;
    this.#into.losses.add({
      cluster: boot.cluster,
      node: boot.node,
      source: LossSource.RELAY_QUEUE,
      count: BigInt(missing - explained),
    });
  }

  close(): void {
    this.#source.close();
    this.#decoder.close();
  }
}

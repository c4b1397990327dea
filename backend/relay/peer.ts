import { create } from '@bufbuild/protobuf';
import { FlowDecodeError } from '#core/flow/column-codec.ts';
import {
  type Cursor,
  type FlowBatch,
  FlowService,
  NodeState,
  type NodeStatus,
  NodeStatusSchema,
  type StatusResponse,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { Backoff, type BackoffLimits } from '#runtime/backoff.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { failureWords } from '#runtime/grpc/failure-words.ts';
import { pause } from '#runtime/pause.ts';
import { timestamp } from '../timestamp.ts';
import { Ingest, type IngestInto } from './ingest.ts';
import type { PeerTarget } from './peer-target.ts';
import { RateMeter } from './rate-meter.ts';

/** Past flows asked of an agent that is followed for the first time. */
const FIRST_PAST_FLOWS = 65_536;
/** A stream that has named more endpoints than this is begun anew, which lets go of those no flow refers to any more. */
const MOST_STREAM_ENDPOINTS = 100_000;
/** How often an agent is asked for its status, and how long it may take: two missed answers are a lost node. */
const PROBE_EVERY_MS = 2_000;
const PROBE_DEADLINE_MS = 2_000;

/** Follows one node's agent: connects, resumes after losses, and tells how it stands. */
export class Peer {
  readonly target: PeerTarget;
  readonly #into: IngestInto;
  readonly #onState: () => void;
  readonly #backoff: Backoff;
  readonly #ended = new AbortController();
  readonly #rate = new RateMeter();
  readonly done: Promise<void>;
  #cursor: Cursor | undefined;
  #state: NodeState = NodeState.CONNECTING;
  #message = '';
  #retryAtMs: number | undefined;
  #lastHeardMs: number | undefined;
  /** What the agent last said about itself. */
  #told: NodeStatus | undefined;
  #answer: StatusResponse | undefined;

  constructor(target: PeerTarget, into: IngestInto, onState: () => void, backoff?: BackoffLimits) {
    this.target = target;
    this.#into = into;
    this.#onState = onState;
    this.#backoff = new Backoff(backoff);
    this.done = this.#run();
  }

  get state(): NodeState {
    return this.#state;
  }

  /** Empty until the agent has been heard of. */
  get cluster(): string {
    return this.#told?.cluster ?? '';
  }

  status(): NodeStatus {
    const losses = this.#into.losses.counts(this.cluster, this.target.name);
    return create(NodeStatusSchema, {
      cluster: this.cluster,
      name: this.target.name,
      address: this.target.address,
      state: this.#state,
      message: this.#state === NodeState.CONNECTED ? (this.#told?.message ?? '') : this.#message,
      bootId: this.#told?.bootId,
      flowsPerSecond: this.#rate.perSecond(),
      flowsSeen: BigInt(this.#rate.total),
      endpoints: this.#told?.endpoints,
      started: this.#told?.started,
      lastHeard: this.#lastHeardMs === undefined ? undefined : timestamp(this.#lastHeardMs),
      retryAt: this.#retryAtMs === undefined ? undefined : timestamp(this.#retryAtMs),
      losses,
    });
  }

  /** What the agent last said of the flows it holds; undefined until it has answered. */
  get answer(): StatusResponse | undefined {
    return this.#answer;
  }

  close(): Promise<void> {
    this.#ended.abort();
    return this.done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      this.#retryAtMs = undefined;
      try {
        await this.#follow(signal);
        // The agent ended the stream, to be resumed.
        continue;
      } catch (error) {
        if (signal.aborted) break;
        this.#message = failureWords(error);
        // What cannot be decoded once cannot be decoded again: go on with what comes next.
        if (error instanceof FlowDecodeError) this.#cursor = undefined;
      }
      const waitMs = this.#backoff.next();
      this.#retryAtMs = Date.now() + waitMs;
      this.#enter(NodeState.UNAVAILABLE);
      await pause(waitMs, signal);
    }
  }

  /** Returns when the stream was ended well; throws when it broke. */
  async #follow(outer: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([outer, ended.signal]);
    const client = createClient(FlowService, this.target.address, {
      maxReceiveBytes: 16 * 1024 * 1024,
      security: this.target.security,
    });
    const ingest = new Ingest(this.#into, this.#rate);
    let broken: unknown;
    const probe = async () => {
      this.#answer = await client.status({}, { signal, deadlineMs: PROBE_DEADLINE_MS });
      this.#told = this.#answer.nodes[0];
      this.#lastHeardMs = Date.now();
    };
    let missed = 0;
    let timer: NodeJS.Timeout | undefined;
    const probeSoon = () => {
      timer = setTimeout(async () => {
        try {
          await probe();
          missed = 0;
        } catch (error) {
          if (signal.aborted) return;
          if (++missed >= 2) {
            broken = error;
            ended.abort();
            return;
          }
        }
        if (!signal.aborted) probeSoon();
      }, PROBE_EVERY_MS);
    };
    try {
      await probe();
      this.#enter(NodeState.CONNECTED);
      this.#backoff.reset();
      probeSoon();
      const first = this.#cursor === undefined && this.#rate.total === 0;
      const request = { cursor: this.#cursor, last: first ? FIRST_PAST_FLOWS : 0, follow: true };
      for await (const batch of client.follow(request, { signal })) {
        this.#received(ingest, batch);
        if (ingest.endpoints > MOST_STREAM_ENDPOINTS) return;
      }
      if (broken !== undefined) throw broken;
    } catch (error) {
      throw broken ?? error;
    } finally {
      clearTimeout(timer);
      ended.abort();
      ingest.close();
      client.close();
    }
  }

  #received(ingest: Ingest, batch: FlowBatch): void {
    ingest.receive(batch);
    if (batch.cursor !== undefined) this.#cursor = batch.cursor;
    this.#lastHeardMs = Date.now();
  }

  #enter(state: NodeState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState();
  }
}

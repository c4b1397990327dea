import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { AgentEventSchema } from '#proto/gen/flow/flow_pb.ts';
import {
  type GetAgentEventsRequest,
  type GetAgentEventsResponse,
  GetAgentEventsResponseSchema,
} from '#proto/gen/observer/observer_pb.ts';
import { type CallContext, Code, StatusError } from '#runtime/grpc/service.ts';

const MOST_EVENTS = 4_096;
/** How far the oldest events may wait behind the limit, to be let go of together. */
const SLACK = 1_024;

/** One of Hubble's agent events, as it is made. */
export type EventInit = MessageInitShape<typeof AgentEventSchema>;

/** What happened to an agent, newest last. The newest are kept; a reader may follow. */
export class AgentEventLog {
  readonly #nodeName: string;
  #events: GetAgentEventsResponse[] = [];
  /** Position of the oldest one kept. */
  #start = 0;
  readonly #waiting = new Set<() => void>();

  /** @param nodeName `cluster/node` */
  constructor(nodeName: string) {
    this.#nodeName = nodeName;
  }

  add(events: readonly EventInit[], atMs: number = Date.now()): void {
    if (events.length === 0) return;
    const time = timestampFromMs(atMs);
    // An agent that starts in a large cluster learns of more addresses than are kept: no message is made of those.
    const skipped = Math.max(0, events.length - MOST_EVENTS);
    if (skipped > 0) {
      this.#start += this.#events.length + skipped;
      this.#events = [];
    }
    for (const event of events.slice(skipped)) {
      const agentEvent = create(AgentEventSchema, event);
      this.#events.push(create(GetAgentEventsResponseSchema, { agentEvent, nodeName: this.#nodeName, time }));
    }
    if (this.#events.length > MOST_EVENTS + SLACK) {
      this.#start += this.#events.length - MOST_EVENTS;
      this.#events = this.#events.slice(-MOST_EVENTS);
    }
    for (const wake of [...this.#waiting]) wake();
  }

  /** Serves Hubble's GetAgentEvents. */
  async *read(request: GetAgentEventsRequest, { signal }: CallContext): AsyncGenerator<GetAgentEventsResponse> {
    if (request.first && request.follow) {
      throw new StatusError(Code.INVALID_ARGUMENT, 'first cannot be specified with follow');
    }
    const { first, follow } = request;
    const number = Number(request.number);
    const since = request.since === undefined ? undefined : timestampMs(request.since);
    const until = request.until === undefined ? undefined : timestampMs(request.until);
    const end = () => this.#start + this.#events.length;
    const oldest = () => Math.max(this.#start, end() - MOST_EVENTS);
    let position = oldest();
    if (since === undefined && !first) {
      if (number > 0) position = Math.max(position, end() - number);
      else if (follow) position = end();
    }
    let left = !follow && number > 0 ? number : Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      for (; position < end(); position++) {
        position = Math.max(position, oldest());
        const event = this.#events[position - this.#start];
        const at = timestampMs(event.time as Timestamp);
        if (until !== undefined && at > until) return;
        if (since !== undefined && at < since) continue;
        if (left-- <= 0) return;
        yield event;
      }
      if (!follow) return;
      await this.#news(signal);
    }
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      signal.addEventListener('abort', done);
      this.#waiting.add(done);
      if (signal.aborted) done();
    });
  }
}

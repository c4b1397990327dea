import { create } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { type AgentEvent, AgentEventSchema, AgentEventType } from '#proto/gen/flow/flow_pb.ts';
import {
  type GetAgentEventsRequest,
  type GetAgentEventsResponse,
  GetAgentEventsResponseSchema,
} from '#proto/gen/observer/observer_pb.ts';
import { type CallContext, Code, StatusError } from '#runtime/grpc/service.ts';

const MOST_EVENTS = 1_024;

/** An endpoint as far as its events name it. */
export interface EventEndpoint {
  readonly id: number;
  readonly namespace: string;
  readonly pod: string;
  readonly labels: readonly string[];
}

/** What happened to this agent: Hubble's agent events. The newest are kept; a reader may follow. */
export class AgentEvents {
  readonly #nodeName: string;
  readonly #events: GetAgentEventsResponse[] = [];
  /** Position of the oldest one kept. */
  #start = 0;
  readonly #waiting = new Set<() => void>();
  #endpoints: ReadonlyMap<string, EventEndpoint> = new Map();

  /** @param nodeName `cluster/node` */
  constructor(nodeName: string) {
    this.#nodeName = nodeName;
  }

  started(atMs: number = Date.now()): void {
    const time = timestampFromMs(atMs);
    this.#add({ type: AgentEventType.AGENT_STARTED, notification: { case: 'agentStart', value: { time } } }, atMs);
  }

  /** The endpoints there are now, by pod uid: which came and which went is told. */
  endpoints(now: ReadonlyMap<string, EventEndpoint>): void {
    for (const [uid, endpoint] of this.#endpoints) {
      if (now.get(uid)?.id !== endpoint.id) this.#endpoint(AgentEventType.ENDPOINT_DELETED, endpoint);
    }
    for (const [uid, endpoint] of now) {
      if (this.#endpoints.get(uid)?.id !== endpoint.id) this.#endpoint(AgentEventType.ENDPOINT_CREATED, endpoint);
    }
    this.#endpoints = new Map(now);
  }

  /** The pods of the endpoints last told: `namespace/name`. */
  pods(): string[] {
    return [...this.#endpoints.values()].map(({ namespace, pod }) => `${namespace}/${pod}`);
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
    let position = this.#start;
    if (since === undefined && !first) {
      if (number > 0) position = Math.max(this.#start, end() - number);
      else if (follow) position = end();
    }
    let left = !follow && number > 0 ? number : Number.POSITIVE_INFINITY;
    while (!signal.aborted) {
      for (; position < end(); position++) {
        position = Math.max(position, this.#start);
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

  #endpoint(type: AgentEventType, { id, namespace, pod, labels }: EventEndpoint): void {
    const value = { id: BigInt(id), labels: [...labels], podName: pod, namespace };
    this.#add({ type, notification: { case: 'endpointUpdate', value } });
  }

  #add(event: Parameters<typeof create<typeof AgentEventSchema>>[1], atMs: number = Date.now()): void {
    const agentEvent: AgentEvent = create(AgentEventSchema, event);
    const time = timestampFromMs(atMs);
    this.#events.push(create(GetAgentEventsResponseSchema, { agentEvent, nodeName: this.#nodeName, time }));
    if (this.#events.length > MOST_EVENTS) {
      this.#events.shift();
      this.#start++;
    }
    for (const wake of [...this.#waiting]) wake();
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

import { create } from '@bufbuild/protobuf';
import { type Redaction, redaction } from '#core/redaction/redaction.ts';
import { type LostEvent, LostEventSource } from '#proto/gen/flow/flow_pb.ts';
import { type GetFlowsResponse, Observer, type ServerStatusResponse } from '#proto/gen/observer/observer_pb.ts';
import { NodeState as HubbleState } from '#proto/gen/relay/relay_pb.ts';
import {
  LossSource,
  NodeState,
  type NodeStatus,
  NodeStatusSchema,
  StatusResponseSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { Backoff, type BackoffLimits } from '#runtime/backoff.ts';
import { type Client, createClient } from '#runtime/grpc/client.ts';
import { failureWords } from '#runtime/grpc/failure-words.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import type { ClientSecurity } from '#runtime/grpc/tls.ts';
import { pause } from '#runtime/pause.ts';
import type { IngestInto } from '../relay/ingest.ts';
import type { FollowedStatus } from '../relay/merged-flows.ts';
import type { RelaySource } from '../relay/relay.ts';
import { timestamp } from '../timestamp.ts';
import { AskedNames } from './asked-names.ts';
import { FlowStream } from './flow-stream.ts';
import { FollowedNodes } from './followed-nodes.ts';
import { PodPlaces } from './pod-places.ts';
import { ResumePoint } from './resume-point.ts';

/** Past flows asked for at first, of every node. */
const FIRST_PAST_FLOWS = 8_192n;
const PROBE_EVERY_MS = 2_000;
const PROBE_DEADLINE_MS = 3_000;

export interface HubbleTarget {
  /** `host:port` of a Hubble server or relay. */
  readonly address: string;
  readonly security?: ClientSecurity;
  /** Which values of layer 7 are kept although they may be credentials; by default none. */
  readonly redaction?: Redaction;
}

/**
 * Follows a Hubble server or relay that need not be ours. Its flows become rows; they have no counters, so that bytes and
 * round trips are not known. A lost connection is resumed somewhat before its end, without flows that have come before.
 */
export class HubbleFollower implements RelaySource {
  readonly #target: HubbleTarget;
  readonly #into: IngestInto;
  readonly #redaction: Redaction;
  readonly #onState: () => void;
  readonly #backoff: Backoff;
  readonly #ended = new AbortController();
  readonly #nodes: FollowedNodes;
  readonly #places = new PodPlaces();
  readonly #names = new AskedNames();
  readonly #resumePoint = new ResumePoint();
  readonly #done: Promise<void>;
  #state: NodeState = NodeState.CONNECTING;
  #message = '';
  #retryAtMs: number | undefined;
  #server: ServerStatusResponse | undefined;

  constructor(target: HubbleTarget, into: IngestInto, onState: () => void, backoff?: BackoffLimits) {
    this.#target = target;
    this.#into = into;
    this.#redaction = target.redaction ?? redaction();
    this.#onState = onState;
    this.#backoff = new Backoff(backoff);
    this.#nodes = new FollowedNodes(target.address, onState);
    this.#done = this.#run();
  }

  /** The nodes whose flows have come, or the server alone as long as there are none. */
  followed(): FollowedStatus[] {
    const connected = this.#state === NodeState.CONNECTED;
    const { security } = this.#target;
    if (this.#nodes.size === 0)
      return [{ status: this.#serverStatus(), answer: undefined, startedMs: undefined, security }];
    return this.#nodes.values().map((node) => {
      const { told } = node;
      const { cluster, node: name, bootId } = node.boot;
      const startedMs =
        told === undefined || told.uptimeNs === 0n ? undefined : Date.now() - Number(told.uptimeNs / 1_000_000n);
      const status = create(NodeStatusSchema, {
        cluster,
        name,
        address: told?.address || this.#target.address,
        state: !connected ? this.#state : node.connected ? NodeState.CONNECTED : NodeState.UNAVAILABLE,
        message: connected ? '' : this.#message,
        bootId,
        flowsPerSecond: node.rate.perSecond(),
        flowsSeen: BigInt(node.rate.total),
        started: startedMs === undefined ? undefined : timestamp(startedMs),
        lastHeard: timestamp(node.lastHeardMs),
        retryAt: this.#retryAtMs === undefined ? undefined : timestamp(this.#retryAtMs),
        losses: this.#into.losses.counts(cluster, name),
      });
      const answer = create(StatusResponseSchema, {
        version: told?.version ?? this.#server?.version ?? '',
        flowsSeen: told?.seenFlows,
        flowsHeld: told?.numFlows,
        flowsCapacity: told?.maxFlows,
      });
      return { status, answer, startedMs, security };
    });
  }

  observes(cluster: string, node: string): boolean {
    return this.#state === NodeState.CONNECTED && this.#nodes.isConnected(cluster, node);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }

  #serverStatus(): NodeStatus {
    return create(NodeStatusSchema, {
      name: this.#target.address,
      address: this.#target.address,
      state: this.#state,
      message: this.#message,
      retryAt: this.#retryAtMs === undefined ? undefined : timestamp(this.#retryAtMs),
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      this.#retryAtMs = undefined;
      try {
        await this.#follow(signal);
        continue;
      } catch (error) {
        if (signal.aborted) break;
        this.#message = failureWords(error);
      }
      const waitMs = this.#backoff.next();
      this.#retryAtMs = Date.now() + waitMs;
      this.#enter(NodeState.UNAVAILABLE);
      await pause(waitMs, signal);
    }
  }

  async #follow(outer: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const signal = AbortSignal.any([outer, ended.signal]);
    const { address, security } = this.#target;
    const client = createClient(Observer, address, { maxReceiveBytes: 16 * 1024 * 1024, security });
    const flows = new FlowStream(this.#into, this.#redaction, this.#places, this.#names);
    let probeTimer: NodeJS.Timeout | undefined;
    let broken: unknown;
    try {
      await this.#probe(client, signal);
      this.#enter(NodeState.CONNECTED);
      this.#backoff.reset();
      const probeSoon = () => {
        probeTimer = setTimeout(async () => {
          try {
            await this.#probe(client, signal);
            if (!signal.aborted) probeSoon();
          } catch (error) {
            broken = error;
            ended.abort();
          }
        }, PROBE_EVERY_MS);
      };
      probeSoon();
      const since = this.#resumePoint.resume();
      const request = since === undefined ? { follow: true, number: FIRST_PAST_FLOWS } : { follow: true, since };
      for await (const response of client.getFlows(request, { signal })) {
        this.#received(response, flows);
        if (flows.isFull) return;
      }
      if (broken !== undefined) throw broken;
      if (!outer.aborted) throw new StatusError(Code.UNAVAILABLE, 'the server ended the stream');
    } catch (error) {
      throw broken ?? error;
    } finally {
      clearTimeout(probeTimer);
      ended.abort();
      flows.close();
      client.close();
    }
  }

  async #probe(client: Client<typeof Observer>, signal: AbortSignal): Promise<void> {
    const options = { signal, deadlineMs: PROBE_DEADLINE_MS };
    this.#server = await client.serverStatus({}, options);
    try {
      this.#nodes.tell((await client.getNodes({}, options)).nodes);
    } catch (error) {
      // A node's own server does not know the others.
      if (!(error instanceof StatusError && error.code === Code.UNIMPLEMENTED)) throw error;
    }
  }

  #received(response: GetFlowsResponse, flows: FlowStream): void {
    const { case: kind, value } = response.responseTypes;
    if (kind === 'lostEvents') this.#lost(response.nodeName, value);
    else if (kind === 'nodeStatus') {
      const connected = value.stateChange === HubbleState.NODE_CONNECTED;
      for (const name of value.nodeNames) this.#nodes.enter(this.#nodes.node(name), connected);
    } else if (kind === 'flow') {
      const node = this.#nodes.node(value.nodeName || response.nodeName);
      if (this.#resumePoint.isNew(value.uuid, value.time ?? response.time, node)) flows.receive(value, node);
    }
  }

  #lost(nodeName: string, { source, numEventsLost, first, last }: LostEvent): void {
    const { cluster, node } = this.#nodes.node(nodeName).boot;
    const sources: Readonly<Record<number, LossSource>> = {
      [LostEventSource.PERF_EVENT_RING_BUFFER]: LossSource.KERNEL_RING,
      [LostEventSource.HUBBLE_RING_BUFFER]: LossSource.AGENT_RING,
      [LostEventSource.OBSERVER_EVENTS_QUEUE]: LossSource.RELAY_QUEUE,
      [LostEventSource.UNKNOWN_LOST_EVENT_SOURCE]: LossSource.UNSPECIFIED,
    };
    const from = sources[source];
    this.#into.losses.add({
      cluster,
      node,
      source: from ?? LossSource.UNSPECIFIED,
      count: numEventsLost,
      first,
      last,
    });
  }

  #enter(state: NodeState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState();
  }
}

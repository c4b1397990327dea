import { randomBytes } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { allocateColumns, type FlowColumns } from '#core/flow/columns.ts';
import { DIRECTION, REPLY } from '#core/flow/direction.ts';
import { isLayer7, layer7Number } from '#core/flow/layer7.ts';
import type { NodeBoot } from '#core/flow/node-boot.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import { writeFlowRow } from '#core/hubble/flow-row.ts';
import { redactFlow } from '#core/redaction/redact-flow.ts';
import { type Redaction, redaction } from '#core/redaction/redaction.ts';
import { type LostEvent, LostEventSource } from '#proto/gen/flow/flow_pb.ts';
import {
  type GetFlowsResponse,
  type Node,
  Observer,
  type ServerStatusResponse,
} from '#proto/gen/observer/observer_pb.ts';
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
import { Code, codeName, StatusError } from '#runtime/grpc/service.ts';
import type { ClientSecurity } from '#runtime/grpc/tls.ts';
import { pause } from '#runtime/pause.ts';
import type { IngestInto } from '../relay/ingest.ts';
import type { MergeSource } from '../relay/merge-queue.ts';
import { RateMeter } from '../relay/rate-meter.ts';
import type { FollowedStatus, RelaySource } from '../relay/relay.ts';
import { timestamp } from '../timestamp.ts';

/** Past flows asked for at first, of every node. */
const FIRST_PAST_FLOWS = 8_192n;
const PROBE_EVERY_MS = 2_000;
const PROBE_DEADLINE_MS = 3_000;
/** Rows handed over together: a message of Hubble's is one flow. */
const ROWS_PER_CHUNK = 512;
const FLUSH_MS = 20;
/** A stream that has named more endpoints is begun anew, which lets go of those no flow refers to any more. */
const MOST_STREAM_ENDPOINTS = 100_000;
const MOST_PODS = 100_000;

export interface HubbleTarget {
  /** `host:port` of a Hubble server or relay. */
  readonly address: string;
  readonly security?: ClientSecurity;
  /** Which values of layer 7 are kept although they may be credentials; by default none. */
  readonly redaction?: Redaction;
}

interface FollowedNode {
  readonly cluster: string;
  readonly name: string;
  readonly bootId: bigint;
  sequence: number;
  readonly rate: RateMeter;
  state: NodeState;
  told: Node | undefined;
  lastHeardMs: number;
}

/**
 * Follows a Hubble server or relay that need not be ours. Its flows become rows; they have no counters, so that bytes and
 * round trips are not known. A lost connection is resumed at the time of the last flow: flows of that very instant are told
 * apart by their uuid.
 */
export class HubbleFollower implements RelaySource {
  readonly #target: HubbleTarget;
  readonly #into: IngestInto;
  readonly #redaction: Redaction;
  readonly #onState: () => void;
  readonly #backoff: Backoff;
  readonly #ended = new AbortController();
  readonly #nodes = new Map<string, FollowedNode>();
  readonly #done: Promise<void>;
  #state: NodeState = NodeState.CONNECTING;
  #message = '';
  #retryAtMs: number | undefined;
  #server: ServerStatusResponse | undefined;
  #lastTime: Timestamp | undefined;
  /** Ids of the flows at the last time. */
  #lastIds = new Set<string>();
  /** By `cluster/namespace/pod`. */
  readonly #podNodes = new Map<string, string>();
  // Rows that wait to be handed over.
  #columns: FlowColumns = allocateColumns(ROWS_PER_CHUNK);
  #rows = 0;
  #requests = 0;

  constructor(target: HubbleTarget, into: IngestInto, onState: () => void, backoff?: BackoffLimits) {
    this.#target = target;
    this.#into = into;
    this.#redaction = target.redaction ?? redaction();
    this.#onState = onState;
    this.#backoff = new Backoff(backoff);
    this.#done = this.#run();
  }

  /** The nodes whose flows have come, or the server alone as long as there are none. */
  followed(): FollowedStatus[] {
    const connected = this.#state === NodeState.CONNECTED;
    const { security } = this.#target;
    if (this.#nodes.size === 0)
      return [{ status: this.#serverStatus(), answer: undefined, startedMs: undefined, security }];
    return [...this.#nodes.values()].map((node) => {
      const { told } = node;
      const startedMs =
        told === undefined || told.uptimeNs === 0n ? undefined : Date.now() - Number(told.uptimeNs / 1_000_000n);
      const status = create(NodeStatusSchema, {
        cluster: node.cluster,
        name: node.name,
        address: told?.address || this.#target.address,
        state: connected ? node.state : this.#state,
        message: connected ? '' : this.#message,
        bootId: node.bootId,
        flowsPerSecond: node.rate.perSecond(),
        flowsSeen: BigInt(node.rate.total),
        started: startedMs === undefined ? undefined : timestamp(startedMs),
        lastHeard: timestamp(node.lastHeardMs),
        retryAt: this.#retryAtMs === undefined ? undefined : timestamp(this.#retryAtMs),
        losses: this.#into.losses.counts(node.cluster, node.name),
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
    return this.#state === NodeState.CONNECTED && this.#nodes.get(`${cluster}/${node}`)?.state === NodeState.CONNECTED;
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
        this.#message = error instanceof StatusError ? `${codeName(error.code)}: ${error.message}` : String(error);
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
    const source = this.#into.merge.addSource();
    const retained = new Set<number>();
    let probeTimer: NodeJS.Timeout | undefined;
    let broken: unknown;
    const flushTimer = setInterval(() => this.#flush(source), FLUSH_MS);
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
      const since = this.#lastTime;
      const request = since === undefined ? { follow: true, number: FIRST_PAST_FLOWS } : { follow: true, since };
      for await (const response of client.getFlows(request, { signal })) {
        this.#received(response, source, retained);
        if (retained.size > MOST_STREAM_ENDPOINTS) return;
      }
      if (broken !== undefined) throw broken;
      if (!outer.aborted) throw new StatusError(Code.UNAVAILABLE, 'the server ended the stream');
    } catch (error) {
      throw broken ?? error;
    } finally {
      clearTimeout(probeTimer);
      clearInterval(flushTimer);
      ended.abort();
      this.#flush(source);
      source.close();
      for (const number of retained) this.#into.window.endpoints.release(number);
      client.close();
    }
  }

  async #probe(client: Client<typeof Observer>, signal: AbortSignal): Promise<void> {
    const options = { signal, deadlineMs: PROBE_DEADLINE_MS };
    this.#server = await client.serverStatus({}, options);
    try {
      for (const told of (await client.getNodes({}, options)).nodes) {
        const node = this.#node(told.name);
        node.told = told;
        this.#enterNode(node, told.state === HubbleState.NODE_CONNECTED);
      }
    } catch (error) {
      // A node's own server does not know the others.
      if (!(error instanceof StatusError && error.code === Code.UNIMPLEMENTED)) throw error;
    }
  }

  #received(response: GetFlowsResponse, source: MergeSource, retained: Set<number>): void {
    const { case: kind, value } = response.responseTypes;
    if (kind === 'lostEvents') this.#lost(response.nodeName, value);
    else if (kind === 'nodeStatus') {
      const connected = value.stateChange === HubbleState.NODE_CONNECTED;
      for (const name of value.nodeNames) this.#enterNode(this.#node(name), connected);
    } else if (kind === 'flow' && this.#isNew(value.uuid, value.time ?? response.time)) {
      const node = this.#node(value.nodeName || response.nodeName);
      node.lastHeardMs = Date.now();
      const { window } = this.#into;
      const row = this.#rows;
      // What is not to be told is not kept.
      const flow = redactFlow({ ...value, uuid: '' }, this.#redaction);
      writeFlowRow(flow, bootOf(node), ++node.sequence, this.#columns, row, window);
      this.#place(row, node.name);
      for (const number of [this.#columns.source[row], this.#columns.destination[row]]) {
        if (retained.has(number)) continue;
        retained.add(number);
        window.endpoints.retain(number);
      }
      if (this.#columns.policy[row] !== 0) window.decisions.retain(this.#columns.policy[row]);
      if (isLayer7(this.#columns.observation[row])) {
        window.layer7.retain(layer7Number(this.#columns, row));
        this.#into.requests.add(1);
        this.#requests++;
      }
      this.#into.lastSequence[this.#columns.node[row]] = node.sequence;
      node.rate.add(1);
      this.#into.rate.add(1);
      this.#rows++;
      if (this.#rows === ROWS_PER_CHUNK) this.#flush(source);
    }
  }

  /**
   * Hubble does not say on which node a pod lives; who observed it does, of one end. It is remembered for the flows that
   * show it at their other end: a connection that is seen at both must be counted once.
   */
  #place(row: number, node: string): void {
    const { endpoints } = this.#into.window;
    const observer = observerOf(this.#columns, row);
    for (const column of ['source', 'destination'] as const) {
      const endpoint = endpoints.get(this.#columns[column][row]);
      if (endpoint.pod === '' || endpoint.node !== '') continue;
      const pod = `${endpoint.cluster}/${endpoint.namespace}/${endpoint.pod}`;
      if (column === observer && this.#podNodes.get(pod) !== node) {
        if (this.#podNodes.size >= MOST_PODS) this.#podNodes.clear();
        this.#podNodes.set(pod, node);
      }
      const known = this.#podNodes.get(pod);
      if (known === undefined) continue;
      const without = this.#columns[column][row];
      this.#columns[column][row] = endpoints.intern({ ...endpoint, node: known });
      // The one without a node goes, unless a row that was before its node was known still holds it.
      endpoints.retain(without);
      endpoints.release(without);
    }
  }

  #flush(source: MergeSource): void {
    if (this.#rows === 0) return;
    const columns = this.#columns;
    const rows = this.#rows;
    const requests = this.#requests > 0;
    this.#columns = allocateColumns(ROWS_PER_CHUNK);
    this.#rows = 0;
    this.#requests = 0;
    source.push(columns, 0, rows, requests);
    if (!requests) return;
    const { layer7 } = this.#into.window;
    for (let row = 0; row < rows; row++) layer7.release(layer7Number(columns, row));
  }

  /** After a resumption the flows of the last instant come again. */
  #isNew(uuid: string, time: Timestamp | undefined): boolean {
    if (time === undefined || uuid === '') return true;
    const last = this.#lastTime;
    const order =
      last === undefined
        ? 1
        : time.seconds === last.seconds
          ? time.nanos - last.nanos
          : time.seconds > last.seconds
            ? 1
            : -1;
    if (order > 0) {
      this.#lastTime = time;
      this.#lastIds = new Set([uuid]);
      return true;
    }
    if (order === 0) {
      if (this.#lastIds.has(uuid)) return false;
      this.#lastIds.add(uuid);
    }
    return true;
  }

  #lost(nodeName: string, { source, numEventsLost, first, last }: LostEvent): void {
    const { cluster, name } = this.#node(nodeName);
    const sources: Readonly<Record<number, LossSource>> = {
      [LostEventSource.PERF_EVENT_RING_BUFFER]: LossSource.KERNEL_RING,
      [LostEventSource.HUBBLE_RING_BUFFER]: LossSource.AGENT_RING,
      [LostEventSource.OBSERVER_EVENTS_QUEUE]: LossSource.RELAY_QUEUE,
      [LostEventSource.UNKNOWN_LOST_EVENT_SOURCE]: LossSource.UNSPECIFIED,
    };
    const from = sources[source];
    this.#into.losses.add({
      cluster,
      node: name,
      source: from ?? LossSource.UNSPECIFIED,
      count: numEventsLost,
      first,
      last,
    });
  }

  /** By `cluster/node`; a bare name is of cluster `default`, as Hubble leaves that one out. */
  #node(fullName: string): FollowedNode {
    const slash = fullName.lastIndexOf('/');
    const cluster = slash < 0 ? 'default' : fullName.slice(0, slash);
    const name = fullName.slice(slash + 1) || this.#target.address;
    const key = `${cluster}/${name}`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      const bootId = randomBytes(8).readBigUInt64LE() | 1n;
      node = {
        cluster,
        name,
        bootId,
        sequence: 0,
        rate: new RateMeter(),
        state: NodeState.CONNECTED,
        told: undefined,
        lastHeardMs: Date.now(),
      };
      this.#nodes.set(key, node);
      this.#onState();
    }
    return node;
  }

  #enterNode(node: FollowedNode, connected: boolean): void {
    const state = connected ? NodeState.CONNECTED : NodeState.UNAVAILABLE;
    if (node.state === state) return;
    node.state = state;
    this.#onState();
  }

  #enter(state: NodeState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#onState();
  }
}

/** At which end of the packet it was observed; undefined where that is not told. */
function observerOf(columns: FlowColumns, row: number): 'source' | 'destination' | undefined {
  const observation = columns.observation[row];
  if (!isLayer7(observation)) return observation === OBSERVATION.TO_ENDPOINT ? 'destination' : 'source';
  const direction = columns.direction[row];
  const reply = columns.reply[row];
  if (direction === DIRECTION.UNKNOWN || reply === REPLY.UNKNOWN) return undefined;
  // A proxy tells of both ways, for the endpoint whose egress or ingress it stands in.
  return (direction === DIRECTION.EGRESS) === (reply === REPLY.ORIGINAL) ? 'source' : 'destination';
}

function bootOf({ cluster, name, bootId }: FollowedNode): NodeBoot {
  return { cluster, node: name, bootId };
}

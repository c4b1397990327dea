import { memoised } from '#core/filter/endpoint-predicate.ts';
import { DIRECTION, REPLY } from '#core/flow/direction.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import { hasPorts, protocols } from '#core/flow/protocol.ts';
import { countsPackets } from '#core/flow/translation.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { isWorld } from '#core/identity/reserved.ts';
import { Counter, type Registry } from '#runtime/metrics.ts';
import { droppedPackets } from '../live-map/dropped-packets.ts';
import type { Relay } from '../relay/relay.ts';

const DEFAULT_METRIC_EDGES = 2_000;
/** An edge without a flow for so long goes, and its series with it: jobs and single pods come and go without end. */
const IDLE_MS = 15 * 60_000;

const LABELS = [
  'source_namespace',
  'source_workload',
  'destination_namespace',
  'destination_workload',
  'destination_port',
  'protocol',
] as const;

/** What is counted of one edge. */
export interface Edge {
  /** Since when, in milliseconds since 1970. */
  readonly sinceMs: number;
  lastMs: number;
  /** It has gone; should it come back, it is another. */
  gone: boolean;
  readonly labels: Readonly<Record<(typeof LABELS)[number], string>>;
  connections: number;
  dropped: number;
  bytesSent: number;
  bytesReceived: number;
  retransmits: number;
  rttSeconds: number;
  rttCount: number;
}

/**
 * Who talks to whom on which port, as counters for Prometheus. Each connection is seen at both ends: it is counted where the
 * server is, or where the client is when nobody observes the server. At most so many edges; flows of others are counted as
 * overflow. An edge that has been silent for a quarter of an hour makes room.
 */
export class EdgeMetrics {
  readonly #relay: Relay;
  readonly #limit: number;
  readonly #edges = new Map<string, Edge>();
  /** By both endpoints' numbers and port: the edge, as long as neither number comes to stand for another. */
  readonly #known = new Map<number, { edge: Edge; generations: number }>();
  readonly #now: () => number;
  #overflow = 0;
  #expiredMs = 0;

  constructor(
    registry: Registry,
    relay: Relay,
    limit: number = DEFAULT_METRIC_EDGES,
    now: () => number = () => Date.now(),
  ) {
    this.#relay = relay;
    this.#now = now;
    this.#limit = limit;
    if (limit === 0) return;
    relay.onRows((from, to) => this.#count(from, to));
    this.#counter(registry, 'connections_total', 'Connections opened.', ({ connections }) => connections);
    this.#counter(registry, 'dropped_total', 'Dropped packets.', ({ dropped }) => dropped);
    this.#counter(registry, 'sent_bytes_total', 'Bytes from client to server.', ({ bytesSent }) => bytesSent);
    this.#counter(
      registry,
      'received_bytes_total',
      'Bytes from server to client.',
      ({ bytesReceived }) => bytesReceived,
    );
    this.#counter(registry, 'retransmits_total', 'TCP segments sent again.', ({ retransmits }) => retransmits);
    this.#counter(registry, 'rtt_seconds_sum', 'Sum of TCP handshake round trips.', ({ rttSeconds }) => rttSeconds);
    this.#counter(registry, 'rtt_seconds_count', 'Number of them.', ({ rttCount }) => rttCount);
    const overflow = () => this.#overflow;
    new Counter({
      name: 'waggle_edge_overflow_total',
      help: 'Flows whose edge found no room among those counted.',
      registers: [registry],
      collect() {
        this.reset();
        this.inc(overflow());
      },
    });
  }

  /** The edges that are counted. */
  edges(): Iterable<Edge> {
    this.#expire();
    return this.#edges.values();
  }

  #counter(registry: Registry, name: string, help: string, value: (edge: Edge) => number): void {
    const edges = () => this.edges();
    new Counter({
      name: `waggle_edge_${name}`,
      help,
      labelNames: LABELS,
      registers: [registry],
      collect() {
        this.reset();
        for (const edge of edges()) if (value(edge) > 0) this.inc(edge.labels, value(edge));
      },
    });
  }

  #count(from: number, to: number): void {
    const { window } = this.#relay;
    const { columns } = window;
    const nowMs = this.#now();
    const observed = memoised(
      window.endpoints,
      ({ cluster, node }) => node !== '' && this.#relay.observes(cluster, node),
    );
    for (let position = from; position < to; position++) {
      const row = window.slot(position);
      const reply = columns.reply[row];
      if (reply === REPLY.UNKNOWN) continue;
      const back = reply === REPLY.REPLY;
      const client = back ? columns.destination[row] : columns.source[row];
      const server = back ? columns.source[row] : columns.destination[row];
      const atServer = columns.direction[row] === DIRECTION.INGRESS;
      // A drop is seen at one end only: where it happened.
      const dropped = columns.verdict[row] === VERDICT.DROPPED;
      if (!dropped && !atServer && observed(server)) continue;
      const protocol = columns.protocol[row];
      const port = hasPorts(protocol) ? (back ? columns.sourcePort[row] : columns.destinationPort[row]) : 0;
      const edge = this.#edge(client, server, port, protocol, nowMs);
      if (edge === undefined) {
        this.#overflow++;
        continue;
      }
      edge.lastMs = nowMs;
      if (dropped) edge.dropped += droppedPackets(columns, row);
      else if (columns.trigger[row] === TRIGGER.FIRST_PACKET && !back) edge.connections++;
      if (!countsPackets(columns.observation[row])) continue;
      edge.bytesSent += columns.bytesOriginal[row];
      edge.bytesReceived += columns.bytesReply[row];
      edge.retransmits += columns.retransmits[row];
      if (columns.rttMicros[row] > 0 && columns.observation[row] !== OBSERVATION.UNKNOWN) {
        edge.rttSeconds += columns.rttMicros[row] / 1e6;
        edge.rttCount++;
      }
    }
  }

  #expire(): void {
    this.#expiredMs = this.#now();
    const oldestMs = this.#expiredMs - IDLE_MS;
    for (const [key, edge] of this.#edges) {
      if (edge.lastMs > oldestMs) continue;
      edge.gone = true;
      this.#edges.delete(key);
    }
  }

  #edge(client: number, server: number, port: number, protocol: number, nowMs: number): Edge | undefined {
    const { endpoints } = this.#relay.window;
    const id = (client * 65_536 + server) * 65_536 + port;
    const generations = endpoints.generation(client) * 65_536 + endpoints.generation(server);
    const known = Number.isSafeInteger(id) ? this.#known.get(id) : undefined;
    if (
      known?.generations === generations &&
      !known.edge.gone &&
      known.edge.labels.protocol === protocols.name(protocol)
    ) {
      return known.edge;
    }
    const from = endpoints.get(client);
    const to = endpoints.get(server);
    const labels = {
      source_namespace: from.namespace,
      source_workload: nameOf(from),
      destination_namespace: to.namespace,
      destination_workload: nameOf(to),
      destination_port: String(port),
      protocol: protocols.name(protocol),
    };
    const key = Object.values(labels).join('\0');
    let edge = this.#edges.get(key);
    if (edge === undefined) {
      // Not for each of many flows that find no room.
      if (this.#edges.size >= this.#limit && nowMs - this.#expiredMs >= 1_000) this.#expire();
      if (this.#edges.size >= this.#limit) return undefined;
      edge = {
        labels,
        sinceMs: nowMs,
        lastMs: nowMs,
        gone: false,
        connections: 0,
        dropped: 0,
        bytesSent: 0,
        bytesReceived: 0,
        retransmits: 0,
        rttSeconds: 0,
        rttCount: 0,
      };
      this.#edges.set(key, edge);
    }
    if (this.#known.size > 65_536) this.#known.clear();
    if (Number.isSafeInteger(id)) this.#known.set(id, { edge, generations });
    return edge;
  }
}

/** Single addresses would be without number: what is no workload goes by its kind. */
function nameOf({ workloadName, pod, identity }: Endpoint): string {
  if (workloadName !== '') return workloadName;
  if (pod !== '') return pod;
  if (isWorld(identity)) return 'world';
  return identity === 1 ? 'host' : identity === 6 ? 'remote-node' : 'unknown';
}

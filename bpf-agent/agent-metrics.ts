import { hubbleLossSource } from '#core/hubble/lost-event.ts';
import { vocabulary } from '#core/vocabulary/vocabulary.ts';
import { LostEventSource } from '#proto/gen/flow/flow_pb.ts';
import { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import { Counter, Gauge, type Registry } from '#runtime/metrics.ts';
import { DROPPED_CAUSES } from './maps/counters.ts';

const hubbleSources = vocabulary('lost event source', LostEventSource);
const lossSources = vocabulary('loss source', LossSource);

/** How full one of the kernel's maps is. */
export interface MapFill {
  readonly entries: number;
  readonly capacity: number;
}

/** What an agent tells of itself; read when it is scraped. */
export interface AgentFigures {
  flows(): number;
  flowsPerSecond(): number;
  endpoints(): number;
  /** Pods of the node whose traffic is not seen. */
  unattached(): number;
  followers(): number;
  exported(): number;
  /** Flows that were overwritten before an export took them. */
  exportLost(): number;
  connections(): number;
  /** Bytes in the ring that wait, and its size. */
  ring(): { readonly waiting: number; readonly capacity: number };
  drainSeconds(): number;
  /** By name. */
  maps(): Readonly<Record<string, MapFill>>;
  /** By name of the map: entries that it forgot for others to have room, or that found none, since it was made. */
  evictions(): Readonly<Record<string, number>>;
  losses(): ReadonlyMap<LossSource, number>;
  /** Packets, by `DROPPED_CAUSES`, since the datapath's maps were made. */
  dropped(): readonly number[];
  /** Addresses exchanged at pods' sockets, likewise. */
  translations(): { readonly told: number; readonly untold: number };
  /** Answers of DNS servers to pods: `read` and `unreadable` since the agent started, `lost` since the maps were made. */
  dnsAnswers(): { readonly read: number; readonly unreadable: number; readonly lost: number };
  /** Addresses outside the cluster that have a name, and those that were forgotten for others to have room. */
  dnsNames(): { readonly held: number; readonly evicted: number };
}

/** Registers the agent's metrics. Lost events keep the name Hubble's users alert on. */
export function registerAgentMetrics(registry: Registry, figures: AgentFigures): void {
  counter(registry, 'waggle_agent_flows_total', 'Flows read from the kernel since the agent started.', figures.flows);
  gauge(registry, 'waggle_agent_flows_per_second', 'Mean of the last 10 s.', figures.flowsPerSecond);
  gauge(registry, 'waggle_agent_endpoints', 'Pods of this node whose traffic is observed.', figures.endpoints);
  gauge(
    registry,
    'waggle_agent_unattached_pods',
    'Pods of this node whose traffic is not observed.',
    figures.unattached,
  );
  gauge(registry, 'waggle_agent_followers', 'Open flow streams.', figures.followers);
  counter(registry, 'waggle_agent_exported_flows_total', 'Flows handed to exports.', figures.exported);
  counter(
    registry,
    'waggle_agent_export_lost_flows_total',
    'Flows overwritten before an export took them, or refused by what it writes to.',
    figures.exportLost,
  );
  counter(
    registry,
    'waggle_agent_drain_seconds_total',
    'Time spent making flows of the records in the ring.',
    figures.drainSeconds,
  );
  gauge(registry, 'waggle_agent_ring_bytes', 'Records in the ring that wait to be read.', () => figures.ring().waiting);
  gauge(registry, 'waggle_agent_ring_capacity_bytes', 'Size of the ring.', () => figures.ring().capacity);
  perMap(registry, 'waggle_agent_map_entries', "Entries in the kernel's maps.", figures.maps, ({ entries }) => entries);
  perMap(registry, 'waggle_agent_map_capacity', 'Entries they hold at most.', figures.maps, ({ capacity }) => capacity);
  new Counter({
    name: 'waggle_agent_map_evictions_total',
    help: "Entries that the kernel's maps forgot for others to have room, or that found none.",
    labelNames: ['map'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [map, count] of Object.entries(figures.evictions())) this.inc({ map }, count);
    },
  });
  gauge(
    registry,
    'waggle_agent_connections',
    'Entries in the connection table at the last sweep.',
    figures.connections,
  );
  new Counter({
    name: 'hubble_lost_events_total',
    help: "Events that were seen and could not be told, by Hubble's sources.",
    labelNames: ['source'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [source, count] of figures.losses())
        this.inc({ source: hubbleSources.name(hubbleLossSource(source)).toLowerCase() }, count);
    },
  });
  new Counter({
    name: 'waggle_agent_lost_events_total',
    help: 'The same events by our own sources, of which there are more.',
    labelNames: ['source'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [source, count] of figures.losses())
        this.inc({ source: lossSources.name(source).toLowerCase() }, count);
    },
  });
  new Counter({
    name: 'waggle_agent_dropped_packets_total',
    help: 'Packets dropped by policy, or as ones nobody should send, by reason.',
    labelNames: ['reason'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [cause, count] of figures.dropped().entries()) this.inc({ reason: DROPPED_CAUSES[cause] }, count);
    },
  });
  new Counter({
    name: 'waggle_agent_translations_total',
    help: 'Services exchanged for backends at the sockets of pods, and back: told as flows, or beyond their rate.',
    labelNames: ['told'],
    registers: [registry],
    collect() {
      this.reset();
      const { told, untold } = figures.translations();
      this.inc({ told: 'true' }, told);
      this.inc({ told: 'false' }, untold);
    },
  });
  new Counter({
    name: 'waggle_agent_dns_answers_total',
    help: 'Answers of DNS servers to pods: read for names, not readable, or lost for want of room.',
    labelNames: ['outcome'],
    registers: [registry],
    collect() {
      this.reset();
      const { read, unreadable, lost } = figures.dnsAnswers();
      this.inc({ outcome: 'read' }, read - unreadable);
      this.inc({ outcome: 'unreadable' }, unreadable);
      this.inc({ outcome: 'lost' }, lost);
    },
  });
  gauge(
    registry,
    'waggle_agent_dns_names',
    'Addresses outside the cluster that have a name, once for each namespace that asked for it.',
    () => figures.dnsNames().held,
  );
  counter(
    registry,
    'waggle_agent_dns_names_evicted_total',
    'Addresses whose names were forgotten for others to have room.',
    () => figures.dnsNames().evicted,
  );
}

function perMap(
  registry: Registry,
  name: string,
  help: string,
  maps: AgentFigures['maps'],
  value: (fill: MapFill) => number,
): void {
  new Gauge({
    name,
    help,
    labelNames: ['map'],
    registers: [registry],
    collect() {
      for (const [map, fill] of Object.entries(maps())) this.set({ map }, value(fill));
    },
  });
}

function counter(registry: Registry, name: string, help: string, value: () => number): void {
  new Counter({
    name,
    help,
    registers: [registry],
    collect() {
      this.reset();
      this.inc(value());
    },
  });
}

function gauge(registry: Registry, name: string, help: string, value: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(value());
    },
  });
}

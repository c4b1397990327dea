import type { Endpoint } from '#core/flow/endpoint.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { registerStaleness } from '#runtime/cluster/staleness-metric.ts';
import type { Health } from '#runtime/health.ts';
import { FlowMetrics, type FlowMetricsOptions } from '#runtime/hubble/flow-metrics.ts';
import { createRegistry, type MetricsServer, startMetricsServer } from '#runtime/metrics.ts';
import { type AgentFigures, registerAgentMetrics } from './agent-metrics.ts';
import { DNS_RESPONSES, DnsMetrics } from './dns/dns-metrics.ts';
import type { DnsAnswer } from './dns/read-answer.ts';
import { DropMetrics } from './drop-metrics.ts';
import type { Datapath } from './loader/datapath.ts';
import { mapCapacity } from './loader/map-capacity.ts';
import type { FlowLog } from './observer/flow-log.ts';

export interface MetricsParts {
  readonly address: string;
  readonly options: FlowMetricsOptions | undefined;
  readonly health: Health;
  readonly source: ClusterSource;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  readonly flows: FlowLog;
  readonly datapath: Datapath;
  /** What the agent alone knows; the rest is read from the datapath. */
  readonly figures: Omit<AgentFigures, 'flows' | 'flowsPerSecond' | 'ring' | 'dropped' | 'translations' | 'maps'>;
  /** Entries in the kernel's maps. */
  readonly entries: () => Readonly<Record<'connections' | 'policies' | 'services' | 'external_connections', number>>;
}

/** Where an agent's metrics and health are read. */
export class MetricsEndpoint {
  readonly #address: string;
  readonly #health: Health;
  readonly #registry = createRegistry();
  readonly #flows: FlowMetrics;
  readonly #drops: DropMetrics;
  readonly #dns: DnsMetrics;
  #server: MetricsServer | undefined;

  constructor({ address, options, health, source, startedMs, flows, datapath, figures, entries }: MetricsParts) {
    this.#address = address;
    this.#health = health;
    const registry = this.#registry;
    registerStaleness(registry, source, startedMs);
    const { connections, policies, counters, services, external } = datapath.maps;
    const dropped = () => counters.read().dropped;
    const capacities = {
      connections: mapCapacity(connections.fd),
      policies: mapCapacity(policies.fd),
      services: mapCapacity(services.services.fd),
      external_connections: mapCapacity(external.connections.fd),
    };
    this.#flows = new FlowMetrics(registry, flows.window, options);
    this.#dns = new DnsMetrics(registry, options);
    this.#flows.tellOverflow(DNS_RESPONSES, () => this.#dns.overflow);
    this.#drops = new DropMetrics(registry, flows.window, dropped);
    registerAgentMetrics(registry, {
      ...figures,
      flows: () => flows.lastSequence,
      flowsPerSecond: () => flows.rate.perSecond(),
      ring: () => ({ waiting: datapath.ring.pending, capacity: datapath.ring.bytes }),
      maps: () => {
        const held = entries();
        const fill = (name: keyof typeof capacities) => ({ entries: held[name], capacity: capacities[name] });
        return {
          connections: fill('connections'),
          policies: fill('policies'),
          services: fill('services'),
          external_connections: fill('external_connections'),
        };
      },
      dropped,
      translations: () => services.translationCounts(),
    });
  }

  /** Throws a ListenError. */
  async start(): Promise<void> {
    this.#server = await startMetricsServer({
      address: this.#address,
      registry: this.#registry,
      health: this.#health,
    });
  }

  /** With the port that was really taken. */
  get address(): string {
    return this.#server?.address ?? this.#address;
  }

  /** Counts the flows at these positions of the window. */
  count(from: number, end: number): void {
    this.#flows.count(from, end);
    this.#drops.count(from, end);
  }

  /** Counts what a DNS server answered to a pod. */
  countAnswer(answer: DnsAnswer, client: Endpoint, server: Endpoint): void {
    this.#dns.count(answer, client, server);
  }

  /** Lets go of the series of pods that are gone. */
  forget(gone: Parameters<FlowMetrics['forget']>[0]): void {
    this.#flows.forget(gone);
    this.#dns.forget(gone);
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
  }
}

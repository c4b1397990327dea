import type { Logger } from '#runtime/log.ts';
import { OtlpCollector } from '#runtime/otlp-collector.ts';
import type { Edge, EdgeMetrics } from './edge-metrics.ts';

const EVERY_MS = 10_000;
/** OTLP: each point is the sum since the start. */
const CUMULATIVE = 2;

const SUMS: readonly { readonly name: string; readonly unit: string; value(edge: Edge): number }[] = [
  { name: 'waggle.edge.connections', unit: '{connection}', value: ({ connections }) => connections },
  { name: 'waggle.edge.dropped', unit: '{packet}', value: ({ dropped }) => dropped },
  { name: 'waggle.edge.sent', unit: 'By', value: ({ bytesSent }) => bytesSent },
  { name: 'waggle.edge.received', unit: 'By', value: ({ bytesReceived }) => bytesReceived },
  { name: 'waggle.edge.retransmits', unit: '{segment}', value: ({ retransmits }) => retransmits },
];

/**
 * Sends the edges as OpenTelemetry metrics by OTLP over HTTP, in its JSON form, to `<endpoint>/v1/metrics`. Sums are
 * cumulative: what a collector did not take is in the next ones.
 */
export class OtlpEdges {
  readonly #collector: OtlpCollector;
  readonly #edges: EdgeMetrics;
  readonly #version: string;
  readonly #log: Logger;
  readonly #timer: NodeJS.Timeout;
  #sending = false;
  #failing = false;

  constructor(endpoint: URL, edges: EdgeMetrics, version: string, log: Logger, everyMs = EVERY_MS) {
    this.#collector = new OtlpCollector(endpoint, 'metrics');
    this.#edges = edges;
    this.#version = version;
    this.#log = log;
    this.#timer = setInterval(() => void this.send(), everyMs);
    this.#timer.unref();
  }

  /** Sends what is counted now. Never throws; a collector that does not answer is told of once. */
  async send(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    try {
      if ((await this.#collector.send(this.#message())) > 0) throw new Error(`${this.#collector} refuses them`);
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) this.#log.warn({ err: error }, 'the OpenTelemetry collector does not take metrics');
      this.#failing = true;
    } finally {
      this.#sending = false;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #message(): object {
    const timeUnixNano = String(BigInt(Date.now()) * 1_000_000n);
    const edges = [...this.#edges.edges()];
    const attributes = new Map(edges.map((edge) => [edge, attributesOf(edge)]));
    const metrics = SUMS.map(({ name, unit, value }) => ({
      name,
      unit,
      sum: {
        aggregationTemporality: CUMULATIVE,
        isMonotonic: true,
        dataPoints: edges
          .filter((edge) => value(edge) > 0)
          .map((edge) => ({
            asInt: String(value(edge)),
            attributes: attributes.get(edge),
            startTimeUnixNano: startOf(edge),
            timeUnixNano,
          })),
      },
    }));
    const rtt = {
      name: 'waggle.edge.rtt',
      unit: 's',
      summary: {
        dataPoints: edges
          .filter(({ rttCount }) => rttCount > 0)
          .map((edge) => ({
            count: String(edge.rttCount),
            sum: edge.rttSeconds,
            attributes: attributes.get(edge),
            startTimeUnixNano: startOf(edge),
            timeUnixNano,
          })),
      },
    };
    return {
      resourceMetrics: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'waggle' } }] },
          scopeMetrics: [{ scope: { name: 'waggle', version: this.#version }, metrics: [...metrics, rtt] }],
        },
      ],
    };
  }
}

/** In nanoseconds since 1970. */
function startOf({ sinceMs }: Edge): string {
  return String(BigInt(sinceMs) * 1_000_000n);
}

function attributesOf({ labels }: Edge): object[] {
  return [
    ['source.k8s.namespace.name', labels.source_namespace],
    ['source.k8s.workload.name', labels.source_workload],
    ['destination.k8s.namespace.name', labels.destination_namespace],
    ['destination.k8s.workload.name', labels.destination_workload],
    ['destination.port', labels.destination_port],
    ['network.transport', labels.protocol.toLowerCase()],
  ]
    .filter(([, value]) => value !== '')
    .map(([key, stringValue]) => ({ key, value: { stringValue } }));
}

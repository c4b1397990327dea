import type { Endpoint } from '#core/flow/endpoint.ts';
import { rcodeText } from '#core/flow/layer7-text.ts';
import { BoundedSeries } from '#runtime/hubble/bounded-series.ts';
import type { FlowMetricsOptions } from '#runtime/hubble/flow-metrics.ts';
import { CONTEXT_LABELS, contextValues, DEFAULT_SERIES, podsNamed } from '#runtime/hubble/metric-context.ts';
import { Counter, type Registry } from '#runtime/metrics.ts';
import type { DnsAnswer } from './read-answer.ts';

/** By number, the types that programs ask for; whoever makes others up does not make series. */
const QTYPES: Readonly<Record<number, string>> = {
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  33: 'SRV',
  64: 'SVCB',
  65: 'HTTPS',
  255: 'ANY',
};
/** The family's name. */
export const DNS_RESPONSES = 'hubble_dns_responses_total';

const OTHER = 'other';
const MOST_IPS = 16;
const LAST_RCODE = 10;

/** Hubble's metric of DNS answers, of those that pods of this node got. The source is who asked. */
export class DnsMetrics {
  readonly #context: readonly string[];
  readonly #counter: Counter;
  readonly #series: BoundedSeries;

  constructor(registry: Registry, { context, series }: FlowMetricsOptions = { context: [], series: DEFAULT_SERIES }) {
    this.#context = CONTEXT_LABELS.filter((label) => context.includes(label));
    this.#counter = new Counter({
      name: DNS_RESPONSES,
      help: 'DNS responses to pods of this node, by UDP.',
      labelNames: ['rcode', 'qtypes', 'ips_returned', ...this.#context],
      registers: [registry],
      collect: () => this.#series.expire(performance.now()),
    });
    this.#series = new BoundedSeries(this.#counter, series);
  }

  /** Answers that found no room among the series. */
  get overflow(): number {
    return this.#series.overflow;
  }

  count({ rcode, type, addresses }: DnsAnswer, client: Endpoint, server: Endpoint, nowMs = performance.now()): void {
    const values = [
      ...contextValues(this.#context, 'source', client),
      ...contextValues(this.#context, 'destination', server),
      'egress',
    ];
    const labels = {
      rcode: rcode <= LAST_RCODE ? rcodeText(rcode) : OTHER,
      qtypes: QTYPES[type] ?? OTHER,
      ips_returned: addresses.length > MOST_IPS ? `>${MOST_IPS}` : String(addresses.length),
      ...Object.fromEntries(this.#context.map((label, index) => [label, values[index]])),
    };
    if (this.#series.admits(labels, nowMs, podsNamed(this.#context, client, server))) this.#counter.inc(labels);
  }

  /** Lets go of the series that name one of these pods. */
  forget(gone: ReadonlySet<string>): void {
    this.#series.forget(gone);
  }
}

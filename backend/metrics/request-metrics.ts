import { DIRECTION, directions, REPLY } from '#core/flow/direction.ts';
import {
  type DnsRecord,
  type HttpRecord,
  isAnswer,
  isLayer7,
  LAYER7_TYPE,
  layer7LatencyNs,
  layer7Number,
} from '#core/flow/layer7.ts';
import { rcodeText } from '#core/flow/layer7-text.ts';
import { BoundedSeries } from '#runtime/hubble/bounded-series.ts';
import type { FlowMetricsOptions } from '#runtime/hubble/flow-metrics.ts';
import { CONTEXT_LABELS, contextValues, DEFAULT_SERIES } from '#runtime/hubble/metric-context.ts';
import { Counter, Histogram, type Registry } from '#runtime/metrics.ts';
import type { Relay } from '../relay/relay.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE'];
const PROTOCOLS = ['HTTP/1.0', 'HTTP/1.1', 'HTTP/2', 'HTTP/2.0', 'HTTP/3', 'HTTP/3.0'];
/** What a client may make up counts as this: labels take memory for as long as the process lives. */
const OTHER = 'other';
const MOST_QTYPES = 64;
const MOST_IPS = 16;

/** Whose proxy tells, as Hubble names it. */
const REPORTERS: Readonly<Record<number, string>> = { [DIRECTION.INGRESS]: 'server', [DIRECTION.EGRESS]: 'client' };

/** How often series that nobody counts in are looked for, in milliseconds. */
const EXPIRE_EVERY_MS = 10_000;

/**
 * Hubble's metrics of HTTP and DNS, of flows that another Hubble's proxies tell, for as long as the relay lives. Of an answer, too, the
 * source is who asked and the destination who was asked.
 */
export function countRequests(registry: Registry, relay: Relay, options?: FlowMetricsOptions): void {
  const metrics = new RequestMetrics(registry, relay, options);
  relay.onRows((from, to) => metrics.count(from, to));
}

type Family<M> = { readonly metric: M; readonly series: BoundedSeries };

export class RequestMetrics {
  readonly #relay: Pick<Relay, 'window' | 'requests'>;
  readonly #context: readonly string[];
  readonly #now: () => number;
  readonly #requests: Family<Counter>;
  readonly #seconds: Family<Histogram>;
  readonly #queries: Family<Counter>;
  readonly #responses: Family<Counter>;
  readonly #qtypes = new Set<string>();
  #expiredMs = 0;

  /** @param now in milliseconds, of a clock that does not go back */
  constructor(
    registry: Registry,
    relay: Pick<Relay, 'window' | 'requests'>,
    { context, series }: FlowMetricsOptions = { context: [], series: DEFAULT_SERIES },
    now: () => number = () => performance.now(),
  ) {
    this.#relay = relay;
    this.#now = now;
    this.#context = CONTEXT_LABELS.filter((label) => context.includes(label));
    const family = <M extends Counter | Histogram>(metric: M): Family<M> => ({
      metric,
      series: new BoundedSeries(metric, series),
    });
    const registers = [registry];
    const own = (...labels: string[]) => [...labels, ...this.#context];
    // Whoever looks is not shown what is long gone.
    const expire = () => this.#expire(this.#now());
    this.#requests = family(
      new Counter({
        name: 'hubble_http_requests_total',
        help: 'HTTP requests that were answered.',
        labelNames: own('method', 'protocol', 'status', 'reporter'),
        registers,
        collect: expire,
      }),
    );
    this.#seconds = family(
      new Histogram({
        name: 'hubble_http_request_duration_seconds',
        help: 'From an HTTP request to its answer.',
        labelNames: own('method', 'reporter'),
        registers,
      }),
    );
    const dns = own('rcode', 'qtypes', 'ips_returned');
    this.#queries = family(
      new Counter({ name: 'hubble_dns_queries_total', help: 'DNS queries.', labelNames: dns, registers }),
    );
    this.#responses = family(
      new Counter({ name: 'hubble_dns_responses_total', help: 'DNS responses.', labelNames: dns, registers }),
    );
    const overflows = {
      hubble_http_requests_total: this.#requests,
      hubble_http_request_duration_seconds: this.#seconds,
      hubble_dns_queries_total: this.#queries,
      hubble_dns_responses_total: this.#responses,
    };
    new Counter({
      name: 'waggle_metrics_overflow_total',
      help: 'Requests that found no room among the series of a family.',
      labelNames: ['family'],
      registers,
      collect() {
        this.reset();
        for (const [name, { series: counted }] of Object.entries(overflows))
          this.inc({ family: name }, counted.overflow);
      },
    });
  }

  count(from: number, to: number): void {
    const { window, requests } = this.#relay;
    if (requests.total === 0) return;
    const { columns } = window;
    const nowMs = this.#now();
    this.#expire(nowMs);
    for (let position = from; position < to; position++) {
      const row = window.slot(position);
      if (!isLayer7(columns.observation[row])) continue;
      const entry = window.layer7.get(layer7Number(columns, row));
      const { record, type } = entry;
      if (record?.kind === 'http' && isAnswer(entry)) {
        const reporter = REPORTERS[columns.direction[row]] ?? 'unknown';
        this.#http(record, reporter, layer7LatencyNs(columns, row), this.#contextOf(row), nowMs);
      } else if (record?.kind === 'dns') {
        this.#dns(record, type === LAYER7_TYPE.REQUEST, this.#contextOf(row), nowMs);
      }
    }
  }

  /** The labels that were asked for, in their order. */
  #contextOf(row: number): Record<string, string> {
    if (this.#context.length === 0) return {};
    const { columns, endpoints } = this.#relay.window;
    const back = columns.reply[row] === REPLY.REPLY;
    const client = endpoints.get(back ? columns.destination[row] : columns.source[row]);
    const server = endpoints.get(back ? columns.source[row] : columns.destination[row]);
    const values = [
      ...contextValues(this.#context, 'source', client),
      ...contextValues(this.#context, 'destination', server),
      directions.name(columns.direction[row]).toLowerCase(),
    ];
    return Object.fromEntries(this.#context.map((label, index) => [label, values[index]]));
  }

  #expire(nowMs: number): void {
    if (nowMs - this.#expiredMs < EXPIRE_EVERY_MS) return;
    this.#expiredMs = nowMs;
    for (const { series } of [this.#requests, this.#seconds, this.#queries, this.#responses]) series.expire(nowMs);
  }

  #http(record: HttpRecord, reporter: string, latencyNs: number, context: Record<string, string>, nowMs: number): void {
    const method = oneOf(METHODS, record.method.toUpperCase());
    const protocol = oneOf(PROTOCOLS, record.protocol);
    const status = record.code >= 100 && record.code < 600 ? String(record.code) : OTHER;
    const requests = { method, protocol, status, reporter, ...context };
    if (this.#requests.series.admits(requests, nowMs)) this.#requests.metric.inc(requests);
    const seconds = { method, reporter, ...context };
    if (latencyNs > 0 && this.#seconds.series.admits(seconds, nowMs)) {
      this.#seconds.metric.observe(seconds, latencyNs / 1e9);
    }
  }

  #dns({ qtypes, rcode, ips }: DnsRecord, asks: boolean, context: Record<string, string>, nowMs: number): void {
    const types = this.#known(qtypes.join(','));
    const returned = ips.length > MOST_IPS ? `>${MOST_IPS}` : String(ips.length);
    const labels = asks
      ? { rcode: '', qtypes: types, ips_returned: '0', ...context }
      : { rcode: rcode <= 10 ? rcodeText(rcode) : OTHER, qtypes: types, ips_returned: returned, ...context };
    const { metric, series } = asks ? this.#queries : this.#responses;
    if (series.admits(labels, nowMs)) metric.inc(labels);
  }

  #known(qtypes: string): string {
    if (this.#qtypes.has(qtypes)) return qtypes;
    if (this.#qtypes.size >= MOST_QTYPES || qtypes.length > MOST_QTYPES) return OTHER;
    this.#qtypes.add(qtypes);
    return qtypes;
  }
}

function oneOf(names: readonly string[], name: string): string {
  return names.includes(name) ? name : OTHER;
}

import { DIRECTION } from '#core/flow/direction.ts';
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

/** Hubble's metrics of HTTP and DNS, of flows that another Hubble's proxies tell, for as long as the relay lives. */
export function countRequests(registry: Registry, relay: Relay): void {
  const metrics = new RequestMetrics(registry, relay);
  relay.onRows((from, to) => metrics.count(from, to));
}

class RequestMetrics {
  readonly #relay: Relay;
  readonly #requests: Counter;
  readonly #seconds: Histogram;
  readonly #queries: Counter;
  readonly #responses: Counter;
  readonly #qtypes = new Set<string>();

  constructor(registry: Registry, relay: Relay) {
    this.#relay = relay;
    const registers = [registry];
    this.#requests = new Counter({
      name: 'hubble_http_requests_total',
      help: 'HTTP requests that were answered.',
      labelNames: ['method', 'protocol', 'status', 'reporter'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'hubble_http_request_duration_seconds',
      help: 'From an HTTP request to its answer.',
      labelNames: ['method', 'reporter'],
      registers,
    });
    const dns = ['rcode', 'qtypes', 'ips_returned'];
    this.#queries = new Counter({
      name: 'hubble_dns_queries_total',
      help: 'DNS queries.',
      labelNames: dns,
      registers,
    });
    this.#responses = new Counter({
      name: 'hubble_dns_responses_total',
      help: 'DNS responses.',
      labelNames: dns,
      registers,
    });
  }

  count(from: number, to: number): void {
    const { window, requests } = this.#relay;
    if (requests.total === 0) return;
    const { columns } = window;
    for (let position = from; position < to; position++) {
      const row = window.slot(position);
      if (!isLayer7(columns.observation[row])) continue;
      const entry = window.layer7.get(layer7Number(columns, row));
      const { record, type } = entry;
      if (record?.kind === 'http' && isAnswer(entry)) {
        this.#http(record, REPORTERS[columns.direction[row]] ?? 'unknown', layer7LatencyNs(columns, row));
      } else if (record?.kind === 'dns') this.#dns(record, type === LAYER7_TYPE.REQUEST);
    }
  }

  #http(record: HttpRecord, reporter: string, latencyNs: number): void {
    const method = oneOf(METHODS, record.method.toUpperCase());
    const protocol = oneOf(PROTOCOLS, record.protocol);
    const status = record.code >= 100 && record.code < 600 ? String(record.code) : OTHER;
    this.#requests.inc({ method, protocol, status, reporter });
    if (latencyNs > 0) this.#seconds.observe({ method, reporter }, latencyNs / 1e9);
  }

  #dns({ qtypes, rcode, ips }: DnsRecord, asks: boolean): void {
    const types = this.#known(qtypes.join(','));
    if (asks) this.#queries.inc({ rcode: '', qtypes: types, ips_returned: '0' });
    else {
      const returned = ips.length > MOST_IPS ? `>${MOST_IPS}` : String(ips.length);
      this.#responses.inc({ rcode: rcode <= 10 ? rcodeText(rcode) : OTHER, qtypes: types, ips_returned: returned });
    }
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

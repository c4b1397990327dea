import { type DnsRecord, type HttpRecord, isAnswer, type KafkaRecord, LAYER7_TYPE, type Layer7 } from './layer7.ts';

const NS_PER_MS = 1_000_000;

/** What DNS says with its return codes, as Hubble prints them. */
const RCODES: Readonly<Record<number, string>> = {
  0: 'No Error',
  1: 'Format Error',
  2: 'Server Failure',
  3: 'Non-Existent Domain',
  4: 'Not Implemented',
  5: 'Query Refused',
  6: 'Name Exists when it should not',
  7: 'RR Set Exists when it should not',
  8: 'RR Set that should exist does not',
  9: 'Server Not Authoritative for zone',
  10: 'Name not contained in zone',
};

/** What a DNS response code means, in Hubble's words. */
export function rcodeText(rcode: number): string {
  return RCODES[rcode] ?? `Code ${rcode}`;
}

/** Hubble's summary: `HTTP/1.1 GET http://shop/`, `HTTP/1.1 200 12ms (GET http://shop/)`, `DNS Query shop. A`. */
export function layer7Summary(entry: Layer7, latencyNs: number): string {
  const { type, record } = entry;
  const request = type === LAYER7_TYPE.REQUEST;
  switch (record?.kind) {
    case 'http': {
      const { protocol, method, url, code } = record;
      const asked = `${method} ${url}`;
      return request ? `${protocol} ${asked}` : `${protocol} ${code} ${Math.floor(latencyNs / NS_PER_MS)}ms (${asked})`;
    }
    case 'dns': {
      const asked = `${record.query} ${record.qtypes.join(',')}`;
      if (request) return `DNS Query ${asked}`;
      const from = record.observationSource === 'proxy' ? 'Proxy' : 'Query';
      return `DNS Answer ${answerText(record)} TTL: ${record.ttl} (${from} ${asked})`;
    }
    case 'kafka': {
      const { apiKey, correlationId, topic, errorCode } = record;
      const head = `Kafka ${request ? 'request' : 'response'} ${apiKey} correlation id ${correlationId} topic '${topic}'`;
      return request ? head : `${head} return code ${errorCode}`;
    }
    default:
      return '';
  }
}

function answerText({ rcode, ips, cnames }: DnsRecord): string {
  if (rcode !== 0) return `RCode: ${rcodeText(rcode)}`;
  const parts: string[] = [];
  if (ips.length > 0) parts.push(JSON.stringify(ips.join(',')));
  if (cnames.length > 0) parts.push(`CNAMEs: ${JSON.stringify(cnames.join(','))}`);
  return parts.join(',');
}

const TYPE_WORDS = ['unknown_l7_type', 'request', 'response', 'sample'];

/** Where others tell the point at which a packet was seen: `http-request`, `dns-response proxy`. */
export function layer7TypeText({ type, record }: Layer7): string {
  const name = TYPE_WORDS[type] ?? TYPE_WORDS[0];
  if (record?.kind === 'dns') return `dns-${name} ${record.observationSource}`;
  return `${record?.kind ?? 'l7'}-${name}`;
}

/**
 * The same in a few words, for a column: `→ GET /cart`, `← 200 12 ms GET /cart`, `→ DNS shop.local A`, `← DNS 10.0.0.1 shop.local A`.
 *
 * @param latency in words, empty where none is told
 */
export function layer7Words(entry: Layer7, latency: string): string {
  const { record } = entry;
  const arrow = isAnswer(entry) ? '←' : '→';
  const words =
    record === undefined
      ? 'layer 7'
      : record.kind === 'http'
        ? httpWords(record)
        : record.kind === 'dns'
          ? dnsWords(record, isAnswer(entry))
          : kafkaWords(record, isAnswer(entry));
  const [first, ...rest] = words.split('\0');
  return [arrow, first, latency, ...rest].filter((part) => part !== '').join(' ');
}

/** A zero stands where the latency goes. */
function httpWords({ code, method, url }: HttpRecord): string {
  const asked = `${method} ${httpTarget(url) || '(path not kept)'}`;
  return code > 0 ? `${code}\0${asked}` : asked;
}

function dnsWords(record: DnsRecord, answers: boolean): string {
  const { query, qtypes, rcode, ips, cnames } = record;
  const asked = `${query || '(name not kept)'} ${qtypes.join(',')}`.trim();
  if (!answers) return `DNS ${asked}`;
  const answer = rcode !== 0 ? rcodeText(rcode) : ips.join(', ') || cnames.join(', ') || 'no address';
  return `DNS ${answer}\0${asked}`;
}

function kafkaWords({ apiKey, topic, errorCode }: KafkaRecord, answers: boolean): string {
  const asked = `${apiKey} ${topic}`.trim();
  return answers ? `Kafka ${errorCode === 0 ? 'ok' : `error ${errorCode}`}\0${asked}` : `Kafka ${asked}`;
}

/** Path and query of a URL, or of the path and query that a request line has. */
function httpTarget(url: string): string {
  const slashes = url.indexOf('://');
  if (slashes < 0) return url;
  const rest = url.slice(slashes + 3);
  const from = rest.search(/[/?#]/);
  return from < 0 ? '/' : rest.slice(from);
}

/** The path alone. */
export function httpPath(url: string): string {
  return httpTarget(url).replace(/[?#].*$/s, '');
}

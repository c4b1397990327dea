import {
  type DnsRecord,
  type HttpRecord,
  isLayer7,
  type KafkaRecord,
  LAYER7_TYPE,
  layer7LatencyNs,
  layer7Number,
} from '#core/flow/layer7.ts';
import { httpPath, rcodeText } from '#core/flow/layer7-text.ts';
import { formatMicros } from '../format/quantity.ts';
import { fact } from './flow-fact.ts';
import type { PageWindow } from './page-window.ts';
import type { FlowFact } from './shown-flow.ts';

const TYPE_WORDS: Readonly<Record<number, string>> = {
  [LAYER7_TYPE.REQUEST]: 'request',
  [LAYER7_TYPE.RESPONSE]: 'response',
  [LAYER7_TYPE.SAMPLE]: 'sample',
};

const say = (name: string, text: string, ...filters: string[]) => fact('request', name, text, ...filters);

/** What a flow says of a request or its answer, every field of it; none of other flows. */
export function requestFacts(window: PageWindow, slot: number): FlowFact[] {
  const { columns } = window;
  if (!isLayer7(columns.observation[slot])) return [];
  const { type, record, traceId, shortened } = window.layer7.get(layer7Number(columns, slot));
  const latency = layer7LatencyNs(columns, slot);
  return [
    ...say('Kind', [record?.kind.toUpperCase() ?? 'layer 7', TYPE_WORDS[type] ?? ''].join(' ').trim()),
    ...(record === undefined
      ? []
      : record.kind === 'http'
        ? httpFacts(record)
        : record.kind === 'dns'
          ? dnsFacts(record)
          : kafkaFacts(record)),
    ...(latency > 0 ? say('Latency', formatMicros(latency / 1000)) : []),
    ...say('Trace', traceId),
    ...(shortened ? say('Not kept', 'headers, ids and long values go first when memory for requests is full') : []),
  ];
}

function httpFacts({ code, method, url, protocol, headers }: HttpRecord): FlowFact[] {
  return [
    ...say('Method', method, `http.method=${method}`),
    ...say('URL', url, `http.path=${httpPath(url) || '/'}`),
    ...(code > 0 ? say('Status', String(code), `http.status=${code}`, `http.status=${Math.floor(code / 100)}xx`) : []),
    ...say('Protocol', protocol),
    ...headers.flatMap(({ name, value }) => say('Header', `${name}: ${value}`)),
  ];
}

function dnsFacts(record: DnsRecord): FlowFact[] {
  const { query, qtypes, rcode, ips, cnames, ttl, rrtypes, observationSource } = record;
  const answered = ips.length + cnames.length > 0;
  return [
    ...say('Name', query, `dns=${query}`),
    ...say('Asked for', qtypes.join(', ')),
    ...(rcode > 0 ? say('Return code', `${rcodeText(rcode)} (${rcode})`) : []),
    ...ips.flatMap((ip) => say('Address', ip, `ip=${ip}`)),
    ...cnames.flatMap((name) => say('Alias', name, `dns=${name}`)),
    ...(answered ? say('TTL', `${ttl} s`) : []),
    ...say('Records', rrtypes.join(', ')),
    ...say('Seen by', observationSource),
  ];
}

function kafkaFacts({ apiKey, apiVersion, topic, correlationId, errorCode }: KafkaRecord): FlowFact[] {
  return [
    ...say('API', `${apiKey} (version ${apiVersion})`),
    ...say('Topic', topic),
    ...say('Correlation', String(correlationId)),
    ...(errorCode === 0 ? [] : say('Error code', String(errorCode))),
  ];
}

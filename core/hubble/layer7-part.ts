import { create } from '@bufbuild/protobuf';
import {
  type Flow,
  type L7FlowType,
  type Layer7 as Layer7Message,
  Layer7Schema,
  type TraceContext,
  TraceContextSchema,
} from '#proto/gen/flow/flow_pb.ts';
import type { Layer7 } from '../flow/layer7.ts';

/** What is kept of texts and lists: a proxy passes on what a client has made up. */
const MOST_URL = 4_096;
const MOST_TEXT = 512;
const MOST_HEADERS = 64;
const MOST_ANSWERS = 64;

/** What a flow of another Hubble's says of a request, cut where it is too long; undefined for flows without layer 7. */
export function layer7OfFlow({ l7, traceContext }: Flow): Layer7 | undefined {
  if (l7 === undefined) return undefined;
  let shortened = false;
  const cut = (text: string, most = MOST_TEXT) => {
    if (text.length <= most) return text;
    shortened = true;
    return `${text.slice(0, most)}…`;
  };
  const list = (texts: readonly string[]) => {
    shortened ||= texts.length > MOST_ANSWERS;
    return texts.slice(0, MOST_ANSWERS).map((text) => cut(text));
  };
  const record = (): Layer7['record'] => {
    switch (l7.record.case) {
      case 'http': {
        const { code, method, url, protocol, headers } = l7.record.value;
        shortened ||= headers.length > MOST_HEADERS;
        return {
          kind: 'http',
          code,
          method: cut(method),
          url: cut(url, MOST_URL),
          protocol: cut(protocol),
          headers: headers.slice(0, MOST_HEADERS).map(({ key, value }) => ({ name: cut(key), value: cut(value) })),
        };
      }
      case 'dns': {
        const { query, ips, ttl, cnames, observationSource, rcode, qtypes, rrtypes } = l7.record.value;
        return {
          kind: 'dns',
          query: cut(query),
          ips: list(ips),
          ttl,
          cnames: list(cnames),
          observationSource: cut(observationSource),
          rcode,
          qtypes: list(qtypes),
          rrtypes: list(rrtypes),
        };
      }
      case 'kafka': {
        const { errorCode, apiVersion, apiKey, correlationId, topic } = l7.record.value;
        return { kind: 'kafka', errorCode, apiVersion, apiKey: cut(apiKey), correlationId, topic: cut(topic) };
      }
      default:
        return undefined;
    }
  };
  const told = record();
  const traceId = cut(traceContext?.parent?.traceId ?? '');
  return { type: l7.type, ...(told === undefined ? {} : { record: told }), traceId, shortened };
}

/** Hubble's `flow.Layer7`. */
export function hubbleLayer7({ type, record }: Layer7, latencyNs: number): Layer7Message {
  const head = { type: type as L7FlowType, latencyNs: BigInt(latencyNs) };
  switch (record?.kind) {
    case 'http': {
      const { code, method, url, protocol } = record;
      const headers = record.headers.map(({ name, value }) => ({ key: name, value }));
      return create(Layer7Schema, {
        ...head,
        record: { case: 'http', value: { code, method, url, protocol, headers } },
      });
    }
    case 'dns': {
      const { query, ttl, observationSource, rcode } = record;
      const lists = {
        ips: [...record.ips],
        cnames: [...record.cnames],
        qtypes: [...record.qtypes],
        rrtypes: [...record.rrtypes],
      };
      return create(Layer7Schema, {
        ...head,
        record: { case: 'dns', value: { query, ttl, observationSource, rcode, ...lists } },
      });
    }
    case 'kafka': {
      const { errorCode, apiVersion, apiKey, correlationId, topic } = record;
      const value = { errorCode, apiVersion, apiKey, correlationId, topic };
      return create(Layer7Schema, { ...head, record: { case: 'kafka', value } });
    }
    default:
      return create(Layer7Schema, head);
  }
}

/** Undefined where there is none. */
export function hubbleTraceContext({ traceId }: Layer7): TraceContext | undefined {
  return traceId === '' ? undefined : create(TraceContextSchema, { parent: { traceId } });
}

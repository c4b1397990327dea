import { LAYER7_TYPE, type Layer7 } from '../flow/layer7.ts';
import type { HubbleJson } from './hubble-json.ts';

const TYPE_NAMES = ['UNKNOWN_L7_TYPE', 'REQUEST', 'RESPONSE', 'SAMPLE'];

/** `flow.Layer7` in protobuf's JSON mapping with the proto's field names; what is empty or zero is left out. */
export function layer7Json({ type, record }: Layer7, latencyNs: number): HubbleJson {
  const head = {
    type: type === LAYER7_TYPE.UNKNOWN ? undefined : (TYPE_NAMES[type] ?? type),
    latency_ns: latencyNs === 0 ? undefined : String(latencyNs),
  };
  switch (record?.kind) {
    case 'http': {
      const { code, method, url, protocol, headers } = record;
      const told = headers.map(({ name, value }) => withoutEmpty({ key: name, value }));
      return withoutEmpty({ ...head, http: withoutEmpty({ code, method, url, protocol, headers: told }) });
    }
    case 'dns': {
      const { query, ips, ttl, cnames, observationSource, rcode, qtypes, rrtypes } = record;
      const told = { query, ips, ttl, cnames, observation_source: observationSource, rcode, qtypes, rrtypes };
      return withoutEmpty({ ...head, dns: withoutEmpty(told) });
    }
    case 'kafka': {
      const { errorCode, apiVersion, apiKey, correlationId, topic } = record;
      const told = {
        error_code: errorCode,
        api_version: apiVersion,
        api_key: apiKey,
        correlation_id: correlationId,
        topic,
      };
      return withoutEmpty({ ...head, kafka: withoutEmpty(told) });
    }
    default:
      return withoutEmpty(head);
  }
}

function withoutEmpty(object: Record<string, unknown>): HubbleJson {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) =>
        value !== undefined && value !== '' && value !== 0 && !(Array.isArray(value) && value.length === 0),
    ),
  ) as HubbleJson;
}

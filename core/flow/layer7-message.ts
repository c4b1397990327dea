import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { type Layer7Record, Layer7RecordSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { Layer7 } from './layer7.ts';

/** A record of layer 7 as it travels in a batch. */
export function layer7Message({ type, record, traceId, shortened }: Layer7): Layer7Record {
  return create(Layer7RecordSchema, { type, record: recordMessage(record), traceId, shortened });
}

function recordMessage(record: Layer7['record']): MessageInitShape<typeof Layer7RecordSchema>['record'] {
  switch (record?.kind) {
    case 'http': {
      const { kind, headers, ...fields } = record;
      return { case: kind, value: { ...fields, headers: headers.map((header) => ({ ...header })) } };
    }
    case 'dns': {
      const { kind, ips, cnames, qtypes, rrtypes, ...fields } = record;
      const lists = { ips: [...ips], cnames: [...cnames], qtypes: [...qtypes], rrtypes: [...rrtypes] };
      return { case: kind, value: { ...fields, ...lists } };
    }
    case 'kafka': {
      const { kind, ...fields } = record;
      return { case: kind, value: fields };
    }
    default:
      return undefined;
  }
}

export function layer7FromMessage({ type, record, traceId, shortened }: Layer7Record): Layer7 {
  const told = recordFromMessage(record);
  return { type, ...(told === undefined ? {} : { record: told }), traceId, shortened };
}

function recordFromMessage(record: Layer7Record['record']): Layer7['record'] {
  switch (record.case) {
    case 'http': {
      const { code, method, url, protocol, headers } = record.value;
      const told = headers.map(({ name, value }) => ({ name, value }));
      return { kind: 'http', code, method, url, protocol, headers: told };
    }
    case 'dns': {
      const { query, ips, ttl, cnames, observationSource, rcode, qtypes, rrtypes } = record.value;
      return { kind: 'dns', query, ips, ttl, cnames, observationSource, rcode, qtypes, rrtypes };
    }
    case 'kafka': {
      const { errorCode, apiVersion, apiKey, correlationId, topic } = record.value;
      return { kind: 'kafka', errorCode, apiVersion, apiKey, correlationId, topic };
    }
    default:
      return undefined;
  }
}

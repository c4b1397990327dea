import { OtlpCollector } from '../otlp-collector.ts';
import { RotatingFile, type RotatingFileOptions } from '../rotating-file.ts';
import type { ExportSink } from './flow-exporter.ts';

/** Writes one JSON object per line into a file that is rotated. */
export function fileSink(options: RotatingFileOptions): ExportSink {
  const file = new RotatingFile(options);
  return {
    async write(events) {
      await file.append(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
      return 0;
    },
    close: () => file.close(),
  };
}

/** OTLP's severity numbers: INFO, and WARN for what was dropped or lost. */
const SEVERITY = { INFO: 9, WARN: 13 } as const;

type Attribute = {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: string };
};

/** What is read of an exported event. */
interface Event {
  readonly flow?: Record<string, unknown> & {
    readonly time?: string;
    readonly verdict?: string;
    readonly Summary?: string;
  };
  readonly lost_events?: { readonly num_events_lost?: string };
  readonly node_name?: string;
  readonly time?: string;
}

/**
 * Sends flows as OpenTelemetry logs by OTLP over HTTP, in its JSON form, to `<endpoint>/v1/logs`. The body is the flow in
 * Hubble's shape; what one searches for stands in attributes.
 */
export function otlpLogSink(endpoint: URL, version: string): ExportSink {
  const collector = new OtlpCollector(endpoint, 'logs');
  return {
    write: (events) =>
      collector.send({
        resourceLogs: [
          {
            resource: { attributes: [text('service.name', 'waggle')] },
            scopeLogs: [
              { scope: { name: 'waggle', version }, logRecords: (events as readonly Event[]).map(logRecord) },
            ],
          },
        ],
      }),
    close: async () => {},
  };
}

function logRecord(event: Event): object {
  const { flow } = event;
  const time = String(nanoseconds(event.time ?? ''));
  const lost = event.lost_events !== undefined;
  const warn = lost || flow?.verdict === 'DROPPED';
  return {
    timeUnixNano: time,
    observedTimeUnixNano: time,
    severityNumber: warn ? SEVERITY.WARN : SEVERITY.INFO,
    severityText: warn ? 'WARN' : 'INFO',
    eventName: lost ? 'hubble.lost_events' : 'hubble.flow',
    body: { stringValue: JSON.stringify(lost ? event.lost_events : flow) },
    attributes: [text('k8s.node.name', event.node_name ?? ''), ...flowAttributes(flow ?? {})],
  };
}

function flowAttributes(flow: NonNullable<Event['flow']>): Attribute[] {
  const attributes: Attribute[] = [];
  const add = (key: string, value: unknown) => {
    if (typeof value === 'string' && value !== '') attributes.push(text(key, value));
    else if (typeof value === 'number') attributes.push({ key, value: { intValue: String(value) } });
  };
  const part = (name: string) => (flow[name] ?? {}) as Record<string, unknown>;
  add('hubble.verdict', flow.verdict);
  add('hubble.drop_reason', flow.drop_reason_desc);
  add('hubble.traffic_direction', flow.traffic_direction);
  for (const [end, prefix] of [
    ['source', 'source'],
    ['destination', 'destination'],
  ] as const) {
    add(`${prefix}.address`, part('IP')[end]);
    add(`${prefix}.k8s.namespace.name`, part(end).namespace);
    add(`${prefix}.k8s.pod.name`, part(end).pod_name);
    const [workload] = (part(end).workloads ?? []) as { name: string }[];
    add(`${prefix}.k8s.workload.name`, workload?.name);
  }
  for (const [protocol, value] of Object.entries(part('l4')) as [string, Record<string, unknown>][]) {
    add('network.transport', protocol.toLowerCase());
    add('source.port', value.source_port);
    add('destination.port', value.destination_port);
  }
  return attributes;
}

function text(key: string, stringValue: string): Attribute {
  return { key, value: { stringValue } };
}

/** Of a time in RFC 3339 with up to nine digits of a second. */
function nanoseconds(time: string): bigint {
  const parts = /^(.*T[\d:]{8})(?:\.(\d+))?Z$/.exec(time);
  if (parts === null) return 0n;
  return BigInt(Date.parse(`${parts[1]}Z`)) * 1_000_000n + BigInt((parts[2] ?? '').padEnd(9, '0'));
}

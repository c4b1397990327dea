import type { FlowColumns } from './columns.ts';
import { OBSERVATION } from './observation.ts';

/** Kinds of records, numbers of Hubble's `L7FlowType`. A sample tells of a request and its answer at once. */
export const LAYER7_TYPE = { UNKNOWN: 0, REQUEST: 1, RESPONSE: 2, SAMPLE: 3 } as const;

export interface HttpRecord {
  readonly kind: 'http';
  /** 0 in requests. */
  readonly code: number;
  readonly method: string;
  /** As a whole, or the path alone: as the proxy told it. */
  readonly url: string;
  /** `HTTP/1.1` */
  readonly protocol: string;
  readonly headers: readonly HttpHeader[];
}

export interface HttpHeader {
  readonly name: string;
  readonly value: string;
}

export interface DnsRecord {
  readonly kind: 'dns';
  readonly query: string;
  readonly ips: readonly string[];
  /** Seconds; 2^32 - 1 where there is no answer. */
  readonly ttl: number;
  readonly cnames: readonly string[];
  /** Who saw it: `proxy`. */
  readonly observationSource: string;
  readonly rcode: number;
  readonly qtypes: readonly string[];
  readonly rrtypes: readonly string[];
}

export interface KafkaRecord {
  readonly kind: 'kafka';
  readonly errorCode: number;
  readonly apiVersion: number;
  readonly apiKey: string;
  readonly correlationId: number;
  readonly topic: string;
}

/** What a flow says of a request or its answer; its latency stands in the row. No credentials: see core/redaction. */
export interface Layer7 {
  readonly type: number;
  /** Absent: of a protocol that is not known here. */
  readonly record?: HttpRecord | DnsRecord | KafkaRecord;
  /** As in the W3C trace context; empty = none. */
  readonly traceId: string;
  /** Parts of it are not kept: headers, ids, long values. */
  readonly shortened: boolean;
}

export const NO_LAYER7: Layer7 = { type: LAYER7_TYPE.UNKNOWN, traceId: '', shortened: false };

/**
 * Whether a row tells of a request: an event of a proxy beside the packets that carried it, so nobody counts it as a connection,
 * as packets or bytes. Such rows hold in columns that others count with: the number of their record (`packetsReply`), and 40 bits
 * of latency in nanoseconds (`rttMicros`, `retransmits`). Rows without layer 7 thus have nothing to carry for it.
 */
export function isLayer7(observation: number): boolean {
  return observation === OBSERVATION.LAYER7;
}

const MOST_LATENCY_NS = 2 ** 40 - 1;

/** @param latencyNs from request to answer; 0 = not told; at most 18 minutes are kept */
export function writeLayer7(columns: FlowColumns, row: number, number: number, latencyNs: number): void {
  const ns = Math.min(latencyNs, MOST_LATENCY_NS);
  columns.observation[row] = OBSERVATION.LAYER7;
  columns.packetsReply[row] = number;
  columns.rttMicros[row] = ns % 0x1_0000_0000;
  columns.retransmits[row] = Math.floor(ns / 0x1_0000_0000);
}

/** The number of the row's record in its store; 0 = it has none. */
export function layer7Number(columns: FlowColumns, row: number): number {
  return columns.observation[row] === OBSERVATION.LAYER7 ? columns.packetsReply[row] : 0;
}

/** From request to answer in nanoseconds; 0 = not told. */
export function layer7LatencyNs(columns: FlowColumns, row: number): number {
  return columns.observation[row] === OBSERVATION.LAYER7
    ? columns.retransmits[row] * 0x1_0000_0000 + columns.rttMicros[row]
    : 0;
}

/** Packets in the reply direction since the last record. */
export function packetsBack(columns: FlowColumns, row: number): number {
  return columns.observation[row] === OBSERVATION.LAYER7 ? 0 : columns.packetsReply[row];
}

/** Whether a record ends a request: a response, or a sample. */
export function isAnswer({ type }: Layer7): boolean {
  return type === LAYER7_TYPE.RESPONSE || type === LAYER7_TYPE.SAMPLE;
}

/** DNS: there is no such name, which is an answer like others. */
const NXDOMAIN = 3;

/** Whether an answer is a failure of the server: HTTP 5xx, DNS other than NOERROR and NXDOMAIN, Kafka with an error code. */
export function isFailure({ record }: Layer7): boolean {
  switch (record?.kind) {
    case 'http':
      return record.code >= 500;
    case 'dns':
      return record.rcode !== 0 && record.rcode !== NXDOMAIN;
    case 'kafka':
      return record.errorCode !== 0;
    default:
      return false;
  }
}

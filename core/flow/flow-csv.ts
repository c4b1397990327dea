import type { FlowColumns } from './columns.ts';
import type { DecisionStore } from './decision-store.ts';
import { decisionText } from './decision-text.ts';
import { directions, REPLY } from './direction.ts';
import { dropReasonText } from './drop-reason.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointStore } from './endpoint-store.ts';
import { icmpText } from './icmp.ts';
import { isLayer7, layer7LatencyNs, layer7Number, packetsBack } from './layer7.ts';
import type { Layer7Store } from './layer7-store.ts';
import { layer7Summary } from './layer7-text.ts';
import type { NodeBoot } from './node-boot.ts';
import { observations } from './observation.ts';
import { hasPorts, isIcmp, PROTOCOL, protocols } from './protocol.ts';
import { tcpFlagNames } from './tcp-flags.ts';
import { roundTripMicros, sentAgain } from './translation.ts';
import { triggers } from './trigger.ts';
import { VERDICT, verdicts } from './verdict.ts';

interface CsvTables {
  readonly endpoints: EndpointStore;
  readonly nodes: readonly NodeBoot[];
  readonly decisions: DecisionStore;
  readonly layer7: Layer7Store;
}

const END = ['namespace', 'pod', 'workload_kind', 'workload', 'identity', 'ip', 'port', 'names', 'labels', 'node'];

/** Names of the cells that `flowCsvCells` returns. Source and destination are those of the packet. */
export const FLOW_CSV_HEADER: readonly string[] = [
  'time',
  'verdict',
  'drop_reason',
  'policy',
  'direction',
  'is_reply',
  'protocol',
  'tcp_flags',
  'icmp',
  ...END.map((name) => `source_${name}`),
  ...END.map((name) => `destination_${name}`),
  'packets_original',
  'packets_reply',
  'bytes_original',
  'bytes_reply',
  'rtt_us',
  'retransmits',
  'observation_point',
  'trigger',
  'layer7',
  'latency_us',
  'cluster',
  'node',
  'id',
];

/** A row for a spreadsheet: words where there are some, numbers in full, empty where there is nothing. */
export function flowCsvCells(
  columns: FlowColumns,
  row: number,
  { endpoints, nodes, decisions, layer7 }: CsvTables,
  timeNs: bigint,
  id: string,
): (string | number)[] {
  const protocol = columns.protocol[row];
  const ported = hasPorts(protocol);
  const { cluster, node } = nodes[columns.node[row]];
  return [
    timeText(timeNs),
    verdicts.name(columns.verdict[row]),
    columns.verdict[row] === VERDICT.DROPPED ? dropReasonText(columns.dropReason[row]) : '',
    columns.policy[row] === 0 ? '' : decisionText(decisions.get(columns.policy[row])),
    directions.name(columns.direction[row]),
    columns.reply[row] === REPLY.UNKNOWN ? '' : String(columns.reply[row] === REPLY.REPLY),
    protocols.name(protocol),
    protocol === PROTOCOL.TCP ? tcpFlagNames(columns.tcpFlags[row]) : '',
    isIcmp(protocol) ? icmpText(protocol, columns.sourcePort[row], columns.destinationPort[row]) : '',
    ...endCells(endpoints.get(columns.source[row]), ported ? columns.sourcePort[row] : ''),
    ...endCells(endpoints.get(columns.destination[row]), ported ? columns.destinationPort[row] : ''),
    columns.packetsOriginal[row],
    packetsBack(columns, row),
    columns.bytesOriginal[row],
    columns.bytesReply[row],
    roundTripMicros(columns, row) || '',
    sentAgain(columns, row),
    observations.name(columns.observation[row]),
    triggers.name(columns.trigger[row]),
    isLayer7(columns.observation[row])
      ? layer7Summary(layer7.get(layer7Number(columns, row)), layer7LatencyNs(columns, row))
      : '',
    layer7LatencyNs(columns, row) / 1000 || '',
    cluster,
    node,
    id,
  ];
}

function endCells(endpoint: Endpoint, port: number | ''): (string | number)[] {
  return [
    endpoint.namespace,
    endpoint.pod,
    endpoint.workloadKind,
    endpoint.workloadName,
    endpoint.identity || '',
    endpoint.address,
    port,
    endpoint.names.join(' '),
    endpoint.labels.join(' '),
    endpoint.node,
  ];
}

/** RFC 3339 in UTC with nanoseconds. */
function timeText(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
}

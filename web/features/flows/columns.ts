import { formatBytes, formatCount, formatMicros } from '../../format/quantity.ts';
import { formatAgo, formatClock } from '../../format/time.ts';
import { secondStore } from '../../live/second.ts';
import { clockAheadStore } from '../../live/server-clock.ts';
import { settingsStore } from '../../view/settings.ts';
import type { FlowColumnId } from '../../worker/flow-column.ts';
import type { FlowRow } from '../../worker/shown-flow.ts';
import { type CellKind, destination, end, identityText, time, verdict, words } from './cells.ts';

export interface FlowColumn {
  readonly id: FlowColumnId;
  readonly title: string;
  /** Pixels it is given; a column that grows shares in what is left, by its share. */
  readonly width: number;
  readonly grow: number;
  /** Pixels it is given before others share in what is left. */
  readonly wanted?: number;
  /** Least width of the table, in pixels, at which it is shown to someone who has not chosen; null = only when chosen. */
  readonly from: number | null;
  /** Numbers stand at the right, unit under unit. */
  readonly numeric?: boolean;
  readonly cell: CellKind;
}

/** The one table of columns, in the order in which they stand until somebody orders them otherwise. */
export const FLOW_COLUMNS: readonly FlowColumn[] = [
  {
    id: 'time',
    title: 'Time',
    width: 88,
    grow: 0,
    from: 420,
    cell: time((ms) =>
      settingsStore.get().time === 'relative'
        ? formatAgo(ms, secondStore.get() + clockAheadStore.get(), 1)
        : formatClock(ms),
    ),
  },
  {
    id: 'count',
    title: 'Flows',
    width: 56,
    grow: 0,
    from: 0,
    numeric: true,
    cell: words('numbers font-medium', (row) => formatCount(row.count)),
  },
  { id: 'source', title: 'Source', width: 86, wanted: 172, grow: 1.2, from: 0, cell: end((row) => row.source) },
  {
    id: 'source-pod',
    title: 'Source pod',
    width: 150,
    grow: 0.8,
    from: null,
    cell: words(
      'text-dim',
      (row) => row.source.pod,
      (row) => row.varying?.source,
    ),
  },
  {
    id: 'source-workload',
    title: 'Source workload',
    width: 150,
    grow: 0.8,
    from: null,
    cell: words('text-dim', (row) => row.source.workload),
  },
  {
    id: 'source-identity',
    title: 'Source identity',
    width: 104,
    grow: 0,
    from: null,
    cell: words(
      'numbers text-dim',
      (row) => identityText(row.source),
      (row) => row.varying?.source,
    ),
  },
  {
    id: 'source-ip',
    title: 'Source IP',
    width: 116,
    grow: 0,
    from: null,
    cell: words(
      'numbers text-dim',
      (row) => row.source.address,
      (row) => row.varying?.source,
    ),
  },
  {
    id: 'source-port',
    title: 'Source port',
    width: 84,
    grow: 0,
    from: null,
    numeric: true,
    cell: words(
      'numbers text-dim',
      (row) => portText(row.source.port),
      (row) => row.varying?.sourcePort,
    ),
  },
  {
    id: 'destination',
    title: 'Destination',
    width: 94,
    wanted: 192,
    grow: 1.2,
    from: 0,
    cell: destination,
  },
  {
    id: 'destination-pod',
    title: 'Destination pod',
    width: 150,
    grow: 0.8,
    from: null,
    cell: words(
      'text-dim',
      (row) => row.destination.pod,
      (row) => row.varying?.destination,
    ),
  },
  {
    id: 'destination-workload',
    title: 'Destination workload',
    width: 150,
    grow: 0.8,
    from: null,
    cell: words('text-dim', (row) => row.destination.workload),
  },
  {
    id: 'destination-identity',
    title: 'Destination identity',
    width: 130,
    grow: 0,
    from: null,
    cell: words(
      'numbers text-dim',
      (row) => identityText(row.destination),
      (row) => row.varying?.destination,
    ),
  },
  {
    id: 'destination-ip',
    title: 'Destination IP',
    width: 116,
    grow: 0,
    from: null,
    cell: words(
      'numbers text-dim',
      (row) => row.destination.address,
      (row) => row.varying?.destination,
    ),
  },
  {
    id: 'port',
    title: 'Port',
    width: 44,
    grow: 0,
    from: 0,
    numeric: true,
    cell: words('numbers', (row) => portText(row.port)),
  },
  {
    id: 'protocol',
    title: 'Protocol',
    width: 60,
    grow: 0,
    from: 620,
    cell: words('font-mono text-faint', (row) => row.protocol),
  },
  {
    id: 'verdict',
    title: 'Verdict',
    width: 80,
    grow: 0,
    from: 0,
    cell: verdict,
  },
  {
    id: 'reason',
    title: 'Drop reason',
    width: 140,
    grow: 0.6,
    from: null,
    cell: words('text-dim', (row) => row.reason),
  },
  {
    id: 'policy',
    title: 'Policy',
    width: 120,
    grow: 0.6,
    from: null,
    cell: words(
      'text-dim',
      (row) => row.policy,
      (row) => row.varying?.policy,
    ),
  },
  {
    id: 'info',
    title: 'Info',
    width: 110,
    wanted: 160,
    grow: 1.3,
    from: 760,
    cell: words('text-dim', (row) => infoText(row)),
  },
  {
    id: 'layer7',
    title: 'L7 info',
    width: 220,
    grow: 1,
    from: null,
    cell: words(
      'font-mono text-dim',
      (row) => row.layer7,
      (row) => row.varying?.layer7,
    ),
  },
  {
    id: 'flags',
    title: 'TCP flags',
    width: 100,
    grow: 0.2,
    from: 860,
    cell: words('font-mono text-dim', (row) => row.tcpFlags),
  },
  {
    id: 'direction',
    title: 'Direction',
    width: 60,
    grow: 0,
    from: 1200,
    cell: words('text-dim', (row) => row.direction),
  },
  {
    id: 'node',
    title: 'Node',
    width: 90,
    grow: 0.4,
    from: null,
    cell: words(
      'text-dim',
      (row) => row.node,
      (row) => row.varying?.node,
    ),
  },
  {
    id: 'bytes',
    title: 'Bytes',
    width: 72,
    grow: 0,
    from: 1080,
    numeric: true,
    cell: words('numbers', (row) => (row.bytes > 0 ? formatBytes(row.bytes) : '')),
  },
  {
    id: 'packets',
    title: 'Packets',
    width: 68,
    grow: 0,
    from: null,
    numeric: true,
    cell: words('numbers', (row) => (row.packets > 0 ? formatCount(row.packets) : '')),
  },
  {
    id: 'rtt',
    title: 'RTT',
    width: 68,
    grow: 0,
    from: null,
    numeric: true,
    cell: words('numbers', (row) => (row.rttMicros > 0 ? formatMicros(row.rttMicros) : '')),
  },
  {
    id: 'retransmits',
    title: 'Sent again',
    width: 80,
    grow: 0,
    from: null,
    numeric: true,
    cell: words('numbers', (row) => (row.retransmits > 0 ? formatCount(row.retransmits) : '')),
  },
];

const BY_ID = new Map(FLOW_COLUMNS.map((column) => [column.id, column]));

export function flowColumn(id: FlowColumnId): FlowColumn {
  return BY_ID.get(id)!;
}

/** Of a row that stands for several, only what holds for all of them. */
function infoText(row: FlowRow): string {
  if (row.count === 1) return row.info;
  return row.varying?.policy || row.policy === '' ? row.reason : [row.reason, row.policy].filter(Boolean).join(' · ');
}

function portText(port: number): string {
  return port > 0 ? String(port) : '';
}

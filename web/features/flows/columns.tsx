import type { ReactNode } from 'react';
import { reservedIdentities } from '#core/identity/reserved.ts';
import { formatBytes, formatCount, formatMicros } from '../../format/quantity.ts';
import { formatClock } from '../../format/time.ts';
import { useStore } from '../../live/store.ts';
import { Moment } from '../../ui/moment.tsx';
import { Verdict } from '../../ui/verdict.tsx';
import { settingsStore } from '../../view/settings.ts';
import type { FlowColumnId } from '../../worker/flow-column.ts';
import type { FlowEnd, FlowRow } from '../../worker/protocol.ts';

export interface FlowColumn {
  readonly id: FlowColumnId;
  readonly title: string;
  /** Pixels it is given; a column that grows shares in what is left, by its share. */
  readonly width: number;
  readonly grow: number;
  /** Least width of the table, in pixels, at which it is shown to someone who has not chosen; null = only when chosen. */
  readonly from: number | null;
  /** Numbers stand at the right, unit under unit. */
  readonly numeric?: boolean;
  readonly cell: (row: FlowRow) => ReactNode;
}

/** The one table of columns, in the order in which they stand until somebody orders them otherwise. */
export const FLOW_COLUMNS: readonly FlowColumn[] = [
  {
    id: 'time',
    title: 'Time',
    width: 96,
    grow: 0,
    from: 420,
    cell: (row) => <Time ms={row.time} />,
  },
  {
    id: 'count',
    title: 'Flows',
    width: 56,
    grow: 0,
    from: 0,
    numeric: true,
    cell: (row) => <span className="numbers font-medium">{formatCount(row.count)}</span>,
  },
  { id: 'source', title: 'Source', width: 92, grow: 1.2, from: 0, cell: (row) => <End end={row.source} /> },
  {
    id: 'source-pod',
    title: 'Source pod',
    width: 150,
    grow: 0.8,
    from: null,
    cell: (row) => <Name text={row.source.pod} several={row.varying?.source} />,
  },
  {
    id: 'source-workload',
    title: 'Source workload',
    width: 150,
    grow: 0.8,
    from: null,
    cell: (row) => <Name text={row.source.workload} />,
  },
  {
    id: 'source-identity',
    title: 'Source identity',
    width: 104,
    grow: 0,
    from: null,
    cell: (row) => <Identity end={row.source} several={row.varying?.source} />,
  },
  {
    id: 'source-ip',
    title: 'Source IP',
    width: 116,
    grow: 0,
    from: null,
    cell: (row) => <Code text={row.source.address} several={row.varying?.source} />,
  },
  {
    id: 'source-port',
    title: 'Source port',
    width: 84,
    grow: 0,
    from: null,
    numeric: true,
    cell: (row) => <Code text={portText(row.source.port)} several={row.varying?.sourcePort} />,
  },
  {
    id: 'destination',
    title: 'Destination',
    width: 104,
    grow: 1.2,
    from: 0,
    cell: (row) => (
      <>
        <Way reply={row.reply && row.count === 1} />
        <End end={row.destination} />
      </>
    ),
  },
  {
    id: 'destination-pod',
    title: 'Destination pod',
    width: 150,
    grow: 0.8,
    from: null,
    cell: (row) => <Name text={row.destination.pod} several={row.varying?.destination} />,
  },
  {
    id: 'destination-workload',
    title: 'Destination workload',
    width: 150,
    grow: 0.8,
    from: null,
    cell: (row) => <Name text={row.destination.workload} />,
  },
  {
    id: 'destination-identity',
    title: 'Destination identity',
    width: 130,
    grow: 0,
    from: null,
    cell: (row) => <Identity end={row.destination} several={row.varying?.destination} />,
  },
  {
    id: 'destination-ip',
    title: 'Destination IP',
    width: 116,
    grow: 0,
    from: null,
    cell: (row) => <Code text={row.destination.address} several={row.varying?.destination} />,
  },
  {
    id: 'port',
    title: 'Port',
    width: 52,
    grow: 0,
    from: 0,
    numeric: true,
    cell: (row) => <span className="numbers">{portText(row.port) || '–'}</span>,
  },
  {
    id: 'protocol',
    title: 'Protocol',
    width: 66,
    grow: 0,
    from: 620,
    cell: (row) => <span className="font-mono text-faint">{row.protocol}</span>,
  },
  {
    id: 'verdict',
    title: 'Verdict',
    width: 90,
    grow: 0,
    from: 0,
    cell: (row) => <Verdict verdict={row.verdict} />,
  },
  { id: 'reason', title: 'Drop reason', width: 140, grow: 0.6, from: null, cell: (row) => <Name text={row.reason} /> },
  {
    id: 'policy',
    title: 'Policy',
    width: 120,
    grow: 0.6,
    from: null,
    cell: (row) => <Name text={row.policy} several={row.varying?.policy} />,
  },
  {
    id: 'info',
    title: 'Info',
    width: 110,
    grow: 1.3,
    from: 900,
    cell: (row) => <Name text={infoText(row)} />,
  },
  {
    id: 'flags',
    title: 'TCP flags',
    width: 112,
    grow: 0.3,
    from: 760,
    cell: (row) => <span className="font-mono text-dim">{row.tcpFlags}</span>,
  },
  {
    id: 'direction',
    title: 'Direction',
    width: 70,
    grow: 0,
    from: 1000,
    cell: (row) => <span className="text-dim">{row.direction}</span>,
  },
  {
    id: 'node',
    title: 'Node',
    width: 90,
    grow: 0.4,
    from: null,
    cell: (row) => <Name text={row.node} several={row.varying?.node} />,
  },
  {
    id: 'bytes',
    title: 'Bytes',
    width: 72,
    grow: 0,
    from: 1080,
    numeric: true,
    cell: (row) => <Quantity text={row.bytes > 0 ? formatBytes(row.bytes) : ''} />,
  },
  {
    id: 'packets',
    title: 'Packets',
    width: 68,
    grow: 0,
    from: null,
    numeric: true,
    cell: (row) => <Quantity text={row.packets > 0 ? formatCount(row.packets) : ''} />,
  },
  {
    id: 'rtt',
    title: 'RTT',
    width: 68,
    grow: 0,
    from: null,
    numeric: true,
    cell: (row) => <Quantity text={row.rttMicros > 0 ? formatMicros(row.rttMicros) : ''} />,
  },
  {
    id: 'retransmits',
    title: 'Sent again',
    width: 80,
    grow: 0,
    from: null,
    numeric: true,
    cell: (row) => <Quantity text={row.retransmits > 0 ? formatCount(row.retransmits) : ''} />,
  },
];

const BY_ID = new Map(FLOW_COLUMNS.map((column) => [column.id, column]));

export function flowColumn(id: FlowColumnId): FlowColumn {
  return BY_ID.get(id)!;
}

const SEVERAL = <span className="text-faint">several</span>;
const NOTHING = <span className="text-faint">–</span>;

/** Of a row that stands for several, only what holds for all of them. */
function infoText(row: FlowRow): string {
  if (row.count === 1) return row.info;
  return row.varying?.policy || row.policy === '' ? row.reason : [row.reason, row.policy].filter(Boolean).join(' · ');
}

function portText(port: number): string {
  return port > 0 ? String(port) : '';
}

/** Rows come by the hundred: the time of day is text, and its tooltip is left to the flow's details. */
function Time({ ms }: { ms: number }) {
  const { time } = useStore(settingsStore);
  return <span className="numbers text-dim">{time === 'relative' ? <Moment ms={ms} /> : formatClock(ms)}</span>;
}

/** Which way the packet went between the connection's ends. Characters, as rows come and go by the hundred. */
function Way({ reply }: { reply: boolean }) {
  return reply ? (
    <span className="mr-1.5 text-faint" title="a reply">
      ←<span className="sr-only"> replies to it: </span>
    </span>
  ) : (
    <span aria-hidden className="mr-1.5 text-faint">
      →
    </span>
  );
}

function End({ end }: { end: FlowEnd }) {
  const address = end.address.includes(':') && end.port > 0 ? `[${end.address}]` : end.address;
  return (
    <span title={`${end.pod || end.name} · ${end.port > 0 ? `${address}:${end.port}` : address}`}>
      {end.name} <span className="text-faint">{end.namespace}</span>
    </span>
  );
}

function Name({ text, several = false }: { text: string; several?: boolean }) {
  if (several) return SEVERAL;
  return text === '' ? (
    NOTHING
  ) : (
    <span className="text-dim" title={text}>
      {text}
    </span>
  );
}

function Code({ text, several = false }: { text: string; several?: boolean }) {
  if (several) return SEVERAL;
  return text === '' ? NOTHING : <span className="numbers text-dim">{text}</span>;
}

function Identity({ end, several }: { end: FlowEnd; several?: boolean }) {
  const text = end.identity === 0 ? '' : end.identity < 256 ? reservedIdentities.name(end.identity) : `${end.identity}`;
  return <Code text={text} several={several} />;
}

function Quantity({ text }: { text: string }) {
  return text === '' ? NOTHING : <span className="numbers">{text}</span>;
}

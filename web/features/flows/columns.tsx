import type { ReactNode } from 'react';
import { formatClock } from '../../format/time.ts';
import { Verdict } from '../../ui/verdict.tsx';
import type { FlowEnd, FlowRow } from '../../worker/protocol.ts';

export interface FlowColumn {
  readonly id: string;
  readonly title: string;
  /** A track of a CSS grid. */
  readonly width: string;
  /** Least width of the table, in pixels, at which the column is shown. */
  readonly from: number;
  readonly cell: (row: FlowRow) => ReactNode;
}

/** The one table of columns, in order. What the narrow table leaves out is in the flow's details. */
export const FLOW_COLUMNS: readonly FlowColumn[] = [
  {
    id: 'time',
    title: 'Time',
    width: '96px',
    from: 420,
    cell: (row) => <span className="numbers text-xs text-dim">{formatClock(row.time)}</span>,
  },
  { id: 'source', title: 'Source', width: 'minmax(90px, 1.2fr)', from: 0, cell: (row) => <End end={row.source} /> },
  {
    id: 'destination',
    title: 'Destination',
    width: 'minmax(90px, 1.2fr)',
    from: 0,
    cell: (row) => <End end={row.destination} />,
  },
  {
    id: 'port',
    title: 'Port',
    width: '52px',
    from: 0,
    cell: (row) => <span className="numbers text-xs">{row.port > 0 ? row.port : '–'}</span>,
  },
  {
    id: 'protocol',
    title: 'Protocol',
    width: '64px',
    from: 620,
    cell: (row) => <span className="font-mono text-xs text-faint">{row.protocol}</span>,
  },
  { id: 'verdict', title: 'Verdict', width: '92px', from: 0, cell: (row) => <Verdict verdict={row.verdict} /> },
  {
    id: 'info',
    title: 'Info',
    width: 'minmax(110px, 1.3fr)',
    from: 900,
    cell: (row) => <span className="text-dim">{row.info === '' ? '–' : row.info}</span>,
  },
  {
    id: 'flags',
    title: 'TCP flags',
    width: 'minmax(84px, 0.6fr)',
    from: 760,
    cell: (row) => <span className="font-mono text-xs text-dim">{row.tcpFlags}</span>,
  },
  {
    id: 'direction',
    title: 'Direction',
    width: '72px',
    from: 980,
    cell: (row) => <span className="text-dim">{row.direction}</span>,
  },
];

function End({ end }: { end: FlowEnd }) {
  const address = end.address.includes(':') && end.port > 0 ? `[${end.address}]` : end.address;
  return (
    <span title={`${end.pod || end.name} · ${end.port > 0 ? `${address}:${end.port}` : address}`}>
      {end.name} <span className="text-faint">{end.namespace}</span>
    </span>
  );
}

import { formatClock } from '../../format/time.ts';
import { Verdict } from '../../ui/verdict.tsx';
import type { FlowRow } from '../../worker/shown-flow.ts';

/** The last few flows, newest first. */
export function LatestFlows({ rows, ports }: { rows: readonly FlowRow[]; ports: number }) {
  return (
    <table className="w-full table-fixed border-collapse text-left">
      <caption className="pb-1 text-left text-xs text-dim">Latest flows</caption>
      <colgroup>
        <col className="w-[34%]" />
        <col className="w-[28%]" />
        <col />
      </colgroup>
      <thead className="sr-only">
        <tr>
          <th scope="col">Time</th>
          <th scope="col">Verdict</th>
          <th scope="col">What it was</th>
        </tr>
      </thead>
      <tbody>
        {rows.length === 0 && (
          <tr>
            <td colSpan={3} className="border-t border-line py-1.5 text-xs text-faint">
              The server holds none any more.
            </td>
          </tr>
        )}
        {rows.map((row) => (
          <tr key={row.id} className="border-t border-line">
            <td className="numbers truncate py-1 pr-2 text-xs text-dim">{formatClock(row.time)}</td>
            <td className="truncate py-1 pr-2 text-xs">
              <Verdict verdict={row.verdict} />
            </td>
            <td className="truncate py-1 text-xs" title={what(row, ports)}>
              {what(row, ports)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** The port is worth telling where there are several. */
function what(row: FlowRow, ports: number): string {
  const port = ports < 2 ? '' : row.port > 0 ? `${row.port} ${row.protocol}` : row.protocol;
  return [port, row.tcpFlags, row.info].filter((part) => part !== '').join(' · ') || row.protocol;
}

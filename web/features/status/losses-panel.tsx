import type { StatusSummary } from '../../worker/protocol.ts';

export function LossesPanel({ status }: { status: StatusSummary }) {
  const { lost, losses, nodes } = status;
  const byNode = nodes.filter((node) => node.lost > 0);
  return (
    <>
      <h2 className="pb-1 text-sm font-semibold">Lost flows</h2>
      {lost === 0 ? (
        <p className="text-xs text-dim">
          Every flow that was seen in the kernel has reached this page, since the server started.
        </p>
      ) : (
        <>
          <p className="pb-1 text-xs text-dim">Since the server started. What is lost is missing from map and table.</p>
          <Counts entries={losses.map(({ where, count }) => [where, count])} />
          {byNode.length > 0 && (
            <>
              <h3 className="pt-2 text-xs font-semibold text-dim">By node</h3>
              <Counts entries={byNode.map((node) => [node.name, node.lost])} />
            </>
          )}
        </>
      )}
    </>
  );
}

function Counts({ entries }: { entries: readonly (readonly [string, number])[] }) {
  return (
    <dl>
      {entries.map(([name, count]) => (
        <div key={name} className="flex justify-between gap-3 border-b border-line py-1 last:border-b-0">
          <dt className="min-w-0 truncate">{name}</dt>
          <dd className="numbers text-dropped-text">{count.toLocaleString('en')}</dd>
        </div>
      ))}
    </dl>
  );
}

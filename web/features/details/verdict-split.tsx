import { formatCount, formatShare } from '../../format/quantity.ts';
import { Dot } from '../../ui/verdict.tsx';
import type { VerdictCounts } from './rates.ts';

const PARTS = [
  { verdict: 'forwarded', dot: 'bg-forwarded', bar: 'fill-forwarded' },
  { verdict: 'dropped', dot: 'bg-dropped', bar: 'fill-dropped' },
  { verdict: 'audited', dot: 'bg-audit', bar: 'fill-audit' },
] as const;

/** How connections fared, as shares of a bar and in numbers. */
export function VerdictSplit({ counts }: { counts: VerdictCounts }) {
  const all = counts.forwarded + counts.dropped + counts.audited;
  if (all === 0) return null;
  let at = 0;
  return (
    <div>
      <svg aria-hidden viewBox="0 0 100 4" preserveAspectRatio="none" className="block h-1.5 w-full rounded-sm">
        {PARTS.map(({ verdict, bar }) => {
          const width = (100 * counts[verdict]) / all;
          const x = at;
          at += width;
          return width === 0 ? null : <rect key={verdict} x={x} y="0" width={width} height="4" className={bar} />;
        })}
      </svg>
      <dl
        aria-label={`${counts.of === 'flows' ? 'Flows' : 'Connections'} by verdict, of the last three minutes`}
        title={`${counts.of === 'flows' ? 'Flows' : 'Connections'} of the last three minutes`}
        className="mt-1.5 flex flex-wrap gap-x-4 text-xs"
      >
        {PARTS.filter(({ verdict }) => verdict !== 'audited' || counts.audited > 0).map(({ verdict, dot }) => (
          <div key={verdict} className="flex items-center gap-1.5">
            <dt className="flex items-center gap-1.5 text-dim">
              <Dot className={dot} />
              {verdict}
            </dt>
            <dd className="numbers">
              {formatCount(counts[verdict])} <span className="text-faint">{formatShare(counts[verdict] / all)}</span>
            </dd>
          </div>
        ))}
      </dl>
    </div>
  );
}

import { formatRate } from '../../format/quantity.ts';
import type { RateSeries } from '../../graph/rate-history.ts';
import { HISTORY_SAMPLES } from '../../graph/rate-history.ts';

const WIDTH = 312;
const HEIGHT = 48;

/** Flows per second over the last three minutes, with what was dropped below. */
export function Sparkline({ series }: { series: RateSeries }) {
  const most = Math.max(1, ...series.flows);
  const last = series.flows.at(-1) ?? 0;
  return (
    <svg
      role="img"
      aria-label={`Flows per second over the last three minutes: now ${formatRate(last)}, at most ${formatRate(most)}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      className="block h-12 w-full"
    >
      <line
        x1="0"
        x2={WIDTH}
        y1={HEIGHT - 1}
        y2={HEIGHT - 1}
        className="stroke-line"
        vectorEffect="non-scaling-stroke"
      />
      <path
        d={path(series.flows, most)}
        className="fill-none stroke-forwarded"
        strokeWidth="1.5"
        vectorEffect="non-scaling-stroke"
      />
      {series.dropped.some((value) => value > 0) && (
        <path
          d={path(series.dropped, most)}
          className="fill-none stroke-dropped"
          strokeWidth="1.5"
          vectorEffect="non-scaling-stroke"
        />
      )}
    </svg>
  );
}

function path(values: readonly number[], most: number): string {
  const step = WIDTH / (HISTORY_SAMPLES - 1);
  const left = WIDTH - (values.length - 1) * step;
  return values
    .map((value, index) => {
      const x = (left + index * step).toFixed(1);
      const y = (HEIGHT - 2 - (value / most) * (HEIGHT - 6)).toFixed(1);
      return `${index === 0 ? 'M' : 'L'}${x} ${y}`;
    })
    .join('');
}

import { formatRate } from '../../format/quantity.ts';
import { classNames } from '../../ui/class-names.ts';
import type { Rates } from './rates.ts';
import { inPairs, STEPS } from './rates.ts';

/** Flows per second over time: a line for all of them, a dashed one for those dropped, a dotted one for those audited. */
export function RateChart(props: { rates: Rates | undefined; of: string; small?: boolean }) {
  const { of, small = false } = props;
  // Two steps to a point where there is little room: neighbours that differ by one flow would only flicker.
  const rates = small ? inPairs(props.rates) : props.rates;
  const most = Math.max(0.1, ...(rates?.flows ?? []));
  const width = small ? 56 : 320;
  const height = small ? 18 : 56;
  const flows = rates?.flows ?? [];
  const steps = small ? STEPS / 2 : STEPS;
  const line = (values: readonly number[]) => path(values, most, width, height, steps);
  return (
    <svg
      role="img"
      aria-label={words(props.rates, of)}
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      className={classNames('block', small ? 'h-[18px] w-full' : 'h-14 w-full')}
    >
      <path
        d={`M0 ${height - 0.5}H${width}`}
        className="fill-none stroke-line"
        strokeWidth="1"
        vectorEffect="non-scaling-stroke"
      />
      {flows.length > 0 && (
        <>
          {!small && <path d={area(flows, most, width, height, steps)} className="fill-forwarded opacity-10" />}
          <path
            d={line(flows)}
            className="fill-none stroke-forwarded"
            strokeWidth={small ? 1.25 : 1.5}
            strokeLinejoin="round"
            vectorEffect="non-scaling-stroke"
          />
        </>
      )}
      {rates?.audited.some((value) => value > 0) && (
        <path
          d={line(rates.audited)}
          className="fill-none stroke-audit"
          strokeWidth="1.5"
          strokeDasharray="1.5 2.5"
          vectorEffect="non-scaling-stroke"
        />
      )}
      {rates?.dropped.some((value) => value > 0) && (
        <path
          d={line(rates.dropped)}
          className="fill-none stroke-dropped"
          strokeWidth="1.5"
          strokeDasharray="4 2"
          vectorEffect="non-scaling-stroke"
        />
      )}
    </svg>
  );
}

function words(rates: Rates | undefined, of: string): string {
  if (rates === undefined || rates.flows.length === 0) return `Flows of ${of} over time: not known yet`;
  const parts = [
    `Flows of ${of} over the last ${Math.max(1, Math.round((rates.flows.length * rates.stepMs) / 60_000))} minutes`,
    `now ${formatRate(rates.flows.at(-1)!)}`,
    `at most ${formatRate(Math.max(...rates.flows))}`,
  ];
  if (rates.dropped.some((value) => value > 0)) parts.push(`dropped at most ${formatRate(Math.max(...rates.dropped))}`);
  if (rates.audited.some((value) => value > 0)) parts.push(`audited at most ${formatRate(Math.max(...rates.audited))}`);
  return parts.join(', ');
}

/** The newest value stands at the right edge; what is not known is left empty. */
function points(values: readonly number[], most: number, width: number, height: number, steps: number): string[] {
  const step = width / (steps - 1);
  const left = width - (values.length - 1) * step;
  return values.map((value, index) => {
    const x = (left + index * step).toFixed(1);
    return `${x} ${(height - 1.5 - (value / most) * (height - 3)).toFixed(1)}`;
  });
}

function path(values: readonly number[], most: number, width: number, height: number, steps: number): string {
  return `M${points(values, most, width, height, steps).join('L')}`;
}

function area(values: readonly number[], most: number, width: number, height: number, steps: number): string {
  const [first] = points(values, most, width, height, steps);
  return `${path(values, most, width, height, steps)}L${width} ${height}L${first.split(' ')[0]} ${height}Z`;
}

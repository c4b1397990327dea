import type { Figure } from './benchmark.ts';
import type { Machine } from './machine.ts';
import { formatValue } from './report.ts';

const SIZES = [1, 100, 1_000, 10_000];
const WAYS = ['direct', 'eBPF', 'nftables', 'iptables'];
/** What others have published, beside which the table stands. */
const PUBLISHED: readonly (readonly [string, string])[] = [
  ['iptables, connect, at 2,768 Services ÷ few (Cilium, 2019)', '1.9×'],
  ['iptables, connect, 10,000 ÷ 1', '≈ 10×'],
  ['eBPF, connect, 10,000 ÷ 1', '1.0×'],
  ['one Service added at 10,000, iptables → eBPF (published at larger scale: 12 s → 12 ms)', '1,000×'],
];

/** The page docs/services-latency.md, from the figures of the benchmark `services`. */
export function servicesPage(figures: readonly Figure[], machine: Machine, quick: boolean): string {
  const table = (kind: string): string[] => {
    const ways = kind === 'connect' ? WAYS : WAYS.filter((way) => way !== 'direct');
    return [
      `| Services | ${ways.join(' | ')} |`,
      `| --: | ${ways.map(() => '--:').join(' | ')} |`,
      ...SIZES.map((size) => {
        const cells = ways.map((way) => cell(figures, `${kind}, ${way}, ${size}`));
        return `| ${size.toLocaleString('en')} | ${cells.join(' | ')} |`;
      }),
    ];
  };
  const goals = figures.filter(({ goal, name }) => goal !== undefined && !name.startsWith('add one'));
  return [
    '# Services: as fast with ten thousand as with one',
    '',
    'Written by `waggle bench services --write`. Each figure is a median; the four ways are measured in turn in one run, in network',
    'namespaces of their own, both ends of a connection on one core. iptables and nftables carry the rules that kube-proxy writes in',
    'these modes. The Service is the last of the list.',
    '',
    `${machine.date}, commit ${machine.commit}: ${machine.cores} × ${machine.processor}, Linux ${machine.kernel}, Node ${machine.node}.`,
    ...(quick ? ['', 'A quick run: too short for the record.'] : []),
    '',
    '![connect() by number of Services](services-latency.svg)',
    '',
    '## connect() to a Service',
    '',
    ...table('connect'),
    '',
    '## Adding one Service',
    '',
    ...table('add one'),
    '',
    '## Against the goals',
    '',
    '| | measured | goal |',
    '| --- | --: | --: |',
    ...goals.map(({ name, value, unit, goal }) => {
      const bound =
        goal === undefined
          ? ''
          : 'atLeast' in goal
            ? `≥ ${formatValue(goal.atLeast, unit)}`
            : `≤ ${formatValue(goal.atMost, unit)}`;
      return `| ${name} | ${formatValue(value, unit)} | ${bound} |`;
    }),
    '',
    '## Published elsewhere',
    '',
    '| | |',
    '| --- | --: |',
    ...PUBLISHED.map(([what, value]) => `| ${what} | ${value} |`),
    '',
  ].join('\n');
}

function cell(figures: readonly Figure[], name: string): string {
  const figure = figures.find((each) => each.name === name);
  return figure === undefined ? '–' : formatValue(figure.value, figure.unit);
}

const WIDTH = 640;
const HEIGHT = 360;
const PLOT = { left: 56, right: 540, top: 40, bottom: 312 };
const LOWEST = 10;
const HIGHEST = 1_000;
const COLORS: Readonly<Record<string, string>> = {
  direct: '#7b8494',
  eBPF: '#d98a00',
  nftables: '#3b82c4',
  iptables: '#c2413a',
};

/** The plot docs/services-latency.svg: microseconds of connect() by number of Services, both logarithmic. */
export function servicesPlot(figures: readonly Figure[]): string {
  const x = (index: number): number => PLOT.left + (index * (PLOT.right - PLOT.left)) / (SIZES.length - 1);
  const y = (micros: number): number => {
    const share = Math.log(Math.min(HIGHEST, Math.max(LOWEST, micros)) / LOWEST) / Math.log(HIGHEST / LOWEST);
    return PLOT.bottom - share * (PLOT.bottom - PLOT.top);
  };
  const lines = WAYS.map((way) => {
    const values = SIZES.map(
      (size) => figures.find(({ name }) => name === `connect, ${way}, ${size}`)?.value ?? LOWEST,
    );
    const points = values.map((value, index) => `${x(index).toFixed(1)},${y(value).toFixed(1)}`);
    const dots = points.map((point) => {
      const [cx, cy] = point.split(',');
      return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${COLORS[way]}"/>`;
    });
    return {
      way,
      last: values.at(-1)!,
      drawing: `<polyline points="${points.join(' ')}" fill="none" stroke="${COLORS[way]}" stroke-width="2"/>${dots.join('')}`,
    };
  });
  // Names stand beside the lines' ends, at least a line of text apart.
  let above = Number.NEGATIVE_INFINITY;
  const names = [...lines]
    .sort((a, b) => b.last - a.last)
    .map(({ way, last }) => {
      above = Math.max(y(last), above + 15);
      return `<text x="${PLOT.right + 12}" y="${above + 4}" fill="${COLORS[way]}" font-weight="600">${way}</text>`;
    });
  const grid = [10, 20, 50, 100, 200, 500, 1_000].map(
    (micros) =>
      `<line x1="${PLOT.left}" x2="${PLOT.right}" y1="${y(micros)}" y2="${y(micros)}" stroke="#e3e6ea"/>` +
      `<text x="${PLOT.left - 8}" y="${y(micros) + 4}" text-anchor="end" fill="#5b6472">${micros}</text>`,
  );
  const ticks = SIZES.map(
    (size, index) =>
      `<text x="${x(index)}" y="${PLOT.bottom + 20}" text-anchor="middle" fill="#5b6472">${size.toLocaleString('en')}</text>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12" role="img" aria-label="connect() to a Service by number of Services">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    `<text x="${PLOT.left}" y="22" fill="#1d2430" font-size="13" font-weight="600">connect() to the last of N Services, µs</text>`,
    ...grid,
    ...lines.map(({ drawing }) => drawing),
    ...names,
    ...ticks,
    `<text x="${(PLOT.left + PLOT.right) / 2}" y="${PLOT.bottom + 40}" text-anchor="middle" fill="#5b6472">Services</text>`,
    '</svg>',
    '',
  ].join('\n');
}

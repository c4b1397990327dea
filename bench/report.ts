import { type Figure, type Goal, meets } from './benchmark.ts';
import type { Machine } from './machine.ts';
import type { BenchmarkResult } from './run-benchmarks.ts';
import { medianInterval } from './statistics.ts';

const HEADINGS = ['figure', 'measured', 'goal', '', 'spread', 'note'];

/** Lines of an aligned table, one figure each; failures say why below it. */
export function resultTable(results: readonly BenchmarkResult[]): string {
  const rows = [HEADINGS, ...results.flatMap(rowsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => [...row[column]].length)));
  const lines = rows.map((row) => row.map((cell, column) => pad(cell, widths[column], column === 1)).join('  '));
  const failures = results.filter((result) => result.failure !== undefined);
  return [
    ...lines.map((line) => line.trimEnd()),
    ...failures.map((result) => `${result.benchmark} could not be measured: ${result.failure}`),
  ].join('\n');
}

/** The page docs/benchmarks.md. */
export function markdownPage(results: readonly BenchmarkResult[], machine: Machine, quick: boolean): string {
  const rows = results.flatMap(rowsOf);
  const table = [HEADINGS, HEADINGS.map((_, column) => (column === 1 ? '--:' : '---')), ...rows];
  return [
    '# Benchmarks, as measured',
    '',
    'Written by `npm run bench` (`waggle bench --write`); how each figure is taken and what it means is in [measuring.md](measuring.md).',
    '',
    `${machine.date}, commit ${machine.commit}: ${machine.cores} × ${machine.processor}, Linux ${machine.kernel}, Node ${machine.node}.`,
    ...(quick ? ['', 'A quick run: too short for the record.'] : []),
    '',
    ...table.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`),
    ...results.flatMap((result) =>
      result.failure === undefined
        ? []
        : ['', `\`${result.benchmark}\` could not be measured: ${firstLine(result.failure)}`],
    ),
    '',
  ].join('\n');
}

export function jsonReport(results: readonly BenchmarkResult[], machine: Machine, quick: boolean): unknown {
  return {
    machine,
    quick,
    benchmarks: results.map((result) => ({
      ...result,
      figures: result.figures.map((figure) => ({ ...figure, pass: meets(figure) ?? null })),
    })),
  };
}

/** Whether every figure with a goal meets it, and every benchmark gave figures. */
export function allMet(results: readonly BenchmarkResult[]): boolean {
  return results.every(
    (result) => result.failure === undefined && result.figures.every((figure) => meets(figure) !== false),
  );
}

function rowsOf(result: BenchmarkResult): string[][] {
  return result.figures.map((figure) => {
    const pass = meets(figure);
    return [
      figure.name === '' ? result.benchmark : `${result.benchmark} ${figure.name}`,
      formatValue(figure.value, figure.unit),
      figure.goal === undefined ? '' : formatGoal(figure.goal, figure.unit),
      pass === undefined ? '' : pass ? 'met' : 'falls short',
      spread(figure),
      figure.note ?? '',
    ];
  });
}

function formatGoal(goal: Goal, unit: string): string {
  return 'atLeast' in goal ? `≥ ${formatValue(goal.atLeast, unit)}` : `≤ ${formatValue(goal.atMost, unit)}`;
}

/** Three significant digits, without exponents: 0.974×, 87.3 ns, 1,240,000 flows/s. */
export function formatValue(value: number, unit: string): string {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value) || 1)));
  const rounded = Number(value.toPrecision(3));
  const text = rounded.toLocaleString('en', { maximumFractionDigits: Math.min(digits, 6) });
  return unit === '×' ? `${text}×` : `${text} ${unit}`;
}

/** Where the median lies with 95 % confidence, and from how many samples. */
function spread(figure: Figure): string {
  if (figure.samples.length < 3) return '';
  const [low, high] = medianInterval(figure.samples);
  const number = (value: number) => formatValue(value, '').trim();
  return `${number(low)}–${number(high)} (n ${figure.samples.length})`;
}

function pad(cell: string, width: number, right: boolean): string {
  const fill = ' '.repeat(width - [...cell].length);
  return right ? fill + cell : cell + fill;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0];
}

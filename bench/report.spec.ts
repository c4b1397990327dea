import { describe, expect, it } from 'vitest';
import { allMet, formatValue, markdownPage, resultTable } from './report.ts';
import type { BenchmarkResult } from './run-benchmarks.ts';

const ratio: BenchmarkResult = {
  benchmark: 'tcp-rr',
  about: 'round trips',
  seconds: 12,
  figures: [
    { name: '', value: 0.9731, unit: '×', goal: { atLeast: 0.96 }, samples: [0.96, 0.9731, 0.98], note: 'a | b' },
  ],
};
const cost: BenchmarkResult = {
  benchmark: 'program-cost',
  about: 'nanoseconds',
  seconds: 3,
  figures: [
    { name: 'no event', value: 64, unit: 'ns', goal: { atMost: 100 }, samples: [64] },
    { name: 'event', value: 151, unit: 'ns', goal: { atMost: 150 }, samples: [151] },
  ],
};
const broken: BenchmarkResult = { benchmark: 'ring', about: '', seconds: 0, figures: [], failure: 'no clang\n  at x' };
const machine = { date: '2026-01-02', commit: 'abc', cores: 2, processor: 'CPU', kernel: '6.1', node: '24.1.0' };

describe('report', () => {
  it('aligns columns and says what falls short', () => {
    const lines = resultTable([ratio, cost]).split('\n');
    expect(lines).toHaveLength(4);
    expect(lines[1]).toContain('0.973×  ≥ 0.96×   met');
    expect(lines[3]).toContain('falls short');
    const column = lines[0].indexOf('goal');
    for (const line of lines.slice(1)) expect(line[column]).toMatch(/[≥≤]/);
  });

  it('writes a table whose cells cannot break it', () => {
    const page = markdownPage([ratio, broken], machine, false);
    expect(page).toContain('a \\| b');
    expect(page).toContain('`ring` could not be measured: no clang\n');
  });

  it('counts a benchmark that failed as not met', () => {
    expect(allMet([ratio])).toBe(true);
    expect(allMet([ratio, cost])).toBe(false);
    expect(allMet([ratio, broken])).toBe(false);
  });

  it('shows three significant digits', () => {
    expect(formatValue(1_234_567, 'flows/s')).toBe('1,230,000 flows/s');
    expect(formatValue(0.96, '×')).toBe('0.96×');
    expect(formatValue(43.27, 'B')).toBe('43.3 B');
    expect(formatValue(0, 'records')).toBe('0 records');
  });
});

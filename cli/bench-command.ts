import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Argument, Command, Option } from 'commander';
import { BENCHMARK_NAMES, type BenchmarkName } from '#bench/benchmarks.ts';
import { thisMachine } from '#bench/machine.ts';
import { allMet, jsonReport, markdownPage, resultTable } from '#bench/report.ts';
import { type BenchmarkResult, runBenchmarks } from '#bench/run-benchmarks.ts';
import { servicesPage, servicesPlot } from '#bench/services-page.ts';

const PAGE = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));

const SERVICES_PAGE = fileURLToPath(new URL('../docs/services-latency', import.meta.url));

interface BenchOptions {
  output: 'text' | 'json';
  quick: boolean;
  check: boolean;
  write: boolean;
}

/** `waggle bench [name...]`: measures what Waggle promises about speed and memory. */
export function benchCommand(): Command {
  return new Command('bench')
    .description('measure speed and memory against their goals (docs/measuring.md)')
    .addArgument(new Argument('[name...]', 'benchmarks to run; all without one').choices(BENCHMARK_NAMES))
    .addOption(new Option('-o, --output <format>', 'what to print').choices(['text', 'json']).default('text'))
    .option('--quick', 'a fifth of the time, for a look', false)
    .option('--check', 'exit with 1 when a goal is missed or a benchmark fails', false)
    .option('--write', 'write the table to docs/benchmarks.md', false)
    .action(runBench);
}

async function runBench(names: BenchmarkName[], options: BenchOptions): Promise<void> {
  const interrupt = new AbortController();
  const stop = () => interrupt.abort();
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const results: BenchmarkResult[] = [];
  const chosen = names.length === 0 ? BENCHMARK_NAMES : names;
  const run = runBenchmarks(chosen, { quick: options.quick, signal: interrupt.signal, progress: report });
  for await (const result of run) {
    results.push(result);
    report(
      result.benchmark,
      `${result.failure === undefined ? 'done' : 'failed'} after ${result.seconds.toFixed(1)} s`,
    );
  }
  process.off('SIGINT', stop);
  process.off('SIGTERM', stop);

  const machine = thisMachine();
  if (options.output === 'json') console.log(JSON.stringify(jsonReport(results, machine, options.quick), null, 2));
  else console.log(`\n${resultTable(results)}`);
  if (options.write && !interrupt.signal.aborted) {
    const services = results.find(({ benchmark, failure }) => benchmark === 'services' && failure === undefined);
    if (services !== undefined) {
      writeFileSync(`${SERVICES_PAGE}.md`, servicesPage(services.figures, machine, options.quick));
      writeFileSync(`${SERVICES_PAGE}.svg`, servicesPlot(services.figures));
      console.error(`written to ${SERVICES_PAGE}.md`);
    }
    // Its page is of all benchmarks that were asked for; one that has a page of its own leaves it as it is.
    if (services === undefined || results.length > 1) {
      writeFileSync(PAGE, markdownPage(results, machine, options.quick));
      console.error(`written to ${PAGE}`);
    }
  }
  if (interrupt.signal.aborted) process.exitCode = 130;
  else if (options.check && !allMet(results)) process.exitCode = 1;
}

/** Progress is for people: on stderr, so that stdout holds the result alone. */
function report(benchmark: string, message: string): void {
  console.error(`${benchmark.padEnd(16)} ${message}`);
}

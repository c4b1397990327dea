import { compileFilter } from '#core/filter/compile-filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import type { Benchmark, BenchmarkContext, Figure } from '../benchmark.ts';
import { cpuMilliseconds } from '../cpu-clock.ts';
import { backendHolding, firstResult } from '../first-result.ts';
import { mixedWindow } from '../flow-mix.ts';
import { pinToCore } from '../pin.ts';
import { median } from '../statistics.ts';

const ROWS = 200_000;
/** Held by the server whose first result is waited for. */
const HELD = 1_048_576;
/** The workloads of the mix; each round asks for another one, as a view that is open is answered from memory. */
const WORKLOADS = 200;

const SIX_CONDITIONS = [
  'namespace=team-1,team-2',
  '!port=53',
  'protocol=tcp',
  'verdict=forwarded',
  '!from:ip=198.18.0.0/15',
  'reply=false',
];

const VIEWS: readonly { readonly name: string; readonly tokens: readonly string[] }[] = [
  { name: 'namespace', tokens: ['namespace=team-3'] },
  { name: 'pod and port', tokens: ['to:pod=team-0/service-1', 'port=80,443'] },
  { name: 'six conditions', tokens: SIX_CONDITIONS },
];

/** Views of one workload, by how far the server has to look back for what they show. */
const ASKED: readonly { readonly name: string; readonly tokens: (workload: number) => readonly string[] }[] = [
  { name: 'of a namespace', tokens: (workload) => ['ns=team-*', `!workload=service-${workload}`] },
  { name: 'of a workload and port', tokens: (workload) => [`workload=service-${workload}`, 'to:port=80,443,8080'] },
  { name: 'of six conditions', tokens: (workload) => [...SIX_CONDITIONS, `!workload=service-${workload}`] },
  { name: 'that matches nothing', tokens: (workload) => [`from:workload=service-${workload}`, 'reason=policy-denied'] },
];

export const filter: Benchmark = {
  name: 'filter',
  about: 'how soon a new filter shows its first result, and how many rows per second it looks at on one core',
  needs: [],
  seconds: { full: 120, quick: 60 },
  async measure(context): Promise<Figure[]> {
    pinToCore(context.core);
    const window = mixedWindow(ROWS);
    const rounds = context.quick ? 7 : 25;
    const speeds = VIEWS.map(({ name, tokens }) => {
      const { filter: view, errors } = parseFilter(tokens);
      if (errors.length > 0) throw new Error(`the filter ${tokens.join(' ')} is not understood: ${errors[0].message}`);
      const passes = compileFilter(view, window);
      const samples: number[] = [];
      let passed = 0;
      for (let round = 0; round < rounds + 2; round++) {
        passed = 0;
        const begun = cpuMilliseconds();
        for (let row = 0; row < ROWS; row++) if (passes(window.columns, row)) passed++;
        // The first two rounds are for the compiler.
        if (round >= 2) samples.push((ROWS * 1000) / (cpuMilliseconds() - begun));
      }
      const share = ((100 * passed) / ROWS).toFixed(1);
      return {
        name,
        value: median(samples),
        unit: 'flows/s',
        samples,
        note: `${tokens.join(' ')}: ${share} % pass`,
      };
    });
    return [...speeds, ...(await firstResults(context, rounds))];
  },
};

/** By the clock, from asking a server that holds a million flows until the first of them are there. */
async function firstResults(context: BenchmarkContext, rounds: number): Promise<Figure[]> {
  context.progress(`making ${HELD.toLocaleString('en')} flows`);
  const backend = await backendHolding(HELD);
  context.cleanUp(() => backend.close());
  const figures: Figure[] = [];
  let asked = 0;
  for (const { name, tokens } of ASKED) {
    const flows: number[] = [];
    const maps: number[] = [];
    let shown = 0;
    for (let round = 0; round < rounds + 2; round++) {
      const result = await firstResult(backend, tokens(asked++ % WORKLOADS));
      if (round < 2) continue;
      flows.push(result.flowsMs);
      maps.push(result.mapMs);
      shown = result.flows;
    }
    figures.push({
      name: `first result ${name}`,
      value: median(flows),
      unit: 'ms',
      goal: { atMost: 100 },
      samples: flows,
      note: `${HELD.toLocaleString('en')} flows held, ${shown} in the first answer; its map after ${median(maps).toFixed(0)} ms`,
    });
  }
  return figures;
}

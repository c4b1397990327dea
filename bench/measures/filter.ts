import { compileFilter } from '#core/filter/compile-filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import type { Benchmark, Figure } from '../benchmark.ts';
import { cpuMilliseconds } from '../cpu-clock.ts';
import { FlowMix } from '../flow-mix.ts';
import { mixCluster } from '../mix-cluster.ts';
import { pinToCore } from '../pin.ts';
import { median } from '../statistics.ts';

const ROWS = 200_000;

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

export const filter: Benchmark = {
  name: 'filter',
  about: 'rows per second that a compiled filter looks at, on one core',
  needs: [],
  seconds: { full: 30, quick: 15 },
  async measure(context): Promise<Figure[]> {
    pinToCore(context.core);
    const window = new FlowWindow(ROWS);
    new FlowMix(window, {
      cluster: mixCluster(20, 50),
      node: 3,
      flowsPerSecond: 5_000,
      seed: 3,
      startSeconds: 1_790_000_000,
    }).push(ROWS);
    const rounds = context.quick ? 7 : 25;
    return VIEWS.map(({ name, tokens }) => {
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
  },
};

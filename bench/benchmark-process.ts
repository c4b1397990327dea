/**
 * One benchmark in a process of its own, so that none meets another's heap, compiled code or pinned threads, and a fault in
 * native code costs one figure and not the table. Started by run-benchmarks.ts; talks over the IPC channel.
 *
 *     node --expose-gc bench/benchmark-process.ts NAME full|quick CORE OTHER-CORE
 */
import type { Benchmark, BenchmarkContext, Figure } from './benchmark.ts';
import { BENCHMARKS, type BenchmarkName } from './benchmarks.ts';

export type ProcessMessage =
  | { readonly kind: 'about'; readonly benchmark: Omit<Benchmark, 'measure'> }
  | { readonly kind: 'progress'; readonly message: string }
  | { readonly kind: 'figures'; readonly figures: readonly Figure[] }
  | { readonly kind: 'failed'; readonly reason: string };

const [name, extent, core, otherCore] = process.argv.slice(2);
const cleanUps: (() => void | Promise<void>)[] = [];
let ending: Promise<void> | undefined;

function say(message: ProcessMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}

/** Undoes everything once, newest first; one that fails does not keep the others from it. */
function cleanUpAll(): Promise<void> {
  ending ??= (async () => {
    for (const action of cleanUps.reverse()) {
      try {
        await action();
      } catch (error) {
        await say({ kind: 'progress', message: `could not clean up: ${(error as Error).message}` });
      }
    }
  })();
  return ending;
}

async function stop(): Promise<never> {
  await cleanUpAll();
  process.exit(1);
}

process.on('SIGINT', stop);
process.on('SIGTERM', stop);
process.on('disconnect', stop);

const context: BenchmarkContext = {
  quick: extent === 'quick',
  core: Number(core),
  otherCore: Number(otherCore),
  progress: (message) => void say({ kind: 'progress', message }),
  cleanUp: (action) => {
    cleanUps.push(action);
  },
};

let exitCode = 0;
try {
  const { measure, ...about } = await BENCHMARKS[name as BenchmarkName]();
  await say({ kind: 'about', benchmark: about });
  const figures = await measure(context);
  await say({ kind: 'figures', figures });
} catch (error) {
  exitCode = 1;
  await say({ kind: 'failed', reason: error instanceof Error ? (error.stack ?? error.message) : String(error) });
}
await cleanUpAll();
process.exit(exitCode);

import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Figure } from './benchmark.ts';
import type { ProcessMessage } from './benchmark-process.ts';
import type { BenchmarkName } from './benchmarks.ts';

export interface BenchmarkResult {
  readonly benchmark: BenchmarkName;
  readonly about: string;
  readonly figures: readonly Figure[];
  /** Why there are no figures. */
  readonly failure?: string;
  readonly seconds: number;
}

export interface RunOptions {
  readonly quick: boolean;
  progress(benchmark: BenchmarkName, message: string): void;
  /** Stops the running benchmark, which cleans up after itself; the rest is not begun. */
  readonly signal?: AbortSignal;
}

const PROCESS = fileURLToPath(new URL('./benchmark-process.ts', import.meta.url));
/** How long a stopped benchmark may take to remove what it made before it is killed. */
const CLEAN_UP_MS = 15_000;

/** Runs benchmarks one after another, each in a process of its own. A failure is a result, and the next one runs. */
export async function* runBenchmarks(
  names: readonly BenchmarkName[],
  options: RunOptions,
): AsyncGenerator<BenchmarkResult> {
  for (const name of names) {
    if (options.signal?.aborted) return;
    yield await runOne(name, options);
  }
}

function runOne(name: BenchmarkName, options: RunOptions): Promise<BenchmarkResult> {
  const cores = availableParallelism();
  const extent = options.quick ? 'quick' : 'full';
  const begun = performance.now();
  let about = '';
  let figures: readonly Figure[] = [];
  let failure: string | undefined;
  // The highest cores: interrupts and everyone else's work tend to sit on the first.
  const child = fork(PROCESS, [name, extent, String(cores - 1), String(Math.max(0, cores - 2))], {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { WAGGLE_LOG_LEVEL: 'warn', ...process.env },
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });

  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    const stop = (reason: string) => {
      failure ??= reason;
      child.kill('SIGTERM');
      timers.push(setTimeout(() => child.kill('SIGKILL'), CLEAN_UP_MS));
    };
    const interrupted = () => stop('interrupted');
    options.signal?.addEventListener('abort', interrupted, { once: true });
    child.on('message', (message: ProcessMessage) => {
      switch (message.kind) {
        case 'about': {
          about = message.benchmark.about;
          const limit = message.benchmark.seconds[extent];
          timers.push(setTimeout(() => stop(`took longer than ${limit} s`), limit * 1000));
          return;
        }
        case 'progress':
          options.progress(name, message.message);
          return;
        case 'figures':
          figures = message.figures;
          return;
        case 'failed':
          failure ??= message.reason;
      }
    });
    child.on('exit', (code, signal) => {
      for (const timer of timers) clearTimeout(timer);
      options.signal?.removeEventListener('abort', interrupted);
      if (figures.length === 0) failure ??= `ended by ${signal ?? `status ${code}`}: ${said.trim()}`;
      const seconds = (performance.now() - begun) / 1000;
      resolve({ benchmark: name, about, figures, seconds, ...(failure === undefined ? {} : { failure }) });
    });
  });
}

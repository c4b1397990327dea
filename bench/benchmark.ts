/**
 * One thing Waggle promises about speed or memory, and how it is measured. Ratios compare two ways within one run; every
 * figure is a median (or a named quantile) of samples that are kept, so that a reader can judge the noise.
 */
export interface Benchmark {
  /** As typed after `waggle bench`: kebab-case. */
  readonly name: string;
  /** What is measured, in one line. */
  readonly about: string;
  readonly needs: readonly Need[];
  /** Longest it may take, in seconds, before it is stopped: the full and the quick run. */
  readonly seconds: { readonly full: number; readonly quick: number };
  /** Measures. Throws when it cannot; what it made is removed through `context.cleanUp` in any case. */
  measure(context: BenchmarkContext): Promise<Figure[]>;
}

/**
 * What the machine must offer. `bpf` = root and a kernel that loads our programs, `envtest` = etcd and kube-apiserver
 * (scripts/build-envtest.ts).
 */
export type Need = 'bpf' | 'clang' | 'chromium' | 'envtest';

export interface BenchmarkContext {
  /** A fifth of the time, for a look. Figures of a quick run are not for the record. */
  readonly quick: boolean;
  /** Core on which what is measured runs, and another for what only serves it (the same one where there is only one). */
  readonly core: number;
  readonly otherCore: number;
  /** One line on what is being done now. */
  progress(message: string): void;
  /** Run after the measurement, last registered first, also when it failed or was interrupted. */
  cleanUp(action: () => void | Promise<void>): void;
}

export type Goal = { readonly atLeast: number } | { readonly atMost: number };

export interface Figure {
  /** Unique within its benchmark; empty when it is the only one. */
  readonly name: string;
  readonly value: number;
  /** `×`, `ns`, `ms`, `B`, `kB`, `MB`, `flows/s`, ... Prefixes are decimal. */
  readonly unit: string;
  /** Absent where the value only explains another. */
  readonly goal?: Goal;
  /** What `value` was taken from, in the order measured. At most a few hundred. */
  readonly samples: readonly number[];
  /** What one needs to know to read it: sizes, mixes, the two absolute sides of a ratio. */
  readonly note?: string;
}

export function meets(figure: Figure): boolean | undefined {
  if (figure.goal === undefined) return undefined;
  return 'atLeast' in figure.goal ? figure.value >= figure.goal.atLeast : figure.value <= figure.goal.atMost;
}

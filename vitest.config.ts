import { configDefaults, defineConfig } from 'vitest/config';

// What a spec needs is in its file name:
//   x.spec.ts         nothing: no privileges, fast, in parallel
//   x.api.spec.ts     a real kube-apiserver (scripts/build-envtest.ts); parts that need one are skipped where there is none
//   x.kernel.spec.ts  root and eBPF
//   x.lab.spec.ts     a lab: root, eBPF, network namespaces
//   x.e2e.spec.ts     the whole demo and a browser
//   x.browser.spec.ts the same, of one part of the page; too long for every run: `npm run test:browser`
// The heavy and privileged ones run one file at a time: they share the machine's kernel and its two cores.
const privileged = (name: string, testTimeout: number) => ({
  test: {
    name,
    include: [`**/*.${name}.spec.ts`],
    exclude: [...configDefaults.exclude],
    fileParallelism: false,
    testTimeout,
    hookTimeout: testTimeout,
    teardownTimeout: 30_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['**/*.spec.{ts,tsx}'],
          exclude: [...configDefaults.exclude, '**/*.{api,kernel,lab,e2e,browser}.spec.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // Most of them wait, for sockets, files and processes: on two cores four take half the time of two.
          maxWorkers: 4,
        },
      },
      privileged('api', 120_000),
      privileged('kernel', 60_000),
      privileged('lab', 120_000),
      privileged('e2e', 180_000),
      privileged('browser', 180_000),
    ],
  },
});

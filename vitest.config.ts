import { configDefaults, defineConfig } from 'vitest/config';

// What a spec needs is in its file name:
//   x.spec.ts         nothing: no privileges, fast, in parallel
//   x.api.spec.ts     a real kube-apiserver (scripts/build-envtest.ts); parts that need one are skipped where there is none
//   x.kernel.spec.ts  root and eBPF
//   x.lab.spec.ts     a lab: root, eBPF, network namespaces
//   x.e2e.spec.ts     the whole demo and a browser
//   x.browser.spec.ts the same, of one part of the page; too long for every run: `npm run test:browser`
// Of the privileged ones two files run at a time where they mostly wait, for agents, pods and time-outs; each has namespaces,
// cgroups and labs of its own. Those with an API server or a browser have the machine to themselves.
const privileged = (name: string, testTimeout: number, parallel?: { maxWorkers: number; groupOrder: number }) => ({
  test: {
    name,
    include: [`**/*.${name}.spec.ts`],
    exclude: [...configDefaults.exclude],
    ...(parallel === undefined
      ? { fileParallelism: false }
      : { maxWorkers: parallel.maxWorkers, sequence: { groupOrder: parallel.groupOrder } }),
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
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // Most of them wait, for sockets, files and processes: on two cores four take half the time of two.
          maxWorkers: 4,
        },
      },
      privileged('api', 180_000),
      privileged('kernel', 180_000, { maxWorkers: 2, groupOrder: 1 }),
      privileged('lab', 180_000, { maxWorkers: 2, groupOrder: 2 }),
      privileged('e2e', 180_000),
      privileged('browser', 180_000),
    ],
  },
});

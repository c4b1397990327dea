import type { Benchmark } from './benchmark.ts';

/** Every benchmark by name, in the order they run. Loaded when needed: each runs in a process of its own. */
export const BENCHMARKS = {
  'tcp-rr': async () => (await import('./measures/tcp-rr.ts')).tcpRr,
  'tcp-crr': async () => (await import('./measures/tcp-crr.ts')).tcpCrr,
  'program-cost': async () => (await import('./measures/program-cost.ts')).programCost,
  ring: async () => (await import('./measures/ring.ts')).ring,
  relay: async () => (await import('./measures/relay.ts')).relay,
  wire: async () => (await import('./measures/wire.ts')).wire,
  memory: async () => (await import('./measures/memory.ts')).memory,
  'flow-table': async () => (await import('./measures/flow-table.ts')).flowTable,
  filter: async () => (await import('./measures/filter.ts')).filter,
  policy: async () => (await import('./measures/policy.ts')).policy,
  'policy-datapath': async () => (await import('./measures/policy-datapath.ts')).policyDatapath,
  'policy-change': async () => (await import('./measures/policy-change.ts')).policyChange,
  services: async () => (await import('./measures/services.ts')).services,
  hubble: async () => (await import('./measures/hubble.ts')).hubble,
  'browser-clients': async () => (await import('./measures/browser-clients.ts')).browserClients,
  'large-cluster': async () => (await import('./measures/large-cluster.ts')).largeCluster,
  'pod-to-map': async () => (await import('./measures/pod-to-map.ts')).podToMap,
  layout: async () => (await import('./measures/layout.ts')).layout,
  bundle: async () => (await import('./measures/bundle.ts')).bundle,
  'table-scroll': async () => (await import('./measures/table-scroll.ts')).tableScroll,
  'map-frames': async () => (await import('./measures/map-frames.ts')).mapFrames,
  interactions: async () => (await import('./measures/interactions.ts')).interactions,
  'packet-to-pixel': async () => (await import('./measures/packet-to-pixel.ts')).packetToPixel,
} as const satisfies Record<string, () => Promise<Benchmark>>;

export type BenchmarkName = keyof typeof BENCHMARKS;

export const BENCHMARK_NAMES = Object.keys(BENCHMARKS) as BenchmarkName[];

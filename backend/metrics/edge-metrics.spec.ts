import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { createRegistry } from '#runtime/metrics.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { DB, WORLD } from '#runtime/testing/sample-flows.ts';
import { createRelay } from '../relay/relay.ts';
import { type Backend, startBackend } from '../start.ts';
import { EdgeMetrics } from './edge-metrics.ts';

const agent = new InProcessAgent('node-2');
let backend: Backend;
beforeAll(async () => {
  await agent.start();
  backend = await startBackend({
    listen: '127.0.0.1:0',
    relayListen: '127.0.0.1:0',
    agents: [agent],
    metricEdges: 2,
    log: pino({ level: 'silent' }),
  });
});
afterAll(async () => {
  await backend.close();
  await agent.stop();
});

const scrape = async () => (await fetch(new URL('/metrics', backend.url))).text();

it('counts each edge once, by workload, and the overflow', async () => {
  const ingress = { observation: 101, direction: 1 } as const;
  agent.observe(
    { trigger: 1, bytesOriginal: 100, rttMicros: 2_000 },
    { trigger: 1, ...ingress, bytesOriginal: 100, bytesReply: 40, rttMicros: 2_000 },
    { verdict: 2, dropReason: 133, bytesOriginal: 0, ...ingress },
    { source: DB, destination: WORLD, destinationPort: 53, protocol: 17, trigger: 1, bytesOriginal: 60 },
    { source: DB, destination: WORLD, destinationPort: 54, protocol: 17, trigger: 1 },
  );
  await vi.waitFor(() => expect(backend.relay.window.end).toBe(5), { timeout: 30_000 });
  const text = await scrape();
  const web =
    'source_namespace="shop",source_workload="web",destination_namespace="data",destination_workload="maindb",destination_port="3306",protocol="TCP"';
  expect(text).toContain(`waggle_edge_connections_total{${web}} 1\n`);
  expect(text).toContain(`waggle_edge_dropped_total{${web}} 1\n`);
  expect(text).toContain(`waggle_edge_sent_bytes_total{${web}} 100\n`);
  expect(text).toContain(`waggle_edge_received_bytes_total{${web}} 40\n`);
  expect(text).toContain(`waggle_edge_rtt_seconds_sum{${web}} 0.002\n`);
  expect(text).toMatch(
    /waggle_edge_sent_bytes_total\{[^}]*destination_workload="world",destination_port="53",protocol="UDP"\} 60\n/,
  );
  expect(text).toContain('waggle_edge_overflow_total 1\n');
});

it('lets go of edges that have fallen silent, which makes room for others', async () => {
  const relay = createRelay();
  const registry = createRegistry({ processMetrics: false });
  let nowMs = 1_000_000;
  new EdgeMetrics(registry, relay, 1, () => nowMs);
  const other = new InProcessAgent('node-3');
  await other.start();
  try {
    relay.follow([other]);
    const flow = { trigger: 1, observation: 101, direction: 1 } as const;
    const count = async (port: number, rows: number) => {
      other.observe({ ...flow, destinationPort: port });
      await vi.waitFor(() => expect(relay.window.end).toBe(rows), { timeout: 30_000 });
      const text = await registry.metrics();
      const ports = [...text.matchAll(/waggle_edge_connections_total\{.*destination_port="(\d+)".*\} (\d+)/g)];
      return ports.map(([, told, connections]) => `${told}:${connections}`);
    };
    expect(await count(80, 1)).toEqual(['80:1']);
    expect(await count(81, 2)).toEqual(['80:1']);
    nowMs += 14 * 60_000;
    expect(await count(80, 3)).toEqual(['80:2']);
    nowMs += 15 * 60_000;
    expect(await count(81, 4)).toEqual(['81:1']);
    expect(await count(80, 5)).toEqual(['81:1']);
    expect(await registry.metrics()).toContain('waggle_edge_overflow_total 2\n');
  } finally {
    await relay.close();
    await other.stop();
  }
});

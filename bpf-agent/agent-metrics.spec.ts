import { expect, it } from 'vitest';
import { LossSource } from '#proto/gen/waggle/v1/flow_pb.ts';
import { createRegistry } from '#runtime/metrics.ts';
import { registerAgentMetrics } from './agent-metrics.ts';

it('tells what the agent says of itself, read when it is scraped', async () => {
  const registry = createRegistry({ processMetrics: false });
  const losses = new Map<LossSource, number>([[LossSource.KERNEL_RING, 5]]);
  let flows = 10;
  registerAgentMetrics(registry, {
    flows: () => flows,
    flowsPerSecond: () => 2.5,
    endpoints: () => 3,
    unattached: () => 1,
    followers: () => 2,
    exported: () => 7,
    exportLost: () => 1,
    connections: () => 99,
    ring: () => ({ waiting: 240, capacity: 8_388_608 }),
    drainSeconds: () => 1.5,
    maps: () => ({ policies: { entries: 12, capacity: 524_288 } }),
    evictions: () => ({ connections: 3, external_connections: 2 }),
    losses: () => losses,
    dropped: () => [4, 0, 0, 0, 0, 0, 0],
    translations: () => ({ told: 5, untold: 1 }),
    dnsAnswers: () => ({ read: 9, unreadable: 2, lost: 4 }),
    dnsNames: () => ({ held: 6, evicted: 3 }),
  });
  expect(await registry.metrics()).toContain('waggle_agent_lost_events_total{source="kernel_ring"} 5\n');
  flows = 11;
  losses.set(LossSource.AGENT_RING, 2);
  const text = await registry.metrics();
  for (const line of [
    'waggle_agent_flows_total 11',
    'waggle_agent_followers 2',
    'waggle_agent_ring_bytes 240',
    'waggle_agent_ring_capacity_bytes 8388608',
    'waggle_agent_drain_seconds_total 1.5',
    'waggle_agent_map_entries{map="policies"} 12',
    'waggle_agent_map_capacity{map="policies"} 524288',
    'waggle_agent_map_evictions_total{map="external_connections"} 2',
    'waggle_agent_unattached_pods 1',
    'waggle_agent_exported_flows_total 7',
    'waggle_agent_export_lost_flows_total 1',
    'hubble_lost_events_total{source="perf_event_ring_buffer"} 5',
    'hubble_lost_events_total{source="hubble_ring_buffer"} 2',
    'waggle_agent_lost_events_total{source="kernel_ring"} 5',
    'waggle_agent_lost_events_total{source="agent_ring"} 2',
    'waggle_agent_dropped_packets_total{reason="policy denied"} 4',
    'waggle_agent_translations_total{told="false"} 1',
    'waggle_agent_dns_answers_total{outcome="read"} 7',
    'waggle_agent_dns_answers_total{outcome="lost"} 4',
    'waggle_agent_dns_names 6',
    'waggle_agent_dns_names_evicted_total 3',
  ]) {
    expect(text).toContain(`${line}\n`);
  }
});

import { expect, it } from 'vitest';
import { NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { createRegistry } from '#runtime/metrics.ts';
import { DnsMetrics } from './dns-metrics.ts';

const pod = (name: string) => ({
  ...NO_ENDPOINT,
  identity: 1_000,
  namespace: 'shop',
  pod: `${name}-1`,
  workloadName: name,
});
const DNS = { ...pod('coredns'), namespace: 'kube-system' };
const answer = (type: number, rcode: number, count: number) => ({
  name: 'bank.example',
  type,
  rcode,
  addresses: Array.from({ length: count }, (_, at) => ({ address: `198.51.100.${at}`, ttlSeconds: 30 })),
});

it('counts answers by what they say, bounded, and by the labels that were asked for', async () => {
  const registry = createRegistry({ processMetrics: false });
  const metrics = new DnsMetrics(registry, { context: ['source_pod', 'destination_workload'], series: 4 });
  metrics.count(answer(1, 0, 2), pod('web'), DNS);
  metrics.count(answer(1, 0, 2), pod('web'), DNS);
  metrics.count(answer(28, 3, 0), pod('web'), DNS);
  metrics.count(answer(4_711, 15, 40), pod('cart'), DNS);
  const lines = async () => (await registry.metrics()).split('\n').filter((line) => line.startsWith('hubble_dns_'));
  expect(await lines()).toEqual([
    'hubble_dns_responses_total{rcode="No Error",qtypes="A",ips_returned="2",source_pod="shop/web-1",destination_workload="coredns"} 2',
    'hubble_dns_responses_total{rcode="Non-Existent Domain",qtypes="AAAA",ips_returned="0",source_pod="shop/web-1",destination_workload="coredns"} 1',
    'hubble_dns_responses_total{rcode="other",qtypes="other",ips_returned=">16",source_pod="shop/cart-1",destination_workload="coredns"} 1',
  ]);
  for (const name of ['a', 'b', 'c']) metrics.count(answer(1, 0, 1), pod(name), DNS);
  expect(await lines()).toHaveLength(4);
  expect(metrics.overflow).toBe(2);
  // A pod that is gone takes its series with it.
  metrics.forget(new Set(['shop/web-1']));
  expect((await lines()).join()).not.toContain('web-1');
  metrics.count(answer(1, 0, 1), pod('c'), DNS);
  expect((await lines()).join()).toContain('source_pod="shop/c-1"');
});

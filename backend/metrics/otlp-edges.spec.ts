import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, expect, it, vi } from 'vitest';
import { createRegistry } from '#runtime/metrics.ts';
import { InProcessAgent } from '#runtime/testing/in-process-agent.ts';
import { createRelay } from '../relay/relay.ts';
import { EdgeMetrics } from './edge-metrics.ts';
import { OtlpEdges } from './otlp-edges.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

it('sends edges as sums since the start, also after a refusal', async () => {
  const bodies: { resourceMetrics: { scopeMetrics: { metrics: Record<string, never>[] }[] }[] }[] = [];
  let status = 500;
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      if (request.url === '/v1/metrics' && status === 200) bodies.push(JSON.parse(body));
      response.writeHead(status).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  const agent = new InProcessAgent('node-2');
  await agent.start();
  cleanups.push(() => agent.stop());
  const relay = createRelay();
  cleanups.push(() => relay.close());
  const edges = new EdgeMetrics(createRegistry({ processMetrics: false }), relay);
  const endpoint = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const otlp = new OtlpEdges(endpoint, edges, '1', pino({ level: 'silent' }), 3_600_000);
  cleanups.push(() => otlp.stop());
  relay.follow([agent]);
  agent.observe({ trigger: 1, observation: 101, direction: 1, bytesOriginal: 100, rttMicros: 2_000 });
  await vi.waitFor(() => expect(relay.window.end).toBe(1), { timeout: 30_000 });
  await otlp.send();
  status = 200;
  await otlp.send();
  const [{ metrics }] = bodies[0].resourceMetrics[0].scopeMetrics;
  const point = (name: string, kind: 'sum' | 'summary') =>
    (metrics.find((metric) => metric.name === name)![kind] as unknown as { dataPoints: object[] }).dataPoints;
  expect(point('waggle.edge.sent', 'sum')).toMatchObject([
    {
      asInt: '100',
      attributes: [
        { key: 'source.k8s.namespace.name', value: { stringValue: 'shop' } },
        { key: 'source.k8s.workload.name', value: { stringValue: 'web' } },
        { key: 'destination.k8s.namespace.name', value: { stringValue: 'data' } },
        { key: 'destination.k8s.workload.name', value: { stringValue: 'maindb' } },
        { key: 'destination.port', value: { stringValue: '3306' } },
        { key: 'network.transport', value: { stringValue: 'tcp' } },
      ],
    },
  ]);
  expect(point('waggle.edge.dropped', 'sum')).toEqual([]);
  expect(point('waggle.edge.rtt', 'summary')).toMatchObject([{ count: '1', sum: 0.002 }]);
});

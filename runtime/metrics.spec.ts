import { afterEach, expect, test } from 'vitest';
import { Health } from './health.ts';
import { Counter, createRegistry, type MetricsServer, startMetricsServer } from './metrics.ts';

let server: MetricsServer | undefined;
afterEach(() => server?.stop());

test('metrics, health and readiness are served', async () => {
  const registry = createRegistry({ processMetrics: false });
  const flows = new Counter({ name: 'waggle_flows_total', help: 'Flows.', registers: [registry] });
  flows.inc(3);
  const health = new Health('datapath');
  server = await startMetricsServer({ address: '127.0.0.1:0', registry, health });
  const get = (path: string, method = 'GET') => fetch(`http://${server?.address}${path}`, { method });

  expect(await (await get('/metrics')).text()).toContain('waggle_flows_total 3');
  expect((await get('/healthz')).status).toBe(200);

  const unready = await get('/readyz');
  expect(unready.status).toBe(503);
  expect(await unready.json()).toEqual({
    ready: false,
    problems: [{ condition: 'datapath', problem: 'not there yet' }],
  });
  health.met('datapath');
  expect((await get('/readyz')).status).toBe(200);
  health.unmet('datapath', 'the program was unloaded');
  expect((await get('/readyz')).status).toBe(503);

  expect((await get('/secret')).status).toBe(404);
  expect((await get('/metrics', 'POST')).status).toBe(405);
});

test('a port in use is named', async () => {
  const registry = createRegistry({ processMetrics: false });
  server = await startMetricsServer({ address: '127.0.0.1:0', registry, health: new Health() });
  await expect(startMetricsServer({ address: server.address, registry, health: new Health() })).rejects.toMatchObject({
    code: 'EADDRINUSE',
    message: expect.stringContaining('WAGGLE_METRICS_LISTEN'),
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { FolderSource } from '#runtime/cluster/folder-source.ts';
import { KubernetesSource } from '#runtime/cluster/kubernetes-source.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { Health } from '#runtime/health.ts';
import { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { createLogger } from '#runtime/log.ts';
import { watchClusterState } from './cluster-state-health.ts';
import { type Backend, startBackend } from './start.ts';

test('a state that is missing is not ready; a broken object in it is only told', async () => {
  const root = mkdtempSync(join(tmpdir(), 'waggle-state-'));
  const folder = join(root, 'state');
  const source = new FolderSource(folder);
  await source.start();
  const health = new Health();
  const log = createLogger('spec');
  const warned: string[] = [];
  vi.spyOn(log, 'warn').mockImplementation(((fields: { problem: string }) => warned.push(fields.problem)) as never);
  const end = watchClusterState(source, folder, health, log);
  try {
    expect(health.problems()).toMatchObject([{ condition: 'cluster-state', problem: expect.stringContaining(folder) }]);

    mkdirSync(join(folder, 'Pod/shop'), { recursive: true });
    writeFileSync(join(folder, 'Pod/shop/bad.yaml'), '{');
    await vi.waitFor(() => expect(health.ready).toBe(true), { timeout: 30_000, interval: 50 });
    await vi.waitFor(() => expect(warned.some((line) => line.includes('bad.yaml'))).toBe(true), { timeout: 30_000 });
    // Each once, however often it is looked at.
    expect(new Set(warned).size).toBe(warned.length);
  } finally {
    end();
    await source.stop();
    rmSync(root, { recursive: true });
  }
});

describe('a backend whose API server gives no answer', () => {
  let api: Server;
  let answers: boolean | 'never';
  let backend: Backend;
  let folder: string;
  beforeEach(async () => {
    answers = false;
    folder = mkdtempSync(join(tmpdir(), 'waggle-kept-'));
    api = createServer((request, response) => {
      if (answers === 'never') return;
      if (!answers) response.writeHead(503).end();
      else if (request.url?.includes('watch=1')) response.writeHead(200).flushHeaders();
      else response.end('{"metadata": {"resourceVersion": "1"}, "items": []}');
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    backend = await start();
  });
  const start = () => {
    const server = new URL(`http://127.0.0.1:${(api.address() as AddressInfo).port}`);
    const access = { server, namespace: 'default', insecure: false, origin: 'spec', credentials: async () => ({}) };
    return startBackend({
      listen: '127.0.0.1:0',
      relayListen: '127.0.0.1:0',
      source: new KubernetesSource({
        client: new ApiClient(access),
        patienceMs: 100,
        keepIn: join(folder, 'state/kept.jsonl'),
        backoff: { firstMs: 20, mostMs: 50 },
      }),
      log: pino({ level: 'silent' }),
    });
  };
  afterEach(async () => {
    await backend.close();
    api.closeAllConnections();
    await new Promise((resolve) => api.close(resolve));
    rmSync(folder, { recursive: true });
  });

  const get = (path: string) => fetch(new URL(path, backend.url));
  const stale = async () => {
    const client = createClient(FlowService, backend.relayAddress);
    try {
      return (await client.status({})).stale;
    } finally {
      client.close();
    }
  };
  const staleSeconds = async () =>
    Number(/^waggle_cluster_state_stale_seconds (\S+)/m.exec(await (await get('/metrics')).text())?.[1]);
  const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 50 });

  test('serves, is not ready and says why, until there is one; then what is known goes stale', async () => {
    const before = await get('/readyz');
    expect(before.status).toBe(503);
    expect(await before.text()).toMatch(/Kubernetes API .*503/);
    const never = await stale();
    expect(never).toMatchObject([{ name: 'Kubernetes API (all kinds)', reason: expect.stringContaining('503') }]);
    expect(never[0]?.since).toBeUndefined();
    expect(await staleSeconds()).toBeGreaterThan(0);

    answers = true;
    await eventually(async () => expect((await get('/readyz')).status).toBe(200));
    await eventually(async () => expect(await stale()).toEqual([]));
    expect(await staleSeconds()).toBe(0);

    answers = false;
    api.closeAllConnections();
    const since = Date.now();
    await eventually(async () => expect(await stale()).toHaveLength(1));
    const [told] = await stale();
    expect(Math.abs(timestampMs(told!.since!) - since)).toBeLessThan(2_000);
    expect(told?.reason).toMatch(/gives no answer|503/);
    expect(await staleSeconds()).toBeGreaterThan(2);
    // The page goes on with what is known.
    expect((await get('/readyz')).status).toBe(200);
  });

  test('goes on after a restart with what it knew, which is as old as it is', async () => {
    answers = true;
    await eventually(async () => expect((await get('/readyz')).status).toBe(200));
    answers = false;
    api.closeAllConnections();
    await eventually(async () => expect(await stale()).toHaveLength(1));
    const [before] = await stale();
    await backend.close();

    backend = await start();
    expect((await get('/readyz')).status).toBe(200);
    const [after] = await stale();
    expect(after?.reason).toMatch(/gives no answer|503/);
    // Not from its own start: what is known is no younger for it.
    expect(Math.abs(timestampMs(after!.since!) - timestampMs(before!.since!))).toBeLessThan(1_000);
    expect(await staleSeconds()).toBeGreaterThan(3);
    await backend.close();

    // One that takes every connection and says nothing is as good as gone.
    answers = 'never';
    backend = await start();
    expect((await get('/readyz')).status).toBe(200);
    expect(await stale()).toMatchObject([{ reason: expect.stringContaining('not everything is read yet') }]);

    answers = true;
    api.closeAllConnections();
    await eventually(async () => expect(await stale()).toEqual([]));
    expect(await staleSeconds()).toBe(0);
  });
});

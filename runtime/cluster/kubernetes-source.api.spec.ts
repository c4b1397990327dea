import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ApiClient } from '../kubernetes/api-client.ts';
import { apiServerObstacle, TestApiServer } from '../testing/api-server.ts';
import { cpuShare } from '../testing/cpu-share.ts';
import { KubernetesSource, type KubernetesSourceOptions } from './kubernetes-source.ts';
import { KINDS } from './objects.ts';
import type { ClusterChange } from './source.ts';

const obstacle = apiServerObstacle();
if (obstacle !== undefined) console.warn(`SKIPPED: cluster state from a real API server: ${obstacle}`);

describe.skipIf(obstacle !== undefined)('cluster state from a real API server', { timeout: 120_000 }, () => {
  let server: TestApiServer;
  let admin: ApiClient;
  const folder = mkdtempSync(join(tmpdir(), 'waggle-kept-'));
  const sources: KubernetesSource[] = [];

  beforeAll(async () => {
    server = await TestApiServer.start({ directory: mkdtempSync(join(tmpdir(), 'waggle-api-')) });
    admin = await server.client();
    await namespace('shop');
  }, 120_000);
  afterAll(async () => {
    admin?.close();
    await server?.remove();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    await Promise.all(sources.splice(0).map((source) => source.stop()));
  });

  async function open(options: Partial<KubernetesSourceOptions> = {}): Promise<KubernetesSource> {
    const source = new KubernetesSource({ client: await server.client(), absentMs: 500, ...options });
    sources.push(source);
    await source.start();
    return source;
  }

  const namespace = (name: string) =>
    admin.request('POST', '/api/v1/namespaces', { body: { metadata: { name, labels: { team: 'bees' } } } });
  const pods = (space: string) => `/api/v1/namespaces/${space}/pods`;
  const pod = (name: string, labels: Record<string, string> = {}) => ({
    metadata: { name, labels, annotations: { 'example.com/note': 'x'.repeat(200) } },
    spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 80 }] }] },
  });
  const setStatus = (space: string, name: string, status: object) =>
    admin.request('PATCH', `${pods(space)}/${name}/status`, {
      contentType: 'application/merge-patch+json',
      body: { status },
    });
  const remove = (space: string, name: string) =>
    admin.request('DELETE', `${pods(space)}/${name}`, { query: { gracePeriodSeconds: 0 } });
  const eventually = (check: () => void, timeout = 20_000) => vi.waitFor(check, { timeout, interval: 5 });

  test('is what the server has, less what nobody reads', async () => {
    await admin.request('POST', pods('shop'), { body: pod('read', { app: 'web' }) });
    await setStatus('shop', 'read', { phase: 'Running', podIP: '10.1.0.5', podIPs: [{ ip: '10.1.0.5' }] });
    const source = await open();
    const read = source.get('Pod', 'shop', 'read');
    expect(read).toMatchObject({
      kind: 'Pod',
      metadata: { name: 'read', namespace: 'shop', labels: { app: 'web' }, annotations: {} },
      spec: { nodeName: 'node-1', serviceAccountName: 'default', containers: [{ ports: [{ name: 'http' }] }] },
      status: { phase: 'Running', podIPs: [{ ip: '10.1.0.5' }] },
    });
    expect(source.get('Namespace', '', 'shop')?.metadata.labels).toMatchObject({ team: 'bees' });
    expect(source.get('Service', 'default', 'kubernetes')?.spec.clusterIPs).toHaveLength(1);
    expect(source.problems()).toEqual([]);
    await remove('shop', 'read');
    await eventually(() => expect(source.get('Pod', 'shop', 'read')).toBeUndefined());
  });

  test('follows changes within a second, and tells none that changes nothing', async () => {
    const source = await open();
    const changes: ClusterChange[] = [];
    source.onChange((change) => changes.push(change));
    const delays: number[] = [];
    for (let round = 0; round < 10; round++) {
      const name = `quick-${round}`;
      const created = performance.now();
      await admin.request('POST', pods('shop'), { body: pod(name) });
      await eventually(() => expect(source.get('Pod', 'shop', name)).toBeDefined());
      delays.push(performance.now() - created);
    }
    const middle = delays.sort((a, b) => a - b)[5]!;
    console.info(`pod created → known: ${middle.toFixed(0)} ms in the median, ${delays[9]!.toFixed(0)} ms at most`);
    expect(middle * cpuShare()).toBeLessThan(1_000);
    changes.length = 0;
    // A condition is nothing we read.
    await setStatus('shop', 'quick-0', { conditions: [{ type: 'Initialized', status: 'True' }] });
    await setStatus('shop', 'quick-1', { phase: 'Running' });
    await eventually(() => expect(changes.map((change) => change.new?.metadata.name)).toEqual(['quick-1']));
    // Finished pods have given their addresses back: they are none any more.
    await setStatus('shop', 'quick-1', { phase: 'Succeeded' });
    await eventually(() => expect(source.get('Pod', 'shop', 'quick-1')).toBeUndefined());
    for (let round = 0; round < 10; round++) await remove('shop', `quick-${round}`);
    await eventually(() => expect(source.list('Pod')).toEqual([]));
  });

  test('has policies as they were written, and Cilium’s from when their kind is there', async () => {
    const source = await open();
    server.kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({
        apiVersion: 'networking.k8s.io/v1',
        kind: 'NetworkPolicy',
        metadata: { name: 'closed', namespace: 'shop' },
        spec: { podSelector: { matchLabels: { app: 'web' } }, policyTypes: ['Ingress'] },
      }),
    );
    await eventually(() => expect(source.get('NetworkPolicy', 'shop', 'closed')).toBeDefined());
    const { manifest } = source.get('NetworkPolicy', 'shop', 'closed')!;
    expect(manifest).toMatchObject({ kind: 'NetworkPolicy', spec: { podSelector: { matchLabels: { app: 'web' } } } });
    expect(JSON.stringify(manifest)).not.toMatch(/managedFields|last-applied/);
    // Who comes later reads it from a list, whose items do not say what they are.
    const later = await open();
    expect(later.get('NetworkPolicy', 'shop', 'closed')).toEqual(source.get('NetworkPolicy', 'shop', 'closed'));
    expect(later.get('NetworkPolicy', 'shop', 'closed')?.manifest).toMatchObject({
      apiVersion: 'networking.k8s.io/v1',
    });

    expect(source.list('CiliumNetworkPolicy')).toEqual([]);
    const definition = ciliumDefinition();
    server.kubectl(['apply', '-f', '-'], JSON.stringify(definition));
    server.kubectl(['wait', '--for=condition=Established', 'crd/ciliumnetworkpolicies.cilium.io', '--timeout=30s']);
    const policy = {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'c', namespace: 'shop' },
    };
    server.kubectl(['apply', '-f', '-'], JSON.stringify({ ...policy, spec: { endpointSelector: {} } }));
    await eventually(() => expect(source.get('CiliumNetworkPolicy', 'shop', 'c')).toBeDefined());
    server.kubectl(['delete', 'crd/ciliumnetworkpolicies.cilium.io']);
    await eventually(() => expect(source.list('CiliumNetworkPolicy')).toEqual([]), 30_000);
    expect(source.problems()).toEqual([]);
  });

  test('stays while the server is gone, over a restart too, says how old it is, and catches up when it is back', async () => {
    const keepIn = join(folder, 'kept.jsonl');
    await admin.request('POST', pods('shop'), { body: pod('before', { app: 'kept' }) });
    const source = await open();
    const first = await open({ keepIn });
    await first.stop();
    await server.kill();
    await eventually(() => expect(source.problems()).toHaveLength(1));
    expect(source.problems()[0]?.message).toMatch(/gives no answer: .*ECONNREFUSED.*old and stays in use/);
    expect(source.get('Pod', 'shop', 'before')).toBeDefined();

    const second = await open({ keepIn });
    expect(second.unread).toBe(false);
    for (const kind of KINDS) expect(second.list(kind)).toEqual(first.list(kind));
    const [problem] = second.problems();
    expect(problem).toMatchObject({ subject: 'Kubernetes API (all kinds)' });
    expect(problem?.message).toMatch(/gives no answer: .*ECONNREFUSED.*some seconds old and stays in use/);
    expect(Date.now() - problem!.stale!.sinceMs!).toBeLessThan(60_000);
    // What it keeps in turn is as old as what it was given.
    await second.stop();
    const third = await open({ keepIn });
    expect(third.problems()[0]?.stale?.sinceMs).toBeCloseTo(problem!.stale!.sinceMs!, -1);
    const changes: ClusterChange[] = [];
    third.onChange((change) => changes.push(change));
    const unkept = await open({ keepIn: join(folder, 'none.jsonl'), patienceMs: 100 });
    expect(unkept.unread).toBe(true);

    await server.restart();
    await remove('shop', 'before');
    await admin.request('POST', pods('shop'), { body: pod('after') });
    for (const each of [source, third, unkept]) {
      await eventually(() => expect(each.get('Pod', 'shop', 'after')).toBeDefined(), 30_000);
      await eventually(() => expect(each.get('Pod', 'shop', 'before')).toBeUndefined(), 30_000);
      await eventually(() => expect(each.problems()).toEqual([]), 30_000);
    }
    // What is as it was is told to nobody.
    const told = changes.map(({ kind, old, new: now }) => `${kind} ${(now ?? old)?.metadata.name}`);
    expect([...new Set(told)].sort()).toEqual(['Pod after', 'Pod before']);
    await remove('shop', 'after');
  });

  test('is read anew where history was compacted while it could not watch', async () => {
    await admin.request('POST', pods('shop'), { body: pod('goes') });
    const source = await open({ backoff: { firstMs: 3_000, mostMs: 3_000 } });
    await server.kill();
    await server.restart();
    await remove('shop', 'goes');
    await admin.request('POST', pods('shop'), { body: pod('comes') });
    await server.compact();
    await eventually(() => expect(source.get('Pod', 'shop', 'comes')).toBeDefined(), 30_000);
    await eventually(() => expect(source.get('Pod', 'shop', 'goes')).toBeUndefined());
    await remove('shop', 'comes');
  });

  test('of 5,000 pods is read in pages', { timeout: 300_000 }, async () => {
    await namespace('crowd');
    const total = 5_000;
    let next = 0;
    const one = async () => {
      for (let number = next++; number < total; number = next++) {
        const labels = { app: `app-${number % 200}`, 'pod-template-hash': `${number % 400}` };
        await admin.request('POST', pods('crowd'), { body: pod(`p-${number}`, labels) });
      }
    };
    await Promise.all(Array.from({ length: 16 }, one));
    const began = performance.now();
    const source = await open();
    console.info(`5,000 pods read in ${(performance.now() - began).toFixed(0)} ms`);
    expect(source.list('Pod')).toHaveLength(total);
    server.kubectl(['delete', 'namespace', 'crowd', '--wait=false']);
  });
});

function ciliumDefinition() {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'ciliumnetworkpolicies.cilium.io' },
    spec: {
      group: 'cilium.io',
      scope: 'Namespaced',
      names: { kind: 'CiliumNetworkPolicy', plural: 'ciliumnetworkpolicies', singular: 'ciliumnetworkpolicy' },
      versions: [
        {
          name: 'v2',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
}

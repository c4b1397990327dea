import { afterEach, expect, it } from 'vitest';
import type { Frontend } from '#core/service/service.ts';
import { ObjectStore } from '#runtime/cluster/object-store.ts';
import { readObject } from '#runtime/cluster/read-object.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { freePort } from '#runtime/testing/free-port.ts';
import { HealthChecks } from './health-checks.ts';
import { storyFrontend } from './service-story.ts';

let checks: HealthChecks | undefined;
afterEach(() => checks?.stop());

it('says how many backends a node has of its own, as long as the Service asks for it', async () => {
  const port = await freePort();
  const store = new ObjectStore();
  const service = (policy: string) =>
    store.set(
      readObject('Service', {
        kind: 'Service',
        metadata: { name: 'web', namespace: 'shop' },
        spec: { type: 'LoadBalancer', externalTrafficPolicy: policy, healthCheckNodePort: port, ports: [{ port: 80 }] },
      }),
    );
  service('Local');
  const made = storyFrontend('192.0.2.1 30080', ['10.0.0.1 80', '10.0.0.2 80', '10.0.0.3 80']);
  const on = (nodes: readonly string[]): Frontend => {
    const backends = made.backends.slice(0, nodes.length).map((each, index) => ({ ...each, node: nodes[index]! }));
    return { ...made, backends, external: { backends: backends.filter(({ node }) => node === 'here'), local: true } };
  };
  let frontend = on(['here', 'there', 'here']);
  const sync = {
    revision: 1,
    view: { node: 'here', zone: '', nodeAddresses: ['127.0.0.1'], ownAddresses: ['127.0.0.1'] },
    *placed() {
      yield { frontend, id: 1, backendIds: new Map<string, { id: number }>() };
    },
  };
  checks = new HealthChecks(store as unknown as ClusterSource, 'here', sync);
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`);
    const { localEndpoints } = (await answer.json()) as { localEndpoints: number };
    return [answer.status, localEndpoints, answer.headers.get('x-load-balancing-endpoint-weight')];
  };
  expect(await ask()).toEqual([200, 2, '2']);
  frontend = on(['there']);
  expect(await ask()).toEqual([503, 0, '0']);
  service('Cluster');
  sync.revision++;
  checks.settle();
  await expect(ask()).rejects.toThrow('fetch failed');
  expect(checks.problem).toBe('');
});

it('says what it cannot listen on, and tries again', async () => {
  const { createServer } = await import('node:net');
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address() as { port: number };
  const store = new ObjectStore();
  store.set(
    readObject('Service', {
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop' },
      spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: port, ports: [{ port: 80 }] },
    }),
  );
  const view = { node: 'here', zone: '', nodeAddresses: [], ownAddresses: ['127.0.0.1'] };
  checks = new HealthChecks(store as unknown as ClusterSource, 'here', { revision: 1, view, *placed() {} });
  const problem = async (wanted: RegExp) => {
    for (const deadline = Date.now() + 30_000; !wanted.test(checks!.problem) && Date.now() < deadline; ) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(checks!.problem).toMatch(wanted);
  };
  await problem(/^Service shop\/web: cannot listen on 127\.0\.0\.1 port \d+: .*EADDRINUSE/);
  await new Promise((resolve) => taken.close(resolve));
  checks.settle();
  await problem(/^$/);
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
});

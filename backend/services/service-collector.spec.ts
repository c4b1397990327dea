import { create } from '@bufbuild/protobuf';
import { afterEach, describe, expect, it } from 'vitest';
import {
  ListServicesResponseSchema,
  LoadBalancerService,
  TraceOutcome,
  TraceServiceResponseSchema,
} from '#proto/gen/waggle/v1/service_pb.ts';
import { ObjectStore } from '#runtime/cluster/object-store.ts';
import { readObject } from '#runtime/cluster/read-object.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { type GrpcServer, startGrpcServer } from '#runtime/grpc/server.ts';
import { Code, service } from '#runtime/grpc/service.ts';
import { Visibility } from '../access/visibility.ts';
import { ServiceCollector } from './service-collector.ts';

const servers: GrpcServer[] = [];
const collector = new ServiceCollector();
afterEach(async () => {
  collector.close();
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

/** What an agent says of addresses that have another port. */
const WITHOUT_PORT: Record<string, string> = {
  '10.96.0.1': '10.96.0.1 is Service shop/web’s, but it has no such port (10.96.0.1:1).',
  '10.96.0.2': '10.96.0.2 is Service vault/keys’s, but it has no such port (10.96.0.2:1).',
};

/** An agent that has one Service with these backends, and hears of each question for Services. */
async function agent(name: string, backends: Record<string, number>, onAsked = () => {}) {
  const handlers = service(LoadBalancerService, {
    listServices: async () => {
      onAsked();
      return create(ListServicesResponseSchema, {
        services: [
          {
            ...{ namespace: 'shop', name: 'web', type: 'ClusterIP', clusterIps: ['10.96.0.1'] },
            frontends: [
              {
                ...{ kind: 'cluster-ip', address: '10.96.0.1', port: 80, protocol: 'TCP' },
                backends: Object.entries(backends).map(([address, connections]) => ({
                  ...{ address, port: 8080, weight: 1, connections, opened: BigInt(connections * 10) },
                })),
              },
            ],
          },
        ],
        problems: ['the same everywhere'],
      });
    },
    traceService: async ({ address, port }) =>
      create(TraceServiceResponseSchema, {
        node: name,
        ...(port === 1
          ? { outcome: TraceOutcome.PASSED, steps: [WITHOUT_PORT[address] ?? `No Service has the address ${address}.`] }
          : { outcome: TraceOutcome.BALANCED, namespace: address === '10.96.0.2' ? 'vault' : 'shop' }),
      }),
  });
  const server = await startGrpcServer({ address: '127.0.0.1:0', services: [handlers] });
  servers.push(server);
  return { name, address: server.address };
}

const context = { signal: new AbortController().signal, peer: '' };

describe('the Services of all nodes', () => {
  it('are put together, each backend with the connections of every node', async () => {
    collector.follow([
      await agent('n1', { '10.0.0.1': 2 }),
      await agent('n2', { '10.0.0.1': 3, '10.0.0.2': 1 }),
      { name: 'n3', address: '127.0.0.1:1' },
    ]);
    const handlers = collector.handlers(undefined);
    const response = await handlers.listServices({ namespace: '', name: '' } as never, context);
    const [frontend] = response.services![0]!.frontends!;
    expect(frontend!.backends!.map(({ address, connections, opened }) => [address, connections, opened])).toEqual([
      ['10.0.0.1', 5, 50n],
      ['10.0.0.2', 1, 10n],
    ]);
    expect(response.problems).toEqual(['the same everywhere']);
    expect(response.silentNodes).toEqual([expect.stringMatching(/^n3: no connection: /)]);
    const none = await handlers.listServices({ namespace: 'other', name: '' } as never, context);
    expect(none.services).toEqual([]);
  });

  it('are asked for once, however many pages do, one by its name as well', async () => {
    let asked = 0;
    collector.follow([await agent('n1', {}, () => asked++)]);
    const handlers = collector.handlers(undefined);
    const ask = (name: string) =>
      Promise.all(
        Array.from({ length: 20 }, async () => handlers.listServices({ namespace: 'shop', name } as never, context)),
      );
    for (const answer of await ask('web')) expect(answer.services).toHaveLength(1);
    expect(asked).toBe(1);
    await ask('');
    expect(asked).toBe(2);
    // More of them than are held are asked for all the same.
    for (let number = 0; number < 100; number++)
      await handlers.listServices({ namespace: 'shop', name: `s${number}` } as never, context);
    expect(asked).toBe(102);
  });

  it('are traced where the client’s pod runs', async () => {
    collector.follow([await agent('n1', {}), await agent('n2', {})]);
    const store = new ObjectStore();
    store.set(
      readObject('Pod', { kind: 'Pod', metadata: { name: 'web-1', namespace: 'shop' }, spec: { nodeName: 'n2' } }),
    );
    const { traceService } = collector.handlers(store as unknown as ClusterSource);
    const ask = (more: object) =>
      traceService({ clientNamespace: '', clientPod: '', node: '', ...more } as never, context);
    expect(await ask({ clientNamespace: 'shop', clientPod: 'web-1' })).toMatchObject({ node: 'n2' });
    expect(await ask({})).toMatchObject({ node: 'n1' });
    await expect(ask({ clientNamespace: 'shop', clientPod: 'gone' })).rejects.toMatchObject({ code: Code.NOT_FOUND });
    await expect(ask({ node: 'n9' })).rejects.toMatchObject({ code: Code.NOT_FOUND });
  });

  it('are not named by their addresses to who may not see them', async () => {
    collector.follow([await agent('n1', {})]);
    const store = new ObjectStore();
    store.set(
      readObject('Pod', { kind: 'Pod', metadata: { name: 'web-1', namespace: 'shop' }, spec: { nodeName: 'n1' } }),
    );
    const visibility = new Visibility(['shop'], () => 'test');
    const { traceService } = collector.handlers(store as unknown as ClusterSource, visibility);
    const ask = async (address: string, port: number) =>
      await traceService({ clientNamespace: 'shop', clientPod: 'web-1', node: '', address, port } as never, context);
    expect((await ask('10.96.0.1', 1)).steps).toEqual([WITHOUT_PORT['10.96.0.1']]);
    expect(await ask('10.96.0.1', 80)).toMatchObject({ namespace: 'shop', outcome: TraceOutcome.BALANCED });
    // Nor is it told whether there is one: hidden with and without this port, or none at all.
    for (const [address, port] of [
      ['10.96.0.2', 80],
      ['10.96.0.2', 1],
      ['10.96.0.3', 1],
    ] as const) {
      await expect(ask(address, port)).rejects.toMatchObject({
        code: Code.PERMISSION_DENIED,
        message: `no Service that you may see has the address ${address}, port ${port}`,
      });
    }
  });
});

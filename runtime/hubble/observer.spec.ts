import { afterEach, describe, expect, test } from 'vitest';
import { Health as HealthDescriptor } from '#proto/gen/grpc/health/v1/health_pb.ts';
import { NodeState } from '#proto/gen/relay/relay_pb.ts';
import { createClient } from '../grpc/client.ts';
import { Code } from '../grpc/service.ts';
import { atEnd, endObserved, observe } from '../testing/observed-window.ts';
import type { FollowedNode } from './observed-flows.ts';

afterEach(endObserved);

const node = (name: string, state: NodeState, more: Partial<FollowedNode> = {}): FollowedNode => ({
  name,
  state,
  message: '',
  address: '10.0.0.1:4244',
  version: 'v',
  uptimeMs: 1_000,
  held: 10,
  capacity: 100,
  seen: 20,
  tls: { enabled: false, serverName: '' },
  ...more,
});

describe('a relay', () => {
  const nodes = () => [
    node('a', NodeState.NODE_CONNECTED),
    node('b', NodeState.NODE_CONNECTED, { uptimeMs: 9_000 }),
    ...Array.from({ length: 12 }, (_, n) => node(`gone-${String(n).padStart(2, '0')}`, NodeState.NODE_UNAVAILABLE)),
  ];

  test('begins a stream with how its nodes stand, and tells what changes', async () => {
    const list = nodes();
    const { client, wake } = await observe(2, { nodes: list });
    const iterator = client.getFlows({ follow: true })[Symbol.asyncIterator]();
    expect((await iterator.next()).value.responseTypes.value).toMatchObject({
      stateChange: NodeState.NODE_CONNECTED,
      nodeNames: ['a', 'b'],
    });
    const second = (await iterator.next()).value.responseTypes.value;
    expect(second.stateChange).toBe(NodeState.NODE_UNAVAILABLE);
    expect(second.nodeNames).toHaveLength(12);
    list.splice(1, 1, node('b', NodeState.NODE_UNAVAILABLE));
    list.splice(0, 1);
    const ticker = setInterval(wake, 10);
    atEnd(() => clearInterval(ticker));
    const changes = [(await iterator.next()).value, (await iterator.next()).value].map(
      (one) => one.responseTypes.value,
    );
    expect(changes).toMatchObject([
      { stateChange: NodeState.NODE_UNAVAILABLE, nodeNames: ['b'] },
      { stateChange: NodeState.NODE_GONE, nodeNames: ['a'] },
    ]);
    await iterator.return?.();
  });

  test('sums its nodes and names ten of those that are missing', async () => {
    const { client } = await observe(2, { nodes: nodes() });
    const status = await client.serverStatus({});
    expect(status).toMatchObject({
      numFlows: 20n,
      maxFlows: 200n,
      seenFlows: 40n,
      uptimeNs: 9_000_000_000n,
      numConnectedNodes: 2,
      numUnavailableNodes: 12,
      flowsRate: 12.5,
      version: 'waggle test',
    });
    expect(status.unavailableNodes).toHaveLength(10);
    expect((await client.getNodes({})).nodes).toHaveLength(14);
    await expect(Array.fromAsync(client.getAgentEvents({}))).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
  });
});

describe('an agent', () => {
  test('tells of itself', async () => {
    const { client } = await observe(20);
    const status = await client.serverStatus({});
    expect(status).toMatchObject({ numFlows: 20n, maxFlows: 20n, seenFlows: 20n, unavailableNodes: [] });
    expect(status.numConnectedNodes).toBeUndefined();
    expect(status.uptimeNs).toBeGreaterThanOrEqual(5_000_000_000n);
    await expect(client.getNodes({})).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
    await expect(Array.fromAsync(client.getDebugEvents({}))).rejects.toMatchObject({ code: Code.UNIMPLEMENTED });
  });

  test('names the namespaces of its flows, also those that were overwritten', async () => {
    const { client } = await observe(400);
    const { namespaces } = await client.getNamespaces({});
    expect(namespaces.map(({ cluster, namespace }) => `${cluster}/${namespace}`)).toEqual([
      'default/default',
      'default/kube-system',
      'default/shop',
      'west/shop',
    ]);
  });

  test('answers the standard health service', async () => {
    const { address, health } = await observe(1);
    const client = createClient(HealthDescriptor, address);
    atEnd(() => client.close());
    expect((await client.check({ service: 'hubble.server.Observer' })).status).toBe(2);
    health.met('pods');
    for (const service of ['', 'observer.Observer', 'hubble.server.Observer']) {
      expect((await client.check({ service })).status).toBe(1);
    }
    await expect(client.check({ service: 'x' })).rejects.toMatchObject({ code: Code.NOT_FOUND });
    const watch = client.watch({ service: '' })[Symbol.asyncIterator]();
    expect((await watch.next()).value.status).toBe(1);
    health.unmet('pods', 'gone');
    expect((await watch.next()).value.status).toBe(2);
    await watch.return?.();
    const unknown = client.watch({ service: 'x' })[Symbol.asyncIterator]();
    expect((await unknown.next()).value.status).toBe(3);
    await unknown.return?.();
  });
});

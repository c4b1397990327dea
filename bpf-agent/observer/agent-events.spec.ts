import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import type { Policy } from '#core/policy/policy.ts';
import type { Frontend } from '#core/service/service.ts';
import { AgentEventType } from '#proto/gen/flow/flow_pb.ts';
import { GetAgentEventsRequestSchema } from '#proto/gen/observer/observer_pb.ts';
import type { Node } from '#runtime/cluster/objects.ts';
import { nodeAddresses } from './address-events.ts';
import { AgentEvents } from './agent-events.ts';

const context = { signal: new AbortController().signal, peer: 'test' };
const web = { id: 3, namespace: 'shop', pod: 'web-1', labels: ['k8s:app=web'] };

function events() {
  const log = new AgentEvents('kind/worker');
  log.started();
  log.endpoints(new Map([['uid-1', web]]));
  log.endpoints(new Map([['uid-1', web]]));
  log.endpoints(new Map([['uid-1', { ...web, id: 4 }]]));
  log.endpoints(new Map());
  return log;
}

const read = async (log: AgentEvents, request: MessageInitShape<typeof GetAgentEventsRequestSchema>) =>
  (await Array.fromAsync(log.read(create(GetAgentEventsRequestSchema, request), context))).map(
    ({ agentEvent }) => agentEvent?.type,
  );

const { AGENT_STARTED, ENDPOINT_CREATED, ENDPOINT_DELETED } = AgentEventType;

test('says what came and went, once', async () => {
  const log = events();
  const all = [AGENT_STARTED, ENDPOINT_CREATED, ENDPOINT_DELETED, ENDPOINT_CREATED, ENDPOINT_DELETED];
  expect(await read(log, {})).toEqual(all);
  expect(await read(log, { number: 2n })).toEqual(all.slice(-2));
  expect(await read(log, { number: 2n, first: true })).toEqual(all.slice(0, 2));
  const [, created] = await Array.fromAsync(log.read(create(GetAgentEventsRequestSchema, {}), context));
  expect(created).toMatchObject({
    nodeName: 'kind/worker',
    agentEvent: { notification: { value: { id: 3n, podName: 'web-1', namespace: 'shop', labels: ['k8s:app=web'] } } },
  });
});

test('goes on with what happens', async () => {
  const log = events();
  const ended = new AbortController();
  const request = create(GetAgentEventsRequestSchema, { follow: true });
  const stream = log.read(request, { ...context, signal: ended.signal });
  const next = stream.next();
  log.endpoints(new Map([['uid-2', web]]));
  expect((await next).value.agentEvent.type).toBe(ENDPOINT_CREATED);
  const last = stream.next();
  ended.abort();
  expect((await last).done).toBe(true);
});

test('keeps the newest thousands, for a slow reader too', async () => {
  const log = events();
  const slow = log.read(create(GetAgentEventsRequestSchema, {}), context);
  await slow.next();
  for (let id = 1; id <= 6_000; id++) log.endpoints(new Map([['uid', { ...web, id }]]));
  expect(await read(log, {})).toHaveLength(4_096);
  expect((await slow.next()).value.agentEvent.notification.value.id).toBeGreaterThan(3_900n);
});

test('keeps the newest of a great many that come at once', async () => {
  const log = events();
  const slow = log.read(create(GetAgentEventsRequestSchema, {}), context);
  await slow.next();
  const pod = { namespace: 'shop', pod: 'web', node: 'n1' };
  log.addresses(
    new Map(Array.from({ length: 10_000 }, (_, index) => [`fd00::${index}`, { ...pod, identity: index }])),
    () => '',
  );
  log.addresses(new Map(), () => '');
  log.endpoints(new Map([['uid', web]]));
  expect(await read(log, { number: 2n })).toEqual([AgentEventType.IPCACHE_DELETED, ENDPOINT_CREATED]);
  expect(await read(log, {})).toHaveLength(4_096);
  expect((await slow.next()).value.agentEvent.type).toBe(AgentEventType.IPCACHE_DELETED);
});

/** What an action is told as. */
async function told(log: AgentEvents, act: () => void): Promise<object[]> {
  const before = (await read(log, {})).length;
  act();
  const all = await Array.fromAsync(log.read(create(GetAgentEventsRequestSchema, {}), context));
  return all.slice(before).map(({ agentEvent }) => {
    const { type, notification } = agentEvent!;
    const [event] = Object.entries(AgentEventType).find(([, number]) => number === type)!;
    return { event, ...notification.value };
  });
}

test('says whose rules were written anew, and whose could not be', async () => {
  const log = new AgentEvents('kind/worker');
  const [first, second] = [{}, {}];
  const under = (more: object) => () => log.endpoints(new Map([['uid', { ...web, ...more }]]));
  under({ rules: first, problem: '' })();
  expect(await told(log, under({ rules: first, problem: '' }))).toEqual([]);
  expect(await told(log, under({ rules: second, problem: '' }))).toMatchObject([
    { event: 'ENDPOINT_REGENERATE_SUCCESS', id: 3n, labels: ['k8s:app=web'], error: '' },
  ]);
  expect(await told(log, under({ problem: 'the map is full' }))).toMatchObject([
    { event: 'ENDPOINT_REGENERATE_FAILURE', id: 3n, error: 'the map is full' },
  ]);
});

test('says which policies came, changed and went', async () => {
  const log = new AgentEvents('kind/worker');
  const policy = (name: string, namespace = 'shop') =>
    ({
      reference: { kind: namespace === '' ? 'CiliumClusterwideNetworkPolicy' : 'NetworkPolicy', namespace, name },
      sections: [{}],
    }) as unknown as Policy;
  const [a, b] = [policy('a'), policy('b', '')];
  const labels = (kind: string, name: string, ...more: string[]) => [
    `k8s:io.cilium.k8s.policy.derived-from=${kind}`,
    `k8s:io.cilium.k8s.policy.name=${name}`,
    ...more,
  ];
  const inShop = 'k8s:io.cilium.k8s.policy.namespace=shop';
  expect(await told(log, () => log.policies([a, b]))).toMatchObject([
    { event: 'POLICY_UPDATED', labels: labels('NetworkPolicy', 'a', inShop), revision: 2n, ruleCount: 1n },
    { event: 'POLICY_UPDATED', labels: labels('CiliumClusterwideNetworkPolicy', 'b'), revision: 3n },
  ]);
  expect(await told(log, () => log.policies([b, a]))).toEqual([]);
  expect(await told(log, () => log.policies([policy('a')]))).toMatchObject([
    { event: 'POLICY_UPDATED', revision: 4n },
    { event: 'POLICY_DELETED', labels: labels('CiliumClusterwideNetworkPolicy', 'b'), revision: 5n },
  ]);
});

test('says which addresses got or lost an identity, and on which node they are', async () => {
  const log = new AgentEvents('kind/worker');
  const pod = { identity: 300, namespace: 'shop', pod: 'web-1', node: 'n1' };
  const hosts = nodeAddresses([
    {
      kind: 'Node',
      metadata: { name: 'n1' },
      status: {
        addresses: [
          { type: 'ExternalIP', address: '1.1.1.1' },
          { type: 'InternalIP', address: '10.0.0.1' },
          { type: 'InternalIP', address: 'fd00::1' },
        ],
      },
    } as unknown as Node,
  ]);
  const tell = (owners: Record<string, typeof pod>) => () => log.addresses(new Map(Object.entries(owners)), hosts);
  expect(
    await told(log, tell({ '10.244.0.5': pod, 'fd10::5': pod, '10.0.0.9': { ...pod, node: 'n2' } })),
  ).toMatchObject([
    { event: 'IPCACHE_UPSERTED', cidr: '10.244.0.5/32', identity: 300, hostIp: '10.0.0.1', namespace: 'shop' },
    { event: 'IPCACHE_UPSERTED', cidr: 'fd10::5/128', hostIp: 'fd00::1', podName: 'web-1' },
    { event: 'IPCACHE_UPSERTED', cidr: '10.0.0.9/32', hostIp: '' },
  ]);
  expect(await told(log, tell({ '10.244.0.5': { ...pod, identity: 301 }, 'fd10::5': { ...pod } }))).toMatchObject([
    { event: 'IPCACHE_UPSERTED', cidr: '10.244.0.5/32', identity: 301, oldIdentity: 300, oldHostIp: '10.0.0.1' },
    { event: 'IPCACHE_DELETED', cidr: '10.0.0.9/32', identity: 300 },
  ]);
});

test('says which frontends of Services were written and which went', async () => {
  const log = new AgentEvents('kind/worker');
  const placed = (backends: string[]) => ({
    id: 7,
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Local',
    frontend: {
      ...{ namespace: 'shop', service: 'web', portName: 'http', kind: 'node-port', address: '10.0.0.1', port: 30_080 },
      ...{ protocol: 6, affinitySeconds: 0, algorithm: 'random' },
      backends: backends.map((address) => ({
        address,
        port: 8_080,
        node: 'n1',
        pod: '',
        weight: 1,
        terminating: false,
      })),
    } as Frontend,
  });
  expect(await told(log, () => log.services([placed(['10.244.0.5'])]))).toMatchObject([
    {
      event: 'SERVICE_UPSERTED',
      id: 7,
      frontendAddress: { ip: '10.0.0.1', port: 30_080 },
      backendAddresses: [{ ip: '10.244.0.5', port: 8_080 }],
      ...{ name: 'web', namespace: 'shop', extTrafficPolicy: 'Local', intTrafficPolicy: 'Cluster' },
    },
  ]);
  expect(await told(log, () => log.services([placed(['10.244.0.5'])]))).toEqual([]);
  expect(await told(log, () => log.services([placed([])]))).toMatchObject([{ event: 'SERVICE_UPSERTED' }]);
  expect(await told(log, () => log.services([]))).toMatchObject([{ event: 'SERVICE_DELETED', id: 7 }]);
});

test('refuses first with follow', async () => {
  await expect(read(events(), { first: true, follow: true })).rejects.toThrow('first cannot be specified with follow');
});

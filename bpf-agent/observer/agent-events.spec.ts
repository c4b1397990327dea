import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { AgentEventType } from '#proto/gen/flow/flow_pb.ts';
import { GetAgentEventsRequestSchema } from '#proto/gen/observer/observer_pb.ts';
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

test('keeps the newest thousand', async () => {
  const log = events();
  for (let id = 1; id <= 3_000; id++) log.endpoints(new Map([['uid', { ...web, id }]]));
  expect(await read(log, {})).toHaveLength(1_024);
});

test('refuses first with follow', async () => {
  await expect(read(events(), { first: true, follow: true })).rejects.toThrow('first cannot be specified with follow');
});

import { Writable } from 'node:stream';
import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FlowSchema, L7FlowType } from '#proto/gen/flow/flow_pb.ts';
import { GetFlowsResponseSchema, Observer, ServerStatusResponseSchema } from '#proto/gen/observer/observer_pb.ts';
import { FlowBatchSchema, FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { ViewService, ViewUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { type GrpcServer, startGrpcServer } from '#runtime/grpc/server.ts';
import { Code, StatusError, service } from '#runtime/grpc/service.ts';
import { type Backend, startBackend } from '../start.ts';

// Somebody else's Hubble tells of HTTP with everything in it. Nothing that a backend in front of it puts out may hold that.

const SECRET = 's3cr3t';
const URL_OF_SECRETS = `http://ann:${SECRET}1@shop/login;jsessionid=${SECRET}2?token=${SECRET}3#${SECRET}4`;

const flow = (number: number) =>
  create(FlowSchema, {
    time: timestampFromMs(Date.now() - 1_000 + number),
    uuid: `flow-${number}`,
    verdict: 1,
    nodeName: 'kind/worker',
    Type: 2,
    IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 1 },
    l4: { protocol: { case: 'TCP', value: { sourcePort: 41_000, destinationPort: 80 } } },
    source: { namespace: 'shop', podName: 'web-1', identity: 1_000, labels: ['k8s:app=web'] },
    destination: { namespace: 'shop', podName: 'cart-1', identity: 1_001, labels: ['k8s:app=cart'] },
    eventType: { type: 129 },
    trafficDirection: 1,
    isReply: false,
    l7: {
      type: L7FlowType.REQUEST,
      record: {
        case: 'http',
        value: {
          method: 'GET',
          protocol: 'HTTP/1.1',
          url: URL_OF_SECRETS,
          headers: [
            { key: 'authorization', value: `Bearer ${SECRET}5` },
            { key: 'cookie', value: `session=${SECRET}6` },
            { key: 'referer', value: URL_OF_SECRETS },
            { key: 'X-Api-Key', value: SECRET },
            { key: 'Proxy-Authorization', value: `Basic ${SECRET}` },
            { key: 'Set-Cookie', value: `id=${SECRET}; Path=/` },
            { key: 'Ocp-Apim-Subscription-Key', value: SECRET },
            { key: 'X_CSRF', value: SECRET },
            { key: ':path', value: `/login?token=${SECRET}` },
            { key: 'Link', value: `<${URL_OF_SECRETS}>; rel="next"` },
          ],
        },
      },
    },
    Summary: `HTTP/1.1 GET ${URL_OF_SECRETS}`,
    policyLog: [SECRET],
  });

let hubble: GrpcServer;
let backend: Backend;
const log: string[] = [];

beforeAll(async () => {
  hubble = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [
      service(Observer, {
        async *getFlows(_request, { signal }) {
          for (let number = 0; number < 10; number++) {
            const value = flow(number);
            const { nodeName, time } = value;
            yield create(GetFlowsResponseSchema, { nodeName, time, responseTypes: { case: 'flow', value } });
          }
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
        serverStatus: async () => create(ServerStatusResponseSchema, { version: 'somebody else' }),
        getNodes: async () => refuse(),
        getNamespaces: async () => refuse(),
        getAgentEvents: () => refuse(),
        getDebugEvents: () => refuse(),
      }),
    ],
    log: pino({ level: 'silent' }),
  });
  const stream = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  backend = await startBackend({
    listen: '127.0.0.1:0',
    relayListen: '127.0.0.1:0',
    hubble: [{ address: hubble.address }],
    log: pino({ level: 'trace' }, stream),
  });
  await vi.waitFor(() => expect(backend.relay.window.end).toBe(10), { timeout: 30_000 });
});

afterAll(async () => {
  await backend?.close();
  await hubble?.stop();
});

function refuse(): never {
  throw new StatusError(Code.UNIMPLEMENTED, 'not of interest here');
}

/** The first message that `wanted` says yes to; everything up to it is searched. */
async function search<T>(
  messages: AsyncIterable<T>,
  bytes: (message: T) => Uint8Array,
  wanted: (message: T) => boolean,
) {
  for await (const message of messages) {
    expect(Buffer.from(bytes(message)).toString('latin1')).not.toContain(SECRET);
    if (wanted(message)) return;
  }
  expect.unreachable('the stream ended before what was to be searched');
}

test('the flows are secret enough to be found', () => {
  expect(
    Buffer.from(toBinary(FlowSchema, flow(0)))
      .toString('latin1')
      .split(SECRET),
  ).toHaveLength(26);
});

test('no secret is in Hubble’s API', async () => {
  const client = createClient(Observer, backend.relayAddress);
  let flows = 0;
  await search(
    client.getFlows({ number: 100n, follow: true }),
    (response) => toBinary(GetFlowsResponseSchema, response),
    ({ responseTypes }) => {
      if (responseTypes.case !== 'flow') return false;
      // What is no secret is told.
      const http = responseTypes.value.l7?.record;
      expect(http?.case === 'http' && http.value.url).toContain('@shop/login;jsessionid=');
      return ++flows === 10;
    },
  );
  client.close();
});

test('no secret is in our own stream, nor in what the page gets', async () => {
  let told = 0;
  const flows = createClient(FlowService, backend.relayAddress);
  await search(
    flows.follow({ last: 100, follow: true }),
    (batch) => toBinary(FlowBatchSchema, batch),
    ({ rows }) => {
      told += rows;
      return told === 10;
    },
  );
  flows.close();
  const views = createClient(ViewService, backend.relayAddress);
  let [cards, rows] = [false, 0];
  await search(
    views.watch({ map: true, flows: true, last: 100 }),
    (update) => toBinary(ViewUpdateSchema, update),
    ({ map, flows }) => {
      cards ||= (map?.cards.length ?? 0) > 0;
      rows += flows?.rows ?? 0;
      return cards && rows >= 10;
    },
  );
  views.close();
});

test('no secret is in metrics or logs', async () => {
  const metrics = await (await fetch(`${backend.url}/metrics`)).text();
  expect(metrics).toContain('waggle_edge_');
  expect(metrics).not.toContain(SECRET);
  expect(log.join('')).not.toContain(SECRET);
});

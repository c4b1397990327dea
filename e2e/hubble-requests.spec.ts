import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Flow, L7FlowType } from '#proto/gen/flow/flow_pb.ts';
import { Observer } from '#proto/gen/observer/observer_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { FakeHubble, type Layer7Init, requestFlow } from '#runtime/testing/fake-hubble.ts';
import { Backend } from './backend.ts';
import { eventually } from './eventually.ts';
import { HUBBLE_RELAY, HubbleRelay } from './hubble-relay.ts';

// Cilium's own relay between a server that tells requests and our backend: what it passes on, we understand.

const ENDS = {
  client: { namespace: 'shop', name: 'web', address: '10.0.0.1' },
  server: { namespace: 'shop', name: 'cart', address: '10.0.0.2' },
  port: 80,
};
const http = (type: L7FlowType, code: number, latencyNs = 0n): Layer7Init => ({
  type,
  latencyNs,
  record: { case: 'http', value: { code, method: 'GET', url: 'http://cart/pay', protocol: 'HTTP/1.1' } },
});
const dns: Layer7Init = {
  type: L7FlowType.RESPONSE,
  latencyNs: 500_000n,
  record: { case: 'dns', value: { query: 'cart.shop.', qtypes: ['A'], ips: ['10.0.0.2'], ttl: 30, rcode: 0 } },
};

describe.skipIf(HUBBLE_RELAY === undefined)('requests through Cilium’s relay', () => {
  const hubble = new FakeHubble();
  let relay: HubbleRelay;
  let backend: Backend;

  beforeAll(async () => {
    await hubble.start();
    hubble.keepTelling(
      500,
      requestFlow(ENDS, http(L7FlowType.REQUEST, 0)),
      requestFlow(ENDS, http(L7FlowType.RESPONSE, 503, 12_345_678n)),
      requestFlow({ ...ENDS, port: 53, direction: 2, udp: true }, dns),
    );
    relay = await HubbleRelay.start(hubble.address);
    backend = await Backend.startWith(['--hubble', relay.address]);
  }, 60_000);

  afterAll(async () => {
    await backend?.stop();
    await relay?.stop();
    await hubble.stop();
  });

  test('are told as they were', async () => {
    await eventually('requests have come', 50_000, async () => (await backend.status()).layer7FlowsSeen >= 3n).catch(
      (error: Error) => {
        throw new Error(`${error.message}; the relay says: ${relay.said}`);
      },
    );
    const client = createClient(Observer, backend.grpc);
    const flows: Flow[] = [];
    for await (const { responseTypes } of client.getFlows({ number: 50n })) {
      if (responseTypes.case === 'flow') flows.push(responseTypes.value);
    }
    client.close();
    expect(new Set(flows.map(({ Summary }) => Summary))).toEqual(
      new Set([
        'HTTP/1.1 GET http://cart/pay',
        'HTTP/1.1 503 12ms (GET http://cart/pay)',
        'DNS Answer "10.0.0.2" TTL: 30 (Query cart.shop. A)',
      ]),
    );
    expect(flows.every(({ nodeName }) => nodeName === 'kind/worker')).toBe(true);
  });
});

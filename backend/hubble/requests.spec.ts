import { toJson } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileFilter } from '#core/filter/compile-filter.ts';
import { parseFilter } from '#core/filter/parse-filter.ts';
import { dropAdvice } from '#core/flow/drop-advice.ts';
import { dropReasonText } from '#core/flow/drop-reason.ts';
import { hubbleFlowJson } from '#core/hubble/flow-json.ts';
import { type Flow, FlowSchema, type L7FlowType } from '#proto/gen/flow/flow_pb.ts';
import { Observer } from '#proto/gen/observer/observer_pb.ts';
import { FlowService } from '#proto/gen/waggle/v1/flow_pb.ts';
import { type EdgeStats, type MapUpdate, ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { type Layer7Init, requestFlow } from '#runtime/testing/fake-hubble.ts';
import type { Backend } from '../start.ts';
import { BehindHubble } from '../testing/behind-hubble.ts';

// A Hubble with proxies tells of requests: a backend in front of it tells all of it, but credentials.

const WEB = { namespace: 'shop', name: 'web', address: '10.0.0.1' };
const CART = { namespace: 'shop', name: 'cart', address: '10.0.0.2' };
const DNS = { namespace: 'kube-system', name: 'coredns', address: '10.0.0.53' };
const QUEUE = { namespace: 'data', name: 'kafka', address: '10.0.0.9' };
const HTTP = { client: WEB, server: CART, port: 80 };
const LOOKUP = { client: WEB, server: DNS, port: 53, direction: 2, udp: true } as const;

const http = (type: L7FlowType, code: number, url: string, latencyNs = 0n): Layer7Init => ({
  type,
  latencyNs,
  record: {
    case: 'http',
    value: {
      code,
      method: 'GET',
      url,
      protocol: 'HTTP/1.1',
      headers: [
        { key: 'X-Request-Id', value: `id-${url}-${latencyNs}` },
        { key: 'Authorization', value: 'Bearer s3cr3t' },
      ],
    },
  },
});
const dns = (type: L7FlowType, more: object): Layer7Init => ({
  type,
  latencyNs: type === 2 ? 800_000n : 0n,
  record: {
    case: 'dns',
    value: { query: 'cart.shop.svc.cluster.local.', qtypes: ['A'], observationSource: 'proxy', ...more },
  },
});

const ITEMS = 'http://cart/items?token=s3cr3t';
const TOLD = [
  requestFlow(HTTP, http(1, 0, ITEMS)),
  requestFlow(HTTP, http(2, 200, ITEMS, 12_345_678n)),
  requestFlow(HTTP, http(1, 0, 'http://cart/pay'), { traceContext: { parent: { traceId: 'f00' } } }),
  requestFlow(HTTP, http(2, 503, 'http://cart/pay', 1_500_000_000n)),
  requestFlow(LOOKUP, dns(1, {})),
  requestFlow(LOOKUP, dns(2, { ips: ['10.0.0.2'], ttl: 30, rrtypes: ['A'] })),
  requestFlow(
    { client: CART, server: QUEUE, port: 9092 },
    {
      type: 1,
      record: { case: 'kafka', value: { apiVersion: 2, apiKey: 'produce', correlationId: 7, topic: 'orders' } },
    },
  ),
  // Denied by a rule for layer 7.
  requestFlow(HTTP, http(1, 0, 'http://cart/admin'), { verdict: 2 }),
];

const behind = new BehindHubble();
let backend: Backend;

beforeAll(async () => {
  await behind.start(...TOLD);
  backend = behind.backend;
});
afterAll(() => behind.stop());

async function observed(): Promise<Flow[]> {
  const client = createClient(Observer, backend.relayAddress);
  try {
    const flows: Flow[] = [];
    for await (const { responseTypes } of client.getFlows({ number: 100n })) {
      if (responseTypes.case === 'flow') flows.push(responseTypes.value);
    }
    return flows;
  } finally {
    client.close();
  }
}

describe('requests that another Hubble tells of', () => {
  it('are told on by Hubble’s API, without credentials', async () => {
    const flows = await observed();
    expect(flows.map(({ Summary }) => Summary)).toEqual([
      'HTTP/1.1 GET http://cart/items?token=HUBBLE_REDACTED',
      'HTTP/1.1 200 12ms (GET http://cart/items?token=HUBBLE_REDACTED)',
      'HTTP/1.1 GET http://cart/pay',
      'HTTP/1.1 503 1500ms (GET http://cart/pay)',
      'DNS Query cart.shop.svc.cluster.local. A',
      'DNS Answer "10.0.0.2" TTL: 30 (Proxy cart.shop.svc.cluster.local. A)',
      "Kafka request produce correlation id 7 topic 'orders'",
      'HTTP/1.1 GET http://cart/admin',
    ]);
    expect(flows[1]).toMatchObject({
      Type: 2,
      eventType: { type: 129 },
      isReply: true,
      source: { podName: 'cart-1' },
      l7: {
        type: 2,
        latencyNs: 12_345_678n,
        record: {
          case: 'http',
          value: {
            code: 200,
            headers: [{ key: 'X-Request-Id' }, { key: 'Authorization', value: 'HUBBLE_REDACTED' }],
          },
        },
      },
    });
    expect(flows[2].traceContext?.parent?.traceId).toBe('f00');
    const { window } = backend.relay;
    for (const [row, flow] of flows.entries()) {
      expect(toJson(FlowSchema, flow, { useProtoFieldName: true })).toEqual(
        hubbleFlowJson(window.columns, row, window),
      );
    }
  });

  it.each([
    [{ httpStatusCode: ['5+'] }, [3]],
    [{ httpMethod: ['get'], httpPath: ['/items'] }, [0, 1]],
    [{ dnsQuery: ['^cart\\.shop'] }, [4, 5]],
    [{ protocol: ['kafka'] }, [6]],
    [{ eventType: [{ type: 129 }] }, [0, 1, 2, 3, 4, 5, 6, 7]],
    [{ eventType: [{ type: 1 }] }, []],
    [{ traceId: ['f00'] }, [2]],
    [{ httpHeader: [{ key: 'X-Request-Id', value: `id-${'http://cart/pay'}-0` }] }, [2]],
  ])('are asked for by Hubble’s filter %j', async (filter, expected) => {
    const all = (await observed()).map(({ uuid }) => uuid);
    const client = createClient(Observer, backend.relayAddress);
    const found: string[] = [];
    for await (const { responseTypes } of client.getFlows({ number: 100n, whitelist: [filter] })) {
      if (responseTypes.case === 'flow') found.push(responseTypes.value.uuid);
    }
    client.close();
    expect(found.map((uuid) => all.indexOf(uuid))).toEqual(expected);
  });

  it.each([
    ['http.status=5xx', [3]],
    ['http.status=200', [1]],
    ['!http.status=2xx', [0, 2, 3, 4, 5, 6, 7]],
    ['http.method=GET', [0, 1, 2, 3, 7]],
    ['http.path=/pa*', [2, 3]],
    ['dns=cart.shop.*', [4, 5]],
    ['from:dns=cart.shop.*', []],
    ['reason=http-denied-by-proxy', [7]],
  ])('are asked for by our filter %s', (token, expected) => {
    const { window } = backend.relay;
    const passes = compileFilter(parseFilter([token]).filter, window);
    expect(TOLD.map((_, row) => row).filter((row) => passes(window.columns, row))).toEqual(expected);
  });

  it.each([
    ['http.status', ['200', '503']],
    ['http.path', ['/items', '/pay', '/admin']],
    ['http.method', ['GET']],
    ['dns', ['cart.shop.svc.cluster.local']],
  ])('are what %s is completed with', async (field, expected) => {
    const client = createClient(ViewService, backend.relayAddress);
    const { values } = await client.listValues({ field });
    client.close();
    expect([...values].sort()).toEqual([...expected].sort());
  });

  it('say that a proxy denied them, in words; to Hubble’s clients as it was told', async () => {
    const { window } = backend.relay;
    expect(dropReasonText(window.columns.dropReason[7])).toBe('HTTP denied by proxy');
    expect(dropAdvice(window.columns.dropReason[7]).what).toContain('no HTTP rule');
    const [denied] = (await observed()).slice(7);
    expect(denied).toMatchObject({
      verdict: 2,
      dropReasonDesc: 0,
      dropReason: 0,
      eventType: { type: 129, subType: 0 },
    });
  });

  it('count on the map as requests, with their failures and latency', async () => {
    const client = createClient(ViewService, backend.relayAddress);
    const ended = new AbortController();
    const edges = new Map<number, EdgeStats>();
    const ports = new Map<number, number>();
    const take = (map: MapUpdate | undefined) => {
      for (const { id, port, stats } of map?.edges ?? []) {
        edges.set(port, stats!);
        ports.set(id, port);
      }
      for (const stats of map?.stats ?? []) edges.set(ports.get(stats.edge)!, stats);
    };
    behind.hubble.tell(...TOLD);
    for await (const { map } of client.watch({ map: true }, { signal: ended.signal })) {
      take(map);
      if ((edges.get(80)?.answers ?? 0) >= 2 && (edges.get(53)?.answers ?? 0) >= 1) break;
    }
    ended.abort();
    client.close();
    const shop = edges.get(80)!;
    expect(shop.failures / shop.answers).toBe(0.5);
    expect(shop.requestsPerSecond).toBeGreaterThan(0);
    expect(shop.dropped).toBeGreaterThan(0);
    expect(shop).toMatchObject({ bytes: 0n, packets: 0n, rttMicros: 0, retransmits: 0, connections: 0n });
    // Within a quarter of a doubling.
    expect(shop.latencyP99Micros).toBeGreaterThan(1_300_000);
    expect(shop.latencyP99Micros).toBeLessThan(1_700_000);
    expect(shop.latencyP50Micros).toBeGreaterThan(10_000);
    expect(shop.latencyP50Micros).toBeLessThan(15_000);
    expect(edges.get(53)).toMatchObject({ failures: 0 });
  });

  it('are counted by Hubble’s metrics', async () => {
    const text = await (await fetch(new URL('/metrics', backend.url))).text();
    const http = (status: number) =>
      new RegExp(
        `hubble_http_requests_total{method="GET",protocol="HTTP/1.1",status="${status}",reporter="server"} \\d`,
      );
    expect(text).toMatch(http(200));
    expect(text).toMatch(http(503));
    expect(text).toMatch(/hubble_http_request_duration_seconds_bucket\{le="0.025",method="GET",reporter="server"\} \d/);
    expect(text).toMatch(/hubble_dns_queries_total\{rcode="",qtypes="A",ips_returned="0"\} \d/);
    expect(text).toMatch(/hubble_dns_responses_total\{rcode="No Error",qtypes="A",ips_returned="1"\} \d/);
    expect(text).not.toContain('s3cr3t');
  });

  it('are told to be there at all, equal ones held once', async () => {
    const client = createClient(FlowService, backend.relayAddress);
    const { layer7FlowsSeen } = await client.status({});
    client.close();
    expect(layer7FlowsSeen).toBeGreaterThanOrEqual(BigInt(TOLD.length));
    const { window } = backend.relay;
    expect(window.layer7.size - 1).toBeLessThanOrEqual(TOLD.length);
  });
});

import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { allocateColumns } from '#core/flow/columns.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { writeFlowRow } from '#core/hubble/flow-row.ts';
import { FlowSchema } from '#proto/gen/flow/flow_pb.ts';
import { createRegistry } from '#runtime/metrics.ts';
import { type FlowInit, type Layer7Init, requestFlow, type ToldPod } from '#runtime/testing/fake-hubble.ts';
import { RateMeter } from '../relay/rate-meter.ts';
import { RequestMetrics } from './request-metrics.ts';

const QUARTER_MS = 15 * 60_000;
const pod = (name: string): ToldPod => ({ namespace: 'shop', name, address: '10.0.0.1' });
const DNS = { namespace: 'kube-system', name: 'coredns', address: '10.0.0.53' };

const got = (client: ToldPod, code = 200): FlowInit => {
  const l7: Layer7Init = {
    type: 2,
    latencyNs: 12_000_000n,
    record: { case: 'http', value: { code, method: 'GET', url: '/', protocol: 'HTTP/1.1' } },
  };
  return requestFlow({ client, server: pod('cart'), port: 80 }, l7);
};
const resolved = (client: ToldPod): FlowInit =>
  requestFlow(
    { client, server: DNS, port: 53, direction: 2, udp: true },
    { type: 2, record: { case: 'dns', value: { query: 'cart.', qtypes: ['A'], ips: ['10.0.0.2'] } } },
  );

function counted(context: string[], series = 100) {
  const window = new FlowWindow(1_024);
  const requests = new RateMeter();
  const registry = createRegistry({ processMetrics: false });
  const clock = { ms: 0 };
  const metrics = new RequestMetrics(registry, { window, requests }, { context, series }, () => clock.ms);
  const columns = allocateColumns(1);
  const see = (...flows: FlowInit[]) => {
    for (const flow of flows) {
      const boot = { cluster: 'kind', node: 'worker', bootId: 1n };
      writeFlowRow(create(FlowSchema, flow), boot, window.end + 1, columns, 0, window);
      window.push(columns, 0);
      requests.add(1);
    }
    metrics.count(window.end - flows.length, window.end);
  };
  const lines = async (family: string) =>
    (await registry.metrics()).split('\n').filter((line) => line.startsWith(`${family}{`));
  return { see, lines, clock };
}

describe('metrics of requests', () => {
  it('have the labels that were asked for, beside their own: who asked is the source, of answers too', async () => {
    const { see, lines } = counted(['destination_workload', 'source_namespace', 'source_pod', 'traffic_direction']);
    see(got(pod('web')), resolved(pod('web')));
    expect(await lines('hubble_http_requests_total')).toEqual([
      'hubble_http_requests_total{method="GET",protocol="HTTP/1.1",status="200",reporter="server",source_namespace="shop",source_pod="shop/web-1",destination_workload="cart",traffic_direction="ingress"} 1',
    ]);
    expect(await lines('hubble_http_request_duration_seconds_count')).toEqual([
      'hubble_http_request_duration_seconds_count{method="GET",reporter="server",source_namespace="shop",source_pod="shop/web-1",destination_workload="cart",traffic_direction="ingress"} 1',
    ]);
    expect(await lines('hubble_dns_responses_total')).toEqual([
      'hubble_dns_responses_total{rcode="No Error",qtypes="A",ips_returned="1",source_namespace="shop",source_pod="shop/web-1",destination_workload="coredns",traffic_direction="egress"} 1',
    ]);
  });

  it('have so many series at most, and tell how many requests found no room', async () => {
    const { see, lines } = counted(['source_pod'], 3);
    see(...Array.from({ length: 10 }, (_, index) => got(pod(`web-${index}`))));
    see(got(pod('web-1')));
    expect(await lines('hubble_http_requests_total')).toHaveLength(3);
    expect(await lines('waggle_metrics_overflow_total')).toContain(
      'waggle_metrics_overflow_total{family="hubble_http_requests_total"} 7',
    );
  });

  it('let go of pods of which nothing came for a quarter of an hour, which makes room for others', async () => {
    const { see, lines, clock } = counted(['source_pod'], 2);
    see(got(pod('old')), got(pod('web')));
    clock.ms = QUARTER_MS - 1;
    see(got(pod('web')));
    clock.ms = QUARTER_MS + 60_000;
    const left = await lines('hubble_http_requests_total');
    expect(left).toHaveLength(1);
    expect(left[0]).toMatch(/source_pod="shop\/web-1"\} 2$/);
    expect(await lines('hubble_http_request_duration_seconds_sum')).toHaveLength(1);
    see(got(pod('new')));
    expect(await lines('hubble_http_requests_total')).toHaveLength(2);
  });
});

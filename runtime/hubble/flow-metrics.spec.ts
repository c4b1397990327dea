import { describe, expect, it } from 'vitest';
import { REPLY } from '#core/flow/direction.ts';
import { generatedWindow } from '#core/hubble/generated-flows.ts';
import { createRegistry } from '../metrics.ts';
import { FlowMetrics, type FlowMetricsOptions } from './flow-metrics.ts';

async function counted(options: FlowMetricsOptions, rows = 500) {
  const registry = createRegistry({ processMetrics: false });
  const window = generatedWindow(rows, 21);
  const metrics = new FlowMetrics(registry, window, options);
  metrics.count(0, rows / 2);
  metrics.count(rows / 2, rows);
  const read = async (name: string) => {
    const [metric] = (await registry.getMetricsAsJSON()).filter((one) => one.name === name);
    return (metric.values as { labels: Record<string, string>; value: number }[]).filter(({ value }) => value > 0);
  };
  return { window, metrics, read, registry };
}

const sum = (values: readonly { value: number }[]) => values.reduce((total, { value }) => total + value, 0);
const all: FlowMetricsOptions = { context: [], series: 10_000 };

describe('Hubble’s families', () => {
  it('count every flow once', async () => {
    const { window, read } = await counted(all);
    const rows = Array.from({ length: 500 }, (_, row) => row);
    const { verdict, protocol, tcpFlags, dropReason, reply, destination, observation } = window.columns;
    expect(sum(await read('hubble_flows_processed_total'))).toBe(500);
    const drops = rows.filter((row) => verdict[row] === 2);
    expect(sum(await read('hubble_drop_total'))).toBe(drops.length);
    const denied = (await read('hubble_drop_total')).filter(({ labels }) => labels.reason === 'POLICY_DENIED');
    expect(sum(denied)).toBe(drops.filter((row) => dropReason[row] === 133).length);
    const syn = (await read('hubble_tcp_flags_total')).filter(({ labels }) => labels.flag.startsWith('SYN'));
    const passed = rows.filter((row) => verdict[row] === 1);
    expect(sum(syn)).toBe(passed.filter((row) => protocol[row] === 6 && tcpFlags[row] & 2).length);
    expect(sum(await read('hubble_icmp_total'))).toBe(rows.filter((row) => [1, 58].includes(protocol[row])).length);
    const ports = await read('hubble_port_distribution_total');
    expect(sum(ports)).toBe(passed.filter((row) => reply[row] === REPLY.ORIGINAL && protocol[row] !== 0).length);
    expect(ports.some(({ labels }) => labels.port === '65535')).toBe(true);
    expect(ports.filter(({ labels }) => labels.protocol === 'ICMPv4').map(({ labels }) => labels.port)).toEqual(['0']);
    const toWorld = rows.filter((row) => {
      if (![2, 9, 10].includes(window.endpoints.get(destination[row]).identity) || observation[row] > 200) return false;
      return verdict[row] === 2 ? dropReason[row] === 133 : reply[row] !== REPLY.REPLY;
    });
    expect(sum(await read('hubble_flows_to_world_total'))).toBe(toWorld.length);
    expect(
      (await read('hubble_flows_processed_total'))
        .filter(({ labels }) => labels.type === 'Drop')
        .map(({ labels }) => labels.subtype),
    ).not.toContain('Policy denied');
    expect((await read('hubble_flows_processed_total')).map(({ labels }) => labels)).toContainEqual({
      type: 'Trace',
      subtype: 'to-endpoint',
      verdict: 'FORWARDED',
      protocol: 'TCP',
    });
  });

  it('carry the context that is asked for', async () => {
    const { read } = await counted({
      ...all,
      context: ['traffic_direction', 'source_namespace', 'destination_workload', 'source_app'],
    });
    const values = await read('hubble_flows_processed_total');
    expect(sum(values)).toBe(500);
    const named = values.find(({ labels }) => labels.source_app === 'xwing' && labels.destination_workload === 'cart');
    expect(named?.labels).toMatchObject({ source_namespace: 'default', traffic_direction: expect.any(String) });
  });

  it('stay within their bound and count what found no room', async () => {
    const { read } = await counted({ context: ['source_ip', 'destination_ip'], series: 10 });
    const values = await read('hubble_flows_processed_total');
    expect(values).toHaveLength(10);
    const overflow = (await read('waggle_metrics_overflow_total')).find(
      ({ labels }) => labels.family === 'hubble_flows_processed_total',
    );
    expect(sum(values) + overflow!.value).toBe(500);
  });

  it('forget a pod that is gone', async () => {
    const { read, metrics } = await counted({ ...all, context: ['source_pod', 'destination_pod'] });
    const ofPod = async () =>
      (await read('hubble_flows_processed_total')).filter(({ labels }) =>
        [labels.source_pod, labels.destination_pod].includes('default/xwing-1'),
      );
    expect(await ofPod()).not.toEqual([]);
    metrics.forget(new Set(['default/xwing-1']));
    expect(await ofPod()).toEqual([]);
    expect((await read('hubble_flows_processed_total')).length).toBeGreaterThan(0);
  });

  it('have room again for those who come after pods that are gone', async () => {
    const { window, metrics, read } = await counted({ ...all, context: ['source_pod'] }, 10);
    const { columns, endpoints } = window;
    const slot = window.slot(window.end - 1);
    const nameless = endpoints.get(columns.source[slot]);
    // More pods, one after the other, than there are numbers for.
    for (let pod = 0; pod < 70_000; pod++) {
      const before = columns.source[slot];
      columns.source[slot] = endpoints.intern({ ...nameless, namespace: 'jobs', pod: `job-${pod}` });
      endpoints.retain(columns.source[slot]);
      metrics.count(window.end - 1, window.end);
      if (pod % 100 === 99) {
        metrics.forget(new Set(Array.from({ length: 100 }, (_, index) => `jobs/job-${pod - index}`)));
      }
      if (pod > 0) endpoints.release(before);
    }
    metrics.count(window.end - 1, window.end);
    const pods = (await read('hubble_flows_processed_total')).map(({ labels }) => labels.source_pod);
    expect(pods).toContain('jobs/job-69999');
    expect(pods).not.toContain('(other)');
    expect(pods.filter((pod) => pod.startsWith('jobs/'))).toHaveLength(1);
  });

  it('refuse a label that there is not', async () => {
    await expect(counted({ ...all, context: ['colour'] })).rejects.toThrow('colour is no context label');
  });
});

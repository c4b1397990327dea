import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Backend } from './backend.ts';
import { eventually } from './eventually.ts';
import { Lab } from './lab.ts';
import { PROMETHEUS, Prometheus } from './prometheus.ts';
import { waggleOk } from './waggle.ts';

// A real Prometheus scrapes a lab; skipped where there is none (Debian's package has one).

describe.skipIf(PROMETHEUS === undefined)('metrics, read by a real Prometheus (skipped where there is none)', () => {
  let lab: Lab;
  let backend: Backend;
  let prometheus: Prometheus;

  beforeAll(async () => {
    // Of a node of its own: nobody but this machine reaches that address.
    lab = await Lab.up({
      env: {
        WAGGLE_METRICS_LISTEN: '0.0.0.0:9965',
        WAGGLE_METRICS_CONTEXT: 'source_namespace,destination_namespace,destination_pod,traffic_direction',
      },
    });
    // Some probes answered, others denied.
    await lab.scenario('stars', 'd');
    await lab.running(5);
    backend = await Backend.start(lab.stateDir);
    const nodes = JSON.parse(await waggleOk(['lab', 'get', 'nodes', '--name', lab.name, '-o', 'json'])) as {
      items: { status: { addresses: { type: string; address: string }[] } }[];
    };
    const agents = nodes.items.map(
      ({ status }) => `${status.addresses.find(({ address }) => address.includes('.'))!.address}:9965`,
    );
    prometheus = await Prometheus.start({ agents, backend: [`127.0.0.1:${backend.httpPort}`] });
  });

  afterAll(async () => {
    await prometheus?.stop();
    await backend?.stop();
    await lab?.down();
  });

  test('every target answers', async () => {
    let down: unknown[] = [];
    await eventually('all targets are up', 30_000, async () => {
      const targets = await prometheus.targets();
      down = targets.filter(({ health }) => health !== 'up');
      return targets.length === 3 && down.length === 0;
    }).catch(() => {});
    expect(down).toEqual([]);
  });

  test.each([
    'sum(hubble_flows_processed_total{type="Trace",subtype="to-endpoint",verdict="FORWARDED"})',
    'sum(hubble_drop_total{reason="POLICY_DENIED",protocol="TCP",source_namespace="client",destination_namespace="stars"})',
    'sum(hubble_port_distribution_total{protocol="TCP",port="6379"})',
    'sum(hubble_tcp_flags_total{flag="SYN",family="IPv4"})',
    'sum(cilium_drop_count_total{reason="Policy denied",direction="INGRESS"})',
    'sum(rate(hubble_flows_processed_total[10s]))',
    'sum(waggle_edge_dropped_total{source_workload="client",destination_workload="frontend",destination_port="80"})',
    'sum(waggle_edge_sent_bytes_total)',
    'count(waggle_relay_nodes{state="connected"} == 2)',
    'sum(waggle_agent_endpoints)',
    'sum(waggle_agent_map_entries{map="connections"})',
    'sum(waggle_agent_map_entries{map="policies"})',
    'sum(waggle_agent_map_entries{map="services"})',
    'count(waggle_agent_map_capacity > 100)',
    'sum(rate(waggle_agent_drain_seconds_total[30s]))',
    'sum(waggle_agent_ring_capacity_bytes)',
  ])('%s is there', async (expression) => {
    let value = 0;
    await eventually(expression, 40_000, async () => {
      value = (await prometheus.query(expression))[0]?.value ?? 0;
      return value > 0;
    }).catch(() => {});
    expect(value).toBeGreaterThan(0);
  });

  test('the example alerts work, and so does every query of the dashboard', async () => {
    await eventually('rules were evaluated', 30_000, async () =>
      (await prometheus.rules()).every(({ health }) => health !== 'unknown'),
    );
    const rules = await prometheus.rules();
    expect(rules.length).toBeGreaterThan(5);
    expect(rules.filter(({ health }) => health !== 'ok')).toEqual([]);
    const dashboard = JSON.parse(readFileSync(new URL('../deploy/grafana/waggle.json', import.meta.url), 'utf8')) as {
      panels: { title: string; targets: { expr: string }[] }[];
    };
    const queries = dashboard.panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const));
    for (const [, expr] of queries) await prometheus.query(expr.replaceAll('$__rate_interval', '10s'));
    // Every metric that is named must exist, with the labels by which it is asked for, summed up and told of.
    const absent: string[] = [];
    for (const [title, expr, told = ''] of [
      ...queries,
      ...rules.map((rule) => [rule.name, rule.query, rule.told] as const),
    ]) {
      const everywhere = [
        ...[...expr.matchAll(/\bby \(([\w, ]+)\)/g)].flatMap(([, names]) => names!.split(/, */)),
        ...[...told.matchAll(/\$labels\.(\w+)/g)].map(([, name]) => name!),
      ];
      for (const [, metric, braces = ''] of expr.matchAll(/\b((?:hubble|cilium|waggle)_[a-z_]+)(?:\{([^}]*)\})?/g)) {
        const labels = [...everywhere, ...[...braces.matchAll(/(\w+)(?:=~?|!=|!~)"/g)].map(([, name]) => name!)];
        for (const label of new Set(['__name__', ...labels])) {
          const known = await prometheus.query(`count({__name__="${metric}",${label}!=""})`);
          if (known.length === 0) absent.push(`${title}: ${metric} ${label}`);
        }
      }
    }
    // Nothing was lost and nothing was sent again, as it should be.
    expect(absent.filter((one) => !/lost_events|retransmits|overflow/.test(one))).toEqual([]);
  });
});

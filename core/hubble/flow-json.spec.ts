import { describe, expect, it } from 'vitest';
import { allocateColumns } from '../flow/columns.ts';
import { DecisionStore } from '../flow/decision-store.ts';
import { NO_ENDPOINT } from '../flow/endpoint.ts';
import { EndpointStore } from '../flow/endpoint-store.ts';
import type { FlowFieldName } from '../flow/fields.ts';
import { NO_DECISION } from '../flow/policy-decision.ts';
import { hubbleFlowJson, hubbleResponseJson } from './flow-json.ts';

const endpoints = new EndpointStore();
const xwing = endpoints.intern({
  ...NO_ENDPOINT,
  address: '10.0.1.7',
  identity: 2331,
  cluster: 'kind',
  namespace: 'default',
  pod: 'xwing',
  labels: ['k8s:class=xwing', 'k8s:org=alliance'],
  workloadKind: 'Pod',
  workloadName: 'xwing',
  interfaceIndex: 12,
  interfaceName: 'lxc1',
  id: 77,
});
const world = endpoints.intern({ ...NO_ENDPOINT, address: '2001:db8::1', identity: 2, names: ['example.org'] });
const decisions = new DecisionStore();
const tables = { endpoints, decisions, nodes: [{ cluster: 'kind', node: 'worker', bootId: 0xabcn }] };

function flow(values: Partial<Record<FlowFieldName, number>>) {
  const columns = allocateColumns(1);
  const defaults = {
    sequence: 42,
    timeSeconds: 1_700_558_816,
    timeNanos: 123_456_789,
    source: xwing,
    destination: world,
    sourcePort: 41234,
    destinationPort: 80,
    protocol: 6,
    verdict: 1,
    observation: 3,
    trigger: 1,
    direction: 2,
    tcpFlags: 2,
  };
  for (const [name, value] of Object.entries({ ...defaults, ...values })) columns[name as FlowFieldName][0] = value;
  return columns;
}

const json = (values: Partial<Record<FlowFieldName, number>>) => hubbleFlowJson(flow(values), 0, tables);

describe("a flow in Hubble's JSON", () => {
  it('is what "hubble observe -o json" prints', () => {
    expect(hubbleResponseJson(flow({}), 0, tables)).toEqual({
      flow: {
        time: '2023-11-21T09:26:56.123456789Z',
        uuid: 'kind/worker/abc/42',
        verdict: 'FORWARDED',
        IP: { source: '10.0.1.7', destination: '2001:db8::1', ipVersion: 'IPv4' },
        l4: { TCP: { source_port: 41234, destination_port: 80, flags: { SYN: true } } },
        source: {
          ID: 77,
          identity: 2331,
          cluster_name: 'kind',
          namespace: 'default',
          labels: ['k8s:class=xwing', 'k8s:org=alliance'],
          pod_name: 'xwing',
          workloads: [{ name: 'xwing', kind: 'Pod' }],
        },
        destination: { identity: 2 },
        Type: 'L3_L4',
        node_name: 'kind/worker',
        destination_names: ['example.org'],
        event_type: { type: 4, sub_type: 3 },
        traffic_direction: 'EGRESS',
        trace_observation_point: 'TO_STACK',
        trace_reason: 'NEW',
        is_reply: false,
        interface: { index: 12, name: 'lxc1' },
        Summary: 'TCP Flags: SYN',
      },
      node_name: 'kind/worker',
      time: '2023-11-21T09:26:56.123456789Z',
    });
  });

  it('tells a drop by its reason, in number and name', () => {
    expect(json({ verdict: 2, dropReason: 133, reply: 2 })).toMatchObject({
      verdict: 'DROPPED',
      drop_reason: 133,
      drop_reason_desc: 'POLICY_DENIED',
      event_type: { type: 1, sub_type: 133 },
    });
    const dropped = json({ verdict: 2, dropReason: 133, reply: 2 });
    for (const absent of ['is_reply', 'trace_reason', 'trace_observation_point'])
      expect(dropped).not.toHaveProperty(absent);
  });

  it('counts "to-endpoint" as trace event 0 and as observation point 101', () => {
    expect(json({ observation: 101, direction: 1, reply: 1 })).toMatchObject({
      event_type: { type: 4 },
      trace_observation_point: 'TO_ENDPOINT',
      traffic_direction: 'INGRESS',
      trace_reason: 'REPLY',
      is_reply: true,
    });
    expect(json({ observation: 101 }).event_type).toEqual({ type: 4 });
  });

  it('has a shape for every protocol', () => {
    expect(json({ protocol: 17 }).l4).toEqual({ UDP: { source_port: 41234, destination_port: 80 } });
    expect(json({ protocol: 132 }).l4).toEqual({ SCTP: { source_port: 41234, destination_port: 80 } });
    expect(json({ protocol: 1, sourcePort: 8, destinationPort: 0 }).l4).toEqual({ ICMPv4: { type: 8 } });
    expect(json({ protocol: 58, sourcePort: 1, destinationPort: 4 }).l4).toEqual({ ICMPv6: { type: 1, code: 4 } });
    expect(json({ protocol: 2 }).l4).toEqual({ IGMP: {} });
    expect(json({ protocol: 47 })).not.toHaveProperty('l4');
  });

  it.each([
    [0, '2023-11-21T09:26:56Z'],
    [5_000_000, '2023-11-21T09:26:56.005Z'],
    [5_000, '2023-11-21T09:26:56.000005Z'],
    [5, '2023-11-21T09:26:56.000000005Z'],
  ])('writes %i ns as protobuf does', (timeNanos, text) => {
    expect(json({ timeNanos }).time).toBe(text);
  });

  it('names the policies that decided, each once', () => {
    const rule = (name: string, rule: number) => ({ kind: 'NetworkPolicy', namespace: 'default', name, rule });
    const allowed = decisions.intern({
      ...NO_DECISION,
      direction: 2,
      allowedBy: [rule('a', 0), rule('a', 2), rule('b', 0)],
    });
    expect(json({ policy: allowed }).egress_allowed_by).toEqual([
      { name: 'a', namespace: 'default', kind: 'NetworkPolicy' },
      { name: 'b', namespace: 'default', kind: 'NetworkPolicy' },
    ]);
    const cluster = { kind: 'CiliumClusterwideNetworkPolicy', namespace: '', name: 'deny', rule: -1 };
    const denied = decisions.intern({ ...NO_DECISION, direction: 1, deniedBy: [cluster], defaultDeny: true });
    expect(json({ policy: denied, verdict: 2, dropReason: 133 }).ingress_denied_by).toEqual([
      { name: 'deny', kind: 'CiliumClusterwideNetworkPolicy' },
    ]);
    expect(json({})).not.toHaveProperty('egress_allowed_by');
  });

  it('takes a sequence from outside', () => {
    expect(hubbleFlowJson(flow({}), 0, tables, 2 ** 40).uuid).toBe(`kind/worker/abc/${2 ** 40}`);
  });
});

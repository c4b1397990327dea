import fc from 'fast-check';
import { allocateColumns } from '../flow/columns.ts';
import { NO_ENDPOINT } from '../flow/endpoint.ts';
import { FLOW_FIELD_NAMES } from '../flow/fields.ts';
import { FlowWindow } from '../flow/flow-window.ts';
import { NO_DECISION } from '../flow/policy-decision.ts';

/** For specs: a window of flows that look like a cluster's, with the odd ones a cluster has once a week. */
export function generatedWindow(rows: number, seed: number): FlowWindow {
  const window = new FlowWindow(rows);
  const nodes = [
    window.nodeNumber({ cluster: 'default', node: 'worker-1', bootId: 0xabcn }),
    window.nodeNumber({ cluster: 'west', node: 'worker-2.internal', bootId: 0xdefn }),
  ];
  const columns = allocateColumns(rows);
  const random = fc.sample(row, { numRuns: rows, seed });
  random.forEach((values, index) => {
    for (const name of FLOW_FIELD_NAMES) columns[name][index] = (values as Record<string, number>)[name] ?? 0;
    columns.sequence[index] = index + 1;
    columns.timeSeconds[index] = 1_700_000_000 + index;
    columns.node[index] = nodes[values.node];
    columns.source[index] = window.endpoints.intern(ENDPOINTS[values.source]);
    columns.destination[index] = window.endpoints.intern(ENDPOINTS[values.destination]);
    columns.policy[index] = values.policy === 0 ? 0 : window.decisions.intern(DECISIONS[values.policy - 1]);
    if (columns.verdict[index] !== 2) columns.dropReason[index] = 0;
    window.push(columns, index);
  });
  return window;
}

const pod = (namespace: string, name: string, address: string, more: object = {}) => ({
  ...NO_ENDPOINT,
  address,
  identity: 0x40000000 + name.length,
  cluster: 'default',
  namespace,
  pod: name,
  workloadKind: 'Deployment',
  workloadName: name.slice(0, -2),
  labels: [`k8s:app=${name.slice(0, -2)}`, `k8s:io.kubernetes.pod.namespace=${namespace}`, 'k8s:tier=3'],
  node: 'worker-1',
  interfaceIndex: 7,
  interfaceName: 'lxc7',
  id: 12,
  ...more,
});

export const ENDPOINTS = [
  NO_ENDPOINT,
  pod('default', 'xwing-1', '10.0.0.1'),
  pod('default', 'xwing-2', '10.0.0.2', { interfaceIndex: 0, interfaceName: '' }),
  pod('shop', 'cart-1', '10.0.1.1', {
    cluster: 'west',
    service: { namespace: 'shop', name: 'cart', portName: 'http', address: '10.96.0.7', port: 80 },
  }),
  pod('shop', 'cart-2', 'fd00::12', { labels: ['k8s:app=cart', 'reserved:init', 'container:x=y'] }),
  pod('kube-system', 'default-1', '10.0.2.1', { workloadKind: '', workloadName: '' }),
  {
    ...NO_ENDPOINT,
    address: '93.184.216.34',
    identity: 2,
    names: ['example.com', 'www.example.com'],
    labels: ['reserved:world'],
  },
  { ...NO_ENDPOINT, address: '2001:db8::1', identity: 10, labels: ['reserved:world-ipv6'] },
  { ...NO_ENDPOINT, address: '192.168.0.9', identity: 6, labels: ['reserved:remote-node'], node: 'worker-2.internal' },
];

const policy = (name: string, rule: number) => ({ kind: 'NetworkPolicy', namespace: 'default', name, rule });
const DECISIONS = [
  { ...NO_DECISION, direction: 1, allowedBy: [policy('a', 0), policy('a', 1), policy('b', 0)] },
  { ...NO_DECISION, direction: 2, deniedBy: [{ ...policy('all', -1), namespace: '' }], defaultDeny: true },
];

const row = fc.record({
  timeNanos: fc.oneof(fc.constantFrom(0, 5, 5_000, 5_000_000), fc.nat(999_999_999)),
  node: fc.nat(1),
  source: fc.nat(ENDPOINTS.length - 1),
  destination: fc.nat(ENDPOINTS.length - 1),
  sourcePort: fc.constantFrom(0, 1, 8, 80, 443, 127, 128, 41_234, 65_535),
  destinationPort: fc.constantFrom(0, 1, 4, 53, 80, 443, 6_379, 65_535),
  protocol: fc.constantFrom(6, 6, 6, 17, 1, 58, 132, 2, 112, 47, 0),
  verdict: fc.constantFrom(0, 1, 1, 1, 2, 2, 4),
  dropReason: fc.constantFrom(0, 133, 151, 158, 181),
  observation: fc.constantFrom(3, 101, 101, 0),
  trigger: fc.nat(6),
  direction: fc.nat(2),
  reply: fc.nat(2),
  tcpFlags: fc.oneof(fc.constantFrom(0, 2, 0x10, 0x12, 0x11, 0x04), fc.nat(255)),
  policy: fc.nat(DECISIONS.length),
});

import { allocateColumns } from '../flow/columns.ts';
import { NO_ENDPOINT } from '../flow/endpoint.ts';
import { FLOW_FIELD_NAMES } from '../flow/fields.ts';
import { FlowWindow } from '../flow/flow-window.ts';
import { isLayer7, type Layer7, writeLayer7 } from '../flow/layer7.ts';
import { NO_DECISION } from '../flow/policy-decision.ts';
import { isTranslation } from '../flow/translation.ts';

/** For specs: a window of flows that look like a cluster's, with the odd ones a cluster has once a week. */
export function generatedWindow(rows: number, seed: number): FlowWindow {
  const window = new FlowWindow(rows);
  const nodes = [
    window.nodeNumber({ cluster: 'default', node: 'worker-1', bootId: 0xabcn }),
    window.nodeNumber({ cluster: 'west', node: 'worker-2.internal', bootId: 0xdefn }),
  ];
  const columns = allocateColumns(rows);
  const random = randomNumbers(seed);
  for (let index = 0; index < rows; index++) {
    const values = randomRow(random);
    for (const name of FLOW_FIELD_NAMES) columns[name][index] = values[name] ?? 0;
    columns.sequence[index] = index + 1;
    columns.timeSeconds[index] = 1_700_000_000 + index;
    columns.node[index] = nodes[values.node];
    columns.source[index] = window.endpoints.intern(ENDPOINTS[values.source]);
    columns.destination[index] = window.endpoints.intern(ENDPOINTS[values.destination]);
    columns.policy[index] = values.policy === 0 ? 0 : window.decisions.intern(DECISIONS[values.policy - 1]);
    if (isTranslation(columns.observation[index])) columns.verdict[index] = values.verdict % 2 === 0 ? 6 : 7;
    if (isLayer7(columns.observation[index])) {
      const record = window.layer7.intern(RECORDS[index % RECORDS.length]);
      writeLayer7(columns, index, record, index % 2 === 0 ? 0 : index * 12_345_678_901);
    }
    if (columns.verdict[index] !== 2) columns.dropReason[index] = 0;
    window.push(columns, index);
  }
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
  pod('default', 'xwing-2', '10.0.0.2', { interfaceIndex: 0, interfaceName: '', cgroupId: 4_711 }),
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

const told = { traceId: '', shortened: false };
const RECORDS: readonly Layer7[] = [
  {
    type: 1,
    record: {
      kind: 'http',
      code: 0,
      method: 'GET',
      url: 'http://shop:80/cart/1?a=/x',
      protocol: 'HTTP/1.1',
      headers: [
        { name: 'Accept', value: '*/*' },
        { name: 'X-Empty', value: '' },
      ],
    },
    ...told,
    traceId: 'abc',
  },
  {
    type: 2,
    record: { kind: 'http', code: 503, method: 'POST', url: 'http://shop', protocol: 'HTTP/2', headers: [] },
    ...told,
  },
  {
    type: 2,
    record: { kind: 'http', code: 404, method: 'put', url: '/login#x', protocol: 'HTTP/1.0', headers: [] },
    ...told,
  },
  {
    type: 2,
    record: {
      kind: 'dns',
      query: 'shop.example.com.',
      ips: ['10.0.0.1', 'fd00::1'],
      ttl: 4_294_967_295,
      cnames: ['a.example.com.'],
      observationSource: 'proxy',
      rcode: 3,
      qtypes: ['A', 'AAAA'],
      rrtypes: ['A'],
    },
    ...told,
  },
  {
    type: 2,
    record: { kind: 'kafka', errorCode: -1, apiVersion: 2, apiKey: 'produce', correlationId: 7, topic: 'orders' },
    ...told,
  },
  { type: 3, ...told },
];

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

function randomRow(
  random: () => number,
): Record<string, number> & { node: number; source: number; destination: number; policy: number } {
  const below = (count: number) => Math.floor(random() * count);
  const oneOf = (...values: number[]) => values[below(values.length)];
  return {
    timeNanos: below(2) === 0 ? oneOf(0, 5, 5_000, 5_000_000) : below(1_000_000_000),
    node: below(2),
    source: below(ENDPOINTS.length),
    destination: below(ENDPOINTS.length),
    sourcePort: oneOf(0, 1, 8, 80, 443, 127, 128, 41_234, 65_535),
    destinationPort: oneOf(0, 1, 4, 53, 80, 443, 6_379, 65_535),
    protocol: oneOf(6, 6, 6, 17, 1, 58, 132, 2, 112, 47, 0),
    verdict: oneOf(0, 1, 1, 1, 2, 2, 4),
    dropReason: oneOf(0, 133, 151, 158, 181),
    observation: oneOf(3, 101, 101, 0, 190, 201, 202, 203, 204),
    rttMicros: oneOf(0, 77, 0xffff_ffff),
    retransmits: oneOf(0, 3),
    trigger: below(8),
    direction: below(3),
    reply: below(3),
    tcpFlags: below(2) === 0 ? oneOf(0, 2, 0x10, 0x12, 0x11, 0x04) : below(256),
    policy: below(DECISIONS.length + 1),
  };
}

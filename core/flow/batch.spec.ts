import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { EndpointSchema, FlowBatchSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { BatchDecoder, BatchEncoder, endpointFromMessage, endpointMessage } from './batch.ts';
import { FlowDecodeError } from './column-codec.ts';
import type { FlowColumns } from './columns.ts';
import { type Endpoint, NO_ENDPOINT } from './endpoint.ts';
import { FLOW_FIELD_NAMES } from './fields.ts';
import { FlowWindow } from './flow-window.ts';
import { PROTOCOL } from './protocol.ts';

const BOOT = { cluster: 'lab', node: 'n1', bootId: 0xfeed_beef_dead_cafen };

const web: Endpoint = {
  address: '10.8.1.7',
  identity: 0x4012_3456,
  cluster: 'lab',
  namespace: 'shop',
  pod: 'web-6d9f7c-x2x4k',
  workloadKind: 'Deployment',
  workloadName: 'web',
  labels: ['k8s:app=web', 'k8s:io.kubernetes.pod.namespace=shop'],
  names: [],
  node: 'n1',
  interfaceIndex: 12,
  interfaceName: 'veth12',
  id: 4,
};
const world: Endpoint = {
  ...NO_ENDPOINT,
  address: '2001:db8::1',
  identity: 2,
  labels: ['reserved:world'],
  names: ['example.org'],
};

function push(
  window: FlowWindow,
  source: Endpoint,
  destination: Endpoint,
  more: Partial<Record<keyof FlowColumns, number>> = {},
) {
  const slot = window.claim();
  for (const name of FLOW_FIELD_NAMES) window.columns[name][slot] = more[name] ?? 0;
  window.columns.node[slot] = window.nodeNumber(BOOT);
  window.columns.source[slot] = window.endpoints.intern(source);
  window.columns.destination[slot] = window.endpoints.intern(destination);
  window.commit(slot);
}

function positions(window: FlowWindow, from = window.start): number[] {
  return Array.from({ length: window.end - from }, (_, index) => from + index);
}

/** Over the wire, as a transport does it. */
function sent(encoder: BatchEncoder, rows: number[]) {
  return fromBinary(FlowBatchSchema, toBinary(FlowBatchSchema, encoder.encode(rows)));
}

describe('batches', () => {
  it.each([web, world, NO_ENDPOINT])('carry an endpoint whole', (endpoint) => {
    const message = fromBinary(EndpointSchema, toBinary(EndpointSchema, endpointMessage(endpoint)));
    expect(endpointFromMessage(message)).toEqual(endpoint);
  });

  it('carry rows whose endpoints and nodes mean the same at the other end', () => {
    const window = new FlowWindow(16);
    push(window, web, world, {
      sequence: 1,
      timeSeconds: 1_700_000_000,
      timeNanos: 999_999_999,
      sourcePort: 40_000,
      destinationPort: 443,
    });
    push(window, world, web, { sequence: 2, timeSeconds: 1_700_000_001, reply: 1, bytesReply: 0xffff_ffff });
    const there = new FlowWindow(16);
    // Numbers at the other end differ from ours.
    there.nodeNumber({ ...BOOT, node: 'n0' });
    there.endpoints.retain(there.endpoints.intern({ ...web, pod: 'other' }));
    const decoder = new BatchDecoder(there);
    const { rows, columns } = decoder.decode(sent(new BatchEncoder(window), positions(window)));
    for (let row = 0; row < rows; row++) there.push(columns, row);
    expect([...columns.sequence]).toEqual([1, 2]);
    expect([...columns.timeNanos]).toEqual([999_999_999, 0]);
    expect(columns.bytesReply[1]).toBe(0xffff_ffff);
    expect(there.endpoints.get(there.columns.source[0])).toEqual(web);
    expect(there.endpoints.get(there.columns.destination[0])).toEqual(world);
    expect(there.endpoints.get(there.columns.source[1])).toEqual(world);
    expect(there.nodes[there.columns.node[0]]).toEqual(BOOT);
  });

  it('send each dictionary entry once per stream', () => {
    const window = new FlowWindow(16);
    const encoder = new BatchEncoder(window);
    push(window, web, world);
    const first = sent(encoder, positions(window));
    expect([first.endpoints.length, first.nodes.length]).toEqual([2, 1]);
    push(window, world, web);
    const second = sent(encoder, [1]);
    expect([second.endpoints.length, second.nodes.length]).toEqual([0, 0]);
    expect(encoder.dictionarySize).toBe(2);
    expect(sent(new BatchEncoder(window), [1]).endpoints).toHaveLength(2);
  });

  it('send an endpoint anew when its number stands for another', () => {
    const window = new FlowWindow(1);
    const encoder = new BatchEncoder(window);
    const there = new FlowWindow(64);
    const decoder = new BatchDecoder(there);
    for (let index = 0; index < 50; index++) {
      const pod = { ...web, pod: `web-${index}` };
      push(window, pod, world, { sequence: index });
      const { columns } = decoder.decode(sent(encoder, [window.end - 1]));
      there.push(columns, 0);
      expect(there.endpoints.get(there.columns.source[there.slot(index)]).pod).toBe(`web-${index}`);
      expect(there.endpoints.get(there.columns.destination[there.slot(index)])).toEqual(world);
    }
  });

  it('give their references back when the stream is closed', () => {
    const window = new FlowWindow(4);
    push(window, web, world);
    const there = new FlowWindow(2);
    const decoder = new BatchDecoder(there);
    const { columns } = decoder.decode(sent(new BatchEncoder(window), [0]));
    there.push(columns, 0);
    decoder.close();
    expect(there.endpoints.size).toBe(3);
    push(there, NO_ENDPOINT, NO_ENDPOINT);
    push(there, NO_ENDPOINT, NO_ENDPOINT);
    expect(there.endpoints.size).toBe(1);
  });

  it('may be empty', () => {
    const { rows } = new BatchDecoder(new FlowWindow(1)).decode(sent(new BatchEncoder(new FlowWindow(1)), []));
    expect(rows).toBe(0);
  });

  it.each<[string, (batch: ReturnType<typeof sent>) => void]>([
    ['whose rows were miscounted', (batch) => batch.rows++],
    ['without the endpoints its rows refer to', (batch) => batch.endpoints.pop()],
    ['without its node', (batch) => batch.nodes.pop()],
    [
      'with an address of 5 bytes',
      (batch) => batch.endpoints.push(create(EndpointSchema, { address: new Uint8Array(5) })),
    ],
    ['with broken columns', (batch) => batch.columns.fill(0xff)],
  ])('are refused %s', (_, breakIt) => {
    const window = new FlowWindow(4);
    push(window, web, world);
    const batch = sent(new BatchEncoder(window), [0]);
    breakIt(batch);
    expect(() => new BatchDecoder(new FlowWindow(4)).decode(batch)).toThrow(FlowDecodeError);
  });
});

describe('size on the wire', () => {
  // Small linear congruential generator: the same mix every run.
  function random(seed: number) {
    let state = seed;
    return (below: number) => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
  }

  /**
   * 40 workloads of 5 pods talking to a few others each: short HTTP connections (six records each per end), DNS lookups,
   * long connections told at intervals, some world addresses.
   */
  function busyNode(flows: number): FlowWindow {
    const next = random(7);
    const window = new FlowWindow(flows);
    const pods = Array.from({ length: 200 }, (_, index) => ({
      ...web,
      address: `10.8.${index >> 7}.${index & 127}`,
      pod: `app${index % 40}-6d9f7c5b4-x${index}`,
      workloadName: `app${index % 40}`,
      labels: [
        `k8s:app=app${index % 40}`,
        'k8s:io.cilium.k8s.policy.cluster=lab',
        'k8s:io.kubernetes.pod.namespace=shop',
      ],
      id: index,
    }));
    const strangers = Array.from({ length: 100 }, (_, index) => ({ ...world, address: `198.51.100.${index}` }));
    let nanos = 0;
    for (let sequence = 0; sequence < flows; sequence++) {
      nanos += next(200_000);
      const client = pods[next(200)];
      const server = next(10) === 0 ? strangers[next(100)] : pods[next(200)];
      const kind = next(10);
      const reply = next(2);
      const udp = kind < 3;
      push(window, reply ? server : client, reply ? client : server, {
        sequence,
        timeSeconds: 1_700_000_000 + Math.floor(nanos / 1e9),
        timeNanos: nanos % 1e9,
        sourcePort: reply ? (udp ? 53 : 8080) : 32_768 + next(28_000),
        destinationPort: reply ? 32_768 + next(28_000) : udp ? 53 : 8080,
        protocol: udp ? PROTOCOL.UDP : PROTOCOL.TCP,
        verdict: 1,
        observation: next(2) ? 3 : 101,
        trigger: 1 + next(4),
        direction: 1 + next(2),
        reply,
        tcpFlags: udp ? 0 : [0x02, 0x12, 0x18, 0x11][next(4)],
        packetsOriginal: next(6),
        packetsReply: next(6),
        bytesOriginal: kind === 9 ? next(200_000) : next(1500),
        bytesReply: kind === 9 ? next(2_000_000) : next(9000),
        rttMicros: udp ? 0 : next(900),
        retransmits: next(100) === 0 ? 1 : 0,
      });
    }
    return window;
  }

  it('is at most 45 bytes per flow, dictionaries included', () => {
    const flows = 20_000;
    const window = busyNode(flows);
    const encoder = new BatchEncoder(window);
    let bytes = 0;
    // A busy node flushes every 20 ms: some 200 flows a batch.
    for (let from = 0; from < flows; from += 200) {
      const rows = Array.from({ length: 200 }, (_, index) => from + index);
      bytes += toBinary(FlowBatchSchema, encoder.encode(rows)).length;
    }
    expect(bytes / flows).toBeLessThanOrEqual(45);
  });
});

import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { type Flow, FlowSchema } from '#proto/gen/flow/flow_pb.ts';
import { GetFlowsResponseSchema } from '#proto/gen/observer/observer_pb.ts';
import { NodeState } from '#proto/gen/relay/relay_pb.ts';
import { FlowPrinter, type PrinterOptions } from './flow-printer.ts';

type FlowInit = Exclude<MessageInitShape<typeof FlowSchema>, Flow>;
const time = timestampFromMs(Date.UTC(2026, 10, 21, 9, 26, 56, 123));
const PLAIN: PrinterOptions = { output: 'compact', color: false, nodeName: false, policyNames: false, numeric: false };

const base = {
  time,
  nodeName: 'kind/worker',
  verdict: 1,
  IP: { source: '10.0.0.1', destination: '10.0.0.2', ipVersion: 1 },
  l4: { protocol: { case: 'TCP', value: { sourcePort: 41234, destinationPort: 80, flags: { SYN: true } } } },
  source: { namespace: 'default', podName: 'xwing', identity: 2331 },
  destination: { namespace: 'default', podName: 'deathstar-x', identity: 901 },
  eventType: { type: 4, subType: 0 },
  trafficDirection: 1,
  isReply: false,
  Summary: 'TCP Flags: SYN',
} satisfies FlowInit;

const response = (more: FlowInit) => {
  const flow = create(FlowSchema, { ...base, ...more });
  return create(GetFlowsResponseSchema, {
    time: flow.time,
    nodeName: flow.nodeName,
    responseTypes: { case: 'flow', value: flow },
  });
};
const line = (more: FlowInit, options: Partial<PrinterOptions> = {}) =>
  new FlowPrinter({ ...PLAIN, ...options }).print(response(more)).out;

const udp = { protocol: { case: 'UDP' as const, value: { sourcePort: 5353, destinationPort: 53 } } };

describe('a compact line', () => {
  it.each<[string, FlowInit, string]>([
    [
      'of a connection’s first packet',
      {},
      'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/deathstar-x:80 (ID:901) to-endpoint FORWARDED (TCP Flags: SYN)',
    ],
    [
      'of a reply, its ends turned around',
      {
        isReply: true,
        source: base.destination,
        destination: base.source,
        l4: {
          protocol: {
            case: 'TCP',
            value: { sourcePort: 80, destinationPort: 41234, flags: { SYN: true, ACK: true } },
          },
        },
        Summary: 'TCP Flags: SYN, ACK',
      },
      'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) <- default/deathstar-x:80 (ID:901) to-endpoint FORWARDED (TCP Flags: SYN, ACK)',
    ],
    [
      'of a drop, with its reason',
      { verdict: 2, eventType: { type: 1, subType: 133 }, isReply: undefined },
      'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) <> default/deathstar-x:80 (ID:901) Policy denied DROPPED (TCP Flags: SYN)',
    ],
    [
      'of a drop to an address that nobody owns',
      { verdict: 2, eventType: { type: 1, subType: 151 }, destination: { identity: 2 } },
      'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> 10.0.0.2:80 (world) Stale or unroutable IP DROPPED (TCP Flags: SYN)',
    ],
    [
      'to the world, by its DNS names',
      {
        l4: udp,
        destination: { identity: 2 },
        destinationNames: ['example.com', 'www.example.com'],
        eventType: { type: 4, subType: 3 },
        Summary: 'UDP',
      },
      'Nov 21 09:26:56.123: default/xwing:5353 (ID:2331) -> example.com,www.example.com:53 (world) to-stack FORWARDED (UDP)',
    ],
    [
      'of IPv6 without names',
      {
        IP: { source: 'fd00::1', destination: 'fd00::2', ipVersion: 2 },
        source: { identity: 1 },
        destination: { identity: 6 },
      },
      'Nov 21 09:26:56.123: [fd00::1]:41234 (host) -> [fd00::2]:80 (remote-node) to-endpoint FORWARDED (TCP Flags: SYN)',
    ],
    [
      'of ICMP, which has no ports',
      { l4: { protocol: { case: 'ICMPv4', value: { type: 8 } } }, Summary: 'ICMPv4 EchoRequest' },
      'Nov 21 09:26:56.123: default/xwing (ID:2331) -> default/deathstar-x (ID:901) to-endpoint FORWARDED (ICMPv4 EchoRequest)',
    ],
    [
      'to a service',
      { destination: undefined, destinationService: { name: 'deathstar', namespace: 'default' } },
      'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/deathstar:80 (unknown) to-endpoint FORWARDED (TCP Flags: SYN)',
    ],
    [
      'of HTTP',
      {
        l7: { type: 1, record: { case: 'http', value: { method: 'GET' } } },
        Summary: 'HTTP/1.1 GET http://deathstar/',
      },
      'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/deathstar-x:80 (ID:901) http-request FORWARDED (HTTP/1.1 GET http://deathstar/)',
    ],
    [
      'of a DNS answer seen by a proxy',
      {
        l4: udp,
        l7: { type: 2, record: { case: 'dns', value: { observationSource: 'proxy' } } },
        Summary: 'DNS Answer "1.2.3.4" TTL: 30 (Proxy a. A)',
      },
      'Nov 21 09:26:56.123: default/xwing:5353 (ID:2331) -> default/deathstar-x:53 (ID:901) dns-response proxy FORWARDED (DNS Answer "1.2.3.4" TTL: 30 (Proxy a. A))',
    ],
    [
      'of a policy’s verdict',
      { verdict: 2, eventType: { type: 5 }, policyMatchType: 2 },
      'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/deathstar-x:80 (ID:901) policy-verdict:L3-L4 INGRESS DENIED (TCP Flags: SYN)',
    ],
    [
      'of an audit',
      { verdict: 4 },
      'Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/deathstar-x:80 (ID:901) to-endpoint AUDIT (TCP Flags: SYN)',
    ],
  ])('%s', (_name, flow, expected) => expect(line(flow)).toBe(`${expected}\n`));

  it('cuts milliseconds off, and does not round them', () => {
    expect(line({ time: { seconds: time.seconds, nanos: 123_999_999 } })).toMatch(/^Nov 21 09:26:56\.123: /);
  });

  it('tells more when asked', () => {
    expect(line({}, { nodeName: true })).toMatch(/^Nov 21 09:26:56\.123 \[kind\/worker\]: default\/xwing/);
    expect(line({}, { numeric: true })).toContain(': 10.0.0.1:41234 (ID:2331) -> 10.0.0.2:80 (ID:901)');
    const denied: FlowInit = { verdict: 2, ingressDeniedBy: [{ name: 'deny', namespace: 'default' }, { name: 'all' }] };
    expect(line(denied, { policyNames: true })).toContain(' DROPPED BY default/deny, all (');
    expect(line(denied)).not.toContain('deny');
  });

  it('has colours on a terminal', () => {
    const paint = (color: number, text: string) => `\u001b[${color}m${text}\u001b[0m`;
    expect(line({}, { color: true })).toBe(
      `Nov 21 09:26:56.123: ${paint(36, `default/xwing:${paint(33, '41234')}`)} ${paint(35, '(ID:2331)')} -> ` +
        `${paint(36, `default/deathstar-x:${paint(33, '80')}`)} ${paint(35, '(ID:901)')} to-endpoint ${paint(32, 'FORWARDED')} (TCP Flags: SYN)\n`,
    );
    expect(line({ verdict: 2 }, { color: true })).toContain(paint(31, 'DROPPED'));
  });
});

describe('other outputs', () => {
  it('a dictionary', () => {
    const printer = new FlowPrinter({ ...PLAIN, output: 'dict', nodeName: true });
    const once = `  TIMESTAMP: Nov 21 09:26:56.123
       NODE: kind/worker
     SOURCE: default/xwing:41234
DESTINATION: default/deathstar-x:80
       TYPE: to-endpoint
    VERDICT: FORWARDED
    SUMMARY: TCP Flags: SYN
`;
    expect(printer.print(response({})).out + printer.print(response({})).out).toBe(`${once}------------\n${once}`);
  });

  it('a table, as wide as its rows', () => {
    const printer = new FlowPrinter({ ...PLAIN, output: 'table', color: true });
    const text = [{}, { source: { podName: 'a-much-longer-name' } }]
      .map((flow) => printer.print(response(flow)).out)
      .join('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escapes are what is taken out
    expect((text + printer.flush()).replace(/\u001b\[\d+m/g, '')).toBe(`\
TIMESTAMP             SOURCE                     DESTINATION              TYPE          VERDICT     SUMMARY
Nov 21 09:26:56.123   default/xwing:41234        default/deathstar-x:80   to-endpoint   FORWARDED   TCP Flags: SYN
Nov 21 09:26:56.123   a-much-longer-name:41234   default/deathstar-x:80   to-endpoint   FORWARDED   TCP Flags: SYN
`);
  });

  it.each<[string, FlowInit, string, string]>([
    [
      'an HTTP request',
      {
        l7: { type: 1, record: { case: 'http', value: { method: 'GET' } } },
        eventType: { type: 129 },
        Summary: 'HTTP/1.1 GET http://deathstar/v1',
      },
      'http-request',
      'default/xwing:41234   default/deathstar-x:80   http-request   FORWARDED   HTTP/1.1 GET http://deathstar/v1',
    ],
    [
      'an HTTP answer, from who answers to who asked',
      {
        isReply: true,
        source: base.destination,
        destination: base.source,
        l4: { protocol: { case: 'TCP', value: { sourcePort: 80, destinationPort: 41234 } } },
        l7: { type: 2, latencyNs: 12_345_678n, record: { case: 'http', value: { code: 503 } } },
        eventType: { type: 129 },
        Summary: 'HTTP/1.1 503 12ms (GET http://deathstar/v1)',
      },
      'http-response',
      'default/deathstar-x:80   default/xwing:41234   http-response   FORWARDED   HTTP/1.1 503 12ms (GET http://deathstar/v1)',
    ],
    [
      'a name refused by a proxy',
      {
        verdict: 2,
        l4: udp,
        l7: { type: 1, record: { case: 'dns', value: { query: 'evil.example.', observationSource: 'proxy' } } },
        eventType: { type: 129 },
        Summary: 'DNS Query evil.example. A',
      },
      'dns-request proxy',
      'default/xwing:5353   default/deathstar-x:53   dns-request proxy   DROPPED   DNS Query evil.example. A',
    ],
    [
      'a message to Kafka',
      {
        l7: { type: 2, record: { case: 'kafka', value: { apiKey: 'produce', topic: 'orders' } } },
        eventType: { type: 129 },
        Summary: "Kafka response produce correlation id 7 topic 'orders' return code 0",
      },
      'kafka-response',
      "default/xwing:41234   default/deathstar-x:80   kafka-response   FORWARDED   Kafka response produce correlation id 7 topic 'orders' return code 0",
    ],
    [
      'something of layer 7 that nobody knows',
      { l7: { type: 3 }, eventType: { type: 129 }, Summary: '' },
      'l7-sample',
      'default/xwing:41234   default/deathstar-x:80   l7-sample   FORWARDED   ',
    ],
  ])('%s', (_name, flow, type, row) => {
    const [source, destination, , verdict, ...summary] = row.split('   ');
    expect(line(flow, { output: 'dict' })).toBe(`  TIMESTAMP: Nov 21 09:26:56.123
     SOURCE: ${source}
DESTINATION: ${destination}
       TYPE: ${type}
    VERDICT: ${verdict}
    SUMMARY: ${summary.join('   ')}
`);
    const printer = new FlowPrinter({ ...PLAIN, output: 'table' });
    const told = printer.print(response(flow)).out + printer.flush();
    expect(told.split('\n')[1].replaceAll(/ {3,}/g, '   ')).toBe(`Nov 21 09:26:56.123   ${row}`);
  });

  it('tells how packets were traced, and how their ends proved who they are', () => {
    expect(line({ ipTraceId: { traceId: 77n }, authType: 1 })).toContain(' (IP Trace ID: 77; TCP Flags: SYN; SPIRE)');
  });

  it('JSON with the names of the proto', () => {
    expect(JSON.parse(line({}, { output: 'json' }))).toMatchObject({
      flow: {
        l4: { TCP: { source_port: 41234 } },
        node_name: 'kind/worker',
        is_reply: false,
        Summary: 'TCP Flags: SYN',
      },
      node_name: 'kind/worker',
    });
  });
});

describe('what is no flow', () => {
  const lost = create(GetFlowsResponseSchema, {
    time,
    responseTypes: { case: 'lostEvents', value: { source: 3, numEventsLost: 12n } },
  });
  const nodes = (stateChange: NodeState, nodeNames: string[], message = '') =>
    create(GetFlowsResponseSchema, {
      time,
      nodeName: 'relay',
      responseTypes: { case: 'nodeStatus', value: { stateChange, nodeNames, message } },
    });

  it('losses stand among the flows', () => {
    expect(new FlowPrinter(PLAIN).print(lost).out).toBe(
      'Nov 21 09:26:56.123 EVENTS LOST: HUBBLE_RING_BUFFER CPU(0) 12\n',
    );
    expect(new FlowPrinter({ ...PLAIN, output: 'dict' }).print(lost).out).toContain('SUMMARY: CPU(0) - 12\n');
  });

  it('missing nodes are told on standard error, others not at all', () => {
    const printer = new FlowPrinter(PLAIN);
    expect(printer.print(nodes(NodeState.NODE_UNAVAILABLE, ['a', 'b']))).toEqual({
      out: '',
      err: 'Nov 21 09:26:56.123 [relay]: 2 nodes are unavailable: a, b\n',
    });
    expect(printer.print(nodes(NodeState.NODE_ERROR, ['a'], 'gone')).err).toContain('Error "gone" on 1 nodes: a\n');
    const many = Array.from({ length: 20 }, (_, index) => `node-${index}`);
    expect(printer.print(nodes(NodeState.NODE_UNAVAILABLE, many)).err).toContain(
      '20 nodes are unavailable: node-0, node-1, node-2, node-3, node-4, node-5 (and 14 more)\n',
    );
    expect(
      new FlowPrinter({ ...PLAIN, output: 'dict' }).print(nodes(NodeState.NODE_ERROR, ['a'], 'gone')).err,
    ).toBe(`  TIMESTAMP: Nov 21 09:26:56.123
      STATE: NODE_ERROR
      NODES: a
    MESSAGE: "gone"
`);
    expect(printer.print(nodes(NodeState.NODE_CONNECTED, ['a']))).toEqual({ out: '', err: '' });
  });
});

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { toJsonString } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FlowFilter, FlowFilterSchema, FlowSchema } from '#proto/gen/flow/flow_pb.ts';
import { flowMessage } from '../flow-message.ts';
import { generatedWindow } from '../generated-flows.ts';
import { compileFlowFilters, loadFilterParts } from './compile.ts';
import { FlowFilterError } from './filter-part.ts';
import { anyFilter, type FilterInit, filter } from './generated-filters.ts';

/** Hubble's own filters: scripts/build-hubble-cli.ts builds the command. */
const COMMAND = join(homedir(), '.cache/waggle/hubble-1.19.6/hubble-filters');

interface Lists {
  readonly whitelist: readonly FlowFilter[];
  readonly blacklist: readonly FlowFilter[];
}

const window = generatedWindow(400, 5);
const flows = Array.from({ length: window.length }, (_, row) => flowMessage(window.columns, row, window));

/** What one can write that is seldom written. */
const ODD: FilterInit[] = [
  ...['a/b/c', '', '/', 'XWING', ' xwing'].map((pod) => ({ sourcePod: [pod] })),
  ...['10.0.0.1/33', '10.0.0', '010.0.0.1', '10.0.0.1-10.0.0.9', '10.0.0.1/8', ''].map((ip) => ({ sourceIp: [ip] })),
  ...['', '.', 'EXAMPLE.com.', 'a b', 'exa*le.com', '**', '*.', 'a..b'].map((name) => ({ destinationFqdn: [name] })),
  ...['app', 'k8s.app', 'app==xwing', 'app in ()', 'app in (,)', 'app=', '!k8s:app', 'tier>2,tier<9', 'tier>x'].map(
    (label) => ({ sourceLabel: [label] }),
  ),
  ...[
    'foo:app',
    'container:x=y',
    '!reserved:init',
    '=',
    'a=b=c',
    'app in (xwing',
    'k8s:app in (xwing, cart)',
    'a,b',
  ].map((label) => ({ destinationLabel: [label] })),
  ...['080', '+80', '', '80-90', '65536', '-0', ' 80', '0x50'].map((port) => ({ destinationPort: [port] })),
  ...['', 'tcp ', 'Icmp', 'ICMPV6', 'kafka', 'sock'].map((protocol) => ({ protocol: [protocol] })),
  ...['', '4', '40', '4+', '404+', '+', '9+', '600', '099', '1+'].map((code) => ({ httpStatusCode: [code] })),
  ...['^/', '(', '^/cart/1$', '(?i)LOGIN', '^$', '\\d', '\\pN', '[[:alpha:]]+/1'].map((path) => ({ httpPath: [path] })),
  ...['', 'get', 'PUT '].map((method) => ({ httpMethod: [method] })),
  ...['', '(?i)SHOP', '[', '^shop.example.com.$'].map((query) => ({ dnsQuery: [query] })),
  ...['', '/', 'a/b/c', 'WORKER-1', 'worker', '*1', 'west/', '/worker-1', '*/*', 'w..', '?'].map((node) => ({
    nodeName: [node],
  })),
  ...[{ type: 0 }, { type: 4, matchSubType: true, subType: 101 }, { type: 1, matchSubType: true }, { type: -1 }].map(
    (type) => ({ eventType: [type] }),
  ),
  ...['', 'WEST', 'w*'].map((name) => ({ sourceClusterName: [name] })),
  ...[{ name: 'XWING' }, { name: 'xwing', kind: 'deployment' }, { name: 'xw' }].map((workload) => ({
    sourceWorkload: [workload],
  })),
  { eventType: [{ type: 4 }], httpStatusCode: ['404'] },
  { dropReasonDesc: [0] },
  ...[
    '_flow.verdict == Verdict.DROPPED',
    "_flow.source.labels.exists(l, l == 'reserved:init')",
    'has(_flow.l7)',
    '_flow.is_reply',
    '_flow.is_reply == true',
    '_flow.IP.source.matches("^10[.]0")',
    'size(_flow.source.labels) > 2 && _flow.verdict != Verdict.FORWARDED',
    '_flow.time > timestamp("2023-11-14T22:15:00Z")',
    '_flow.source_names[0] == "example.com"',
    '_flow.nothing',
    'nothing',
    '1',
  ].map((expression) => ({ experimental: { celExpression: [expression] } })),
];

const json = (list: readonly FlowFilter[]) => `[${list.map((one) => toJsonString(FlowFilterSchema, one)).join()}]`;
const text = ({ whitelist, blacklist }: Lists) => `{"whitelist":${json(whitelist)},"blacklist":${json(blacklist)}}`;

function theirs(asked: readonly Lists[]): string[] {
  const lines = [...flows.map((flow) => toJsonString(FlowSchema, flow)), '', ...asked.map(text)];
  const { stdout, stderr } = spawnSync(COMMAND, { input: `${lines.join('\n')}\n`, encoding: 'utf8', maxBuffer: 1e9 });
  expect(stderr).toBe('');
  return stdout.split('\n').slice(0, -1);
}

function ours(asked: Lists): string {
  try {
    const passes = compileFlowFilters(asked, window);
    return flows.map((_, row) => (passes(window.columns, row) ? '1' : '0')).join('');
  } catch (error) {
    expect(error).toBeInstanceOf(FlowFilterError);
    return 'refused';
  }
}

describe.skipIf(!existsSync(COMMAND))("Hubble's own filters (skipped where they were not built)", () => {
  test('say the same of every flow, whatever the filters', async () => {
    const lists = fc.tuple(fc.array(anyFilter, { maxLength: 3 }), fc.array(anyFilter, { maxLength: 2 }));
    const asked: Lists[] = [
      ...fc.sample(anyFilter, { numRuns: 600, seed: 5 }).map((one) => ({ whitelist: [one], blacklist: [] })),
      ...fc.sample(lists, { numRuns: 300, seed: 6 }).map(([whitelist, blacklist]) => ({ whitelist, blacklist })),
      ...ODD.map((one) => ({ whitelist: [filter(one)], blacklist: [] })),
    ];
    for (const one of asked) await loadFilterParts(one);
    const answers = theirs(asked);
    expect(answers).toHaveLength(asked.length);
    for (const [index, answer] of answers.entries()) {
      const expected = answer.startsWith('refused') ? 'refused' : answer;
      expect(ours(asked[index]), text(asked[index])).toBe(expected);
    }
    expect(answers.filter((answer) => answer.includes('1')).length).toBeGreaterThan(300);
  }, 60_000);
});

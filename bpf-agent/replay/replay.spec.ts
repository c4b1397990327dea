import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { afterEach, describe, expect, test } from 'vitest';
import { BatchDecoder, BatchEncoder } from '#core/flow/batch.ts';
import { allocateColumns, rowTimeMs, rowTimeNs } from '#core/flow/columns.ts';
import { NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { EndpointStore } from '#core/flow/endpoint-store.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { NO_DECISION, type PolicyReference } from '#core/flow/policy-decision.ts';
import { RuleEffect } from '#proto/gen/waggle/v1/agent_pb.ts';
import { type FlowBatch, FlowService, NodeState } from '#proto/gen/waggle/v1/flow_pb.ts';
import {
  type NodeAnswers,
  NodeAnswersSchema,
  type Recording,
  RecordingSchema,
} from '#proto/gen/waggle/v1/recording_pb.ts';
import { TraceOutcome, TraceServiceRequestSchema } from '#proto/gen/waggle/v1/service_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { RecordedAnswers } from './recorded-answers.ts';
import { packRecording, RecordingError, readRecording, unpackRecording } from './recording.ts';
import { type ReplayingAgent, startReplayingAgent } from './replaying-agent.ts';
import { Timeline } from './timeline.ts';

const STARTED_MS = 1_700_000_000_250;
const DURATION_MS = 1_000;
const SPAN = { startedMs: STARTED_MS, durationMs: DURATION_MS };
const BOOT = { cluster: 'recording', node: 'node1', bootId: 7n };

/** Batches as one stream of an agent brings them, a flow to port 1, 2, … at each of these milliseconds after the start. */
function batches(...groups: number[][]): FlowBatch[] {
  const window = new FlowWindow(1_000);
  const encoder = new BatchEncoder(window);
  const columns = allocateColumns(1);
  let port = 0;
  return groups.map((group) => {
    const from = window.end;
    for (const afterMs of group) {
      const atMs = STARTED_MS + afterMs;
      columns.timeSeconds[0] = Math.floor(atMs / 1000);
      columns.timeNanos[0] = (atMs % 1000) * 1_000_000 + 7;
      columns.destinationPort[0] = ++port;
      columns.node[0] = window.nodeNumber(BOOT);
      columns.source[0] = window.endpoints.intern({ ...NO_ENDPOINT, address: `10.0.0.${port}`, pod: `pod-${port}` });
      columns.destination[0] = window.endpoints.intern({ ...NO_ENDPOINT, address: '10.0.0.200', pod: 'server' });
      columns.policy[0] = window.decisions.intern({ ...NO_DECISION, deniedBy: [reference(`policy-${port}`)] });
      window.push(columns, 0);
    }
    return encoder.encode(Array.from({ length: group.length }, (_, index) => from + index));
  });
}

function reference(name: string): PolicyReference {
  return { kind: 'NetworkPolicy', namespace: 'default', name, rule: 0, path: 'ingress[0]' };
}

function recording(): Recording {
  return create(RecordingSchema, {
    started: timestampFromMs(STARTED_MS),
    durationMs: DURATION_MS,
    scenarios: ['guestbook'],
    nodes: [{ cluster: 'recording', name: 'node1', endpoints: 3, batches: batches([0, 100], [900]) }],
    state: [{ path: 'Pod/default/web-1.yaml', content: '{}' }],
  });
}

describe('a timeline', () => {
  const begin = 1_900_000_000_900;
  const replayed = () => {
    const window = new FlowWindow(100);
    const node = window.nodeNumber({ ...BOOT, bootId: 8n });
    return { window, timeline: new Timeline(window, node, batches([0, 100], [900]), SPAN, begin) };
  };

  test('tells a flow when its time has come, at its new time', () => {
    const { window, timeline } = replayed();
    expect(timeline.advance(begin - 1)).toBe(0);
    expect(timeline.advance(begin + 1)).toBe(1);
    expect(timeline.advance(begin + 99)).toBe(0);
    expect(timeline.advance(begin + 101)).toBe(1);
    expect(rowTimeNs(window.columns, 0)).toBe(BigInt(begin) * 1_000_000n + 7n);
    // Across the second's end.
    expect(rowTimeNs(window.columns, 1)).toBe(BigInt(begin + 100) * 1_000_000n + 7n);
    expect(window.columns.timeNanos[1]).toBe(7);
  });

  test('begins anew without end, with sequences that go on', () => {
    const { window, timeline } = replayed();
    expect(timeline.advance(begin + 2 * DURATION_MS + 50)).toBe(7);
    const rows = [0, 1, 2, 3, 4, 5, 6];
    expect(rows.map((row) => window.columns.destinationPort[row])).toEqual([1, 2, 3, 1, 2, 3, 1]);
    expect(rows.map((row) => window.columns.sequence[row])).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(rows.map((row) => Math.round(rowTimeMs(window.columns, row) - begin))).toEqual([
      0, 100, 900, 1000, 1100, 1900, 2000,
    ]);
    expect(window.endpoints.get(window.columns.source[3]).pod).toBe('pod-1');
    expect(window.decisions.get(window.columns.policy[3]).deniedBy).toEqual([reference('policy-1')]);
  });

  test('keeps its endpoints and decisions when the window has forgotten their flows', () => {
    const window = new FlowWindow(2);
    const timeline = new Timeline(window, window.nodeNumber(BOOT), batches([0, 100], [900]), SPAN, begin);
    timeline.advance(begin + 20 * DURATION_MS + 950);
    const pods = [window.start, window.start + 1].map(
      (position) => window.endpoints.get(window.columns.source[window.slot(position)]).pod,
    );
    expect(pods).toEqual(['pod-2', 'pod-3']);
    const decided = [window.start, window.start + 1].map(
      (position) => window.decisions.get(window.columns.policy[window.slot(position)]).deniedBy[0]!.name,
    );
    expect(decided).toEqual(['policy-2', 'policy-3']);
  });
});

describe('recorded answers', () => {
  const begin = 1_900_000_000_000;
  const recorded = (...answers: NodeAnswers[]) => new RecordedAnswers({ name: 'node1', answers }, SPAN, begin);
  const answers = recorded(answer(0, 4n, 10n), answer(400, 6n, 12n), answer(900, 7n, 13n));
  const rules = (afterMs: number) =>
    answers.ruleHits(begin + afterMs).rules.map(({ policies, hits, last }) => ({
      rule: policies[0]!.name,
      hits: Number(hits),
      ago: begin + afterMs - timestampMs(last!),
    }));

  test('are those of the same moment of the recording', () => {
    expect(rules(0)).toEqual([
      { rule: 'open', hits: 4, ago: 0 },
      { rule: 'quiet', hits: 3, ago: 5_000 },
    ]);
    expect(rules(450)[0]).toEqual({ rule: 'open', hits: 6, ago: 50 });
    expect(answers.services(begin + 450).services[0]!.frontends[0]!.backends[0]).toMatchObject({ opened: 12n });
  });

  test('count on from round to round, and what never decides does not', () => {
    expect(rules(DURATION_MS + 100)).toEqual([
      { rule: 'open', hits: 7, ago: 200 },
      { rule: 'quiet', hits: 3, ago: 6_100 },
    ]);
    expect(rules(5 * DURATION_MS + 950)[0]).toEqual({ rule: 'open', hits: 22, ago: 50 });
    const { services } = answers.services(begin + 5 * DURATION_MS + 950);
    expect(services[0]!.frontends[0]!.backends[0]).toMatchObject({ connections: 2, opened: 28n });
  });

  test('trace a connection to who stood behind the Service', async () => {
    const { traceService } = answers.loadBalancerService(() => begin);
    const ask = (port: number) =>
      traceService(create(TraceServiceRequestSchema, { address: '10.96.0.1', port, protocol: 'tcp' }), undefined!);
    expect(await ask(80)).toMatchObject({
      ...{ node: 'node1', outcome: TraceOutcome.BALANCED, namespace: 'default', service: 'web' },
      candidates: [{ share: 1, backend: { address: '10.0.0.1' } }],
    });
    expect(await ask(81)).toMatchObject({ outcome: TraceOutcome.PASSED, service: '', candidates: [] });
  });

  test('a rule that decides for the first time in the recording is told from then on', () => {
    const late = recorded(answer(0, 0n, 0n), answer(900, 2n, 0n));
    const hits = (afterMs: number) =>
      late.ruleHits(begin + afterMs).rules.find(({ policies }) => policies[0]!.name === 'open');
    expect(hits(100)).toBeUndefined();
    expect(hits(950)).toMatchObject({ hits: 2n });
    expect(hits(DURATION_MS + 100)).toMatchObject({ hits: 2n });
  });
});

/** Of a rule and a Service's backend with these counters, and of a rule that decided once, long before. */
function answer(afterMs: number, hits: bigint, opened: bigint): NodeAnswers {
  const rule = (name: string, hits: bigint, lastMs: number) => ({
    ...{ effect: RuleEffect.ALLOW, direction: 1, hits, packets: hits * 2n, last: timestampFromMs(lastMs) },
    policies: [reference(name)],
  });
  const backends = [
    { address: '10.0.0.1', port: 80, weight: 1, connections: 2, opened },
    { address: '10.0.0.2', port: 80, weight: 1, terminating: true },
  ];
  const frontend = { kind: 'cluster-ip', address: '10.96.0.1', port: 80, protocol: 'TCP', backends };
  return create(NodeAnswersSchema, {
    afterMs,
    ruleHits: {
      since: timestampFromMs(STARTED_MS - 60_000),
      rules: [...(hits > 0n ? [rule('open', hits, STARTED_MS + afterMs)] : []), rule('quiet', 3n, STARTED_MS - 5_000)],
    },
    services: { services: [{ namespace: 'default', name: 'web', frontends: [frontend] }] },
  });
}

describe('a recording', () => {
  test('comes back from its file as it was', () => {
    expect(unpackRecording(packRecording(recording()))).toEqual(recording());
  });

  test.for<[string, (recording: Recording) => void, RegExp]>([
    ['leads out of the state folder', ({ state }) => Object.assign(state[0], { path: '../x.yaml' }), /not the path/],
    ['has no length', (whole) => Object.assign(whole, { durationMs: 0 }), /no length/],
    ['has no nodes', (whole) => Object.assign(whole, { nodes: [] }), /no nodes/],
    ['has a node without flows', ({ nodes }) => Object.assign(nodes[0], { batches: [] }), /node1 has no flows/],
    [
      'has half an answer',
      ({ nodes }) => Object.assign(nodes[0], { answers: [create(NodeAnswersSchema, { ruleHits: {} })] }),
      /node1 has half an answer/,
    ],
  ])('is refused when it %s', ([, spoil, why]) => {
    const spoilt = recording();
    spoil(spoilt);
    expect(() => unpackRecording(packRecording(spoilt))).toThrow(why);
  });

  test('is refused by name when the file is damaged or missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'waggle-recording-'));
    try {
      const path = join(folder, 'damaged.gz');
      writeFileSync(path, packRecording(recording()).subarray(0, 60));
      expect(() => readRecording(path)).toThrow(RecordingError);
      expect(() => readRecording(path)).toThrow(/damaged\.gz cannot be replayed/);
      expect(() => readRecording(join(folder, 'missing.gz'))).toThrow(/missing\.gz cannot be replayed: ENOENT/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('a replaying agent', () => {
  let agent: ReplayingAgent | undefined;
  afterEach(async () => {
    await agent?.stop();
  });

  test('is followed and asked like any agent', async () => {
    const [node] = recording().nodes;
    agent = await startReplayingAgent({ recording: node!, span: SPAN, beginMs: Date.now(), version: '1.2.3' });
    const client = createClient(FlowService, agent.address);
    try {
      const endpoints = new EndpointStore();
      const decoder = new BatchDecoder({ endpoints, nodeNumber: () => 0 });
      const pods: string[] = [];
      const denied: (string | undefined)[] = [];
      const ended = new AbortController();
      for await (const batch of client.follow({ follow: true, last: 100 }, { signal: ended.signal })) {
        const { rows, columns } = decoder.decode(batch);
        for (let row = 0; row < rows; row++) {
          pods.push(endpoints.get(columns.source[row]).pod);
          denied.push(decoder.decisions.get(columns.policy[row]).deniedBy[0]?.name);
        }
        if (pods.length >= 5) break;
      }
      ended.abort();
      expect(pods.slice(0, 5)).toEqual(['pod-1', 'pod-2', 'pod-3', 'pod-1', 'pod-2']);
      expect(denied.slice(0, 4)).toEqual(['policy-1', 'policy-2', 'policy-3', 'policy-1']);
      const { nodes, version } = await client.status({});
      expect(version).toBe('1.2.3');
      expect(nodes[0]).toMatchObject({ cluster: 'recording', name: 'node1', state: NodeState.CONNECTED, endpoints: 3 });
    } finally {
      client.close();
    }
  });
});

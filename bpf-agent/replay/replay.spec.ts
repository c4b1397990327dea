import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { afterEach, describe, expect, test } from 'vitest';
import { BatchDecoder, BatchEncoder } from '#core/flow/batch.ts';
import { allocateColumns, rowTimeMs, rowTimeNs } from '#core/flow/columns.ts';
import { NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { EndpointStore } from '#core/flow/endpoint-store.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { type FlowBatch, FlowService, NodeState } from '#proto/gen/waggle/v1/flow_pb.ts';
import { type Recording, RecordingSchema } from '#proto/gen/waggle/v1/recording_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
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
      window.push(columns, 0);
    }
    return encoder.encode(Array.from({ length: group.length }, (_, index) => from + index));
  });
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
  });

  test('keeps its endpoints when the window has forgotten their flows', () => {
    const window = new FlowWindow(2);
    const timeline = new Timeline(window, window.nodeNumber(BOOT), batches([0, 100], [900]), SPAN, begin);
    timeline.advance(begin + 20 * DURATION_MS + 950);
    const pods = [window.start, window.start + 1].map(
      (position) => window.endpoints.get(window.columns.source[window.slot(position)]).pod,
    );
    expect(pods).toEqual(['pod-2', 'pod-3']);
  });
});

describe('a recording', () => {
  test('comes back from its file as it was', () => {
    expect(unpackRecording(packRecording(recording()))).toEqual(recording());
  });

  test.for<[string, (recording: Recording) => void, RegExp]>([
    ['leads out of the state folder', ({ state }) => Object.assign(state[0], { path: '../x.yaml' }), /not the path/],
    ['has no length', (whole) => Object.assign(whole, { durationMs: 0 }), /no length/],
    ['has no nodes', (whole) => Object.assign(whole, { nodes: [] }), /no nodes/],
    ['has a node without flows', ({ nodes }) => Object.assign(nodes[0], { batches: [] }), /node1 has no flows/],
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
      const ended = new AbortController();
      for await (const batch of client.follow({ follow: true, last: 100 }, { signal: ended.signal })) {
        const { rows, columns } = decoder.decode(batch);
        for (let row = 0; row < rows; row++) pods.push(endpoints.get(columns.source[row]).pod);
        if (pods.length >= 5) break;
      }
      ended.abort();
      expect(pods.slice(0, 5)).toEqual(['pod-1', 'pod-2', 'pod-3', 'pod-1', 'pod-2']);
      const { nodes, version } = await client.status({});
      expect(version).toBe('1.2.3');
      expect(nodes[0]).toMatchObject({ cluster: 'recording', name: 'node1', state: NodeState.CONNECTED, endpoints: 3 });
    } finally {
      client.close();
    }
  });
});

import { create } from '@bufbuild/protobuf';
import { timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { GetFlowRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { pushFlows } from '#runtime/testing/sample-flows.ts';
import { ViewReader } from '../testing/view-reader.ts';
import { findFlow } from './find-flow.ts';

const boot = { cluster: 'test', node: 'node-1', bootId: 7n };
const ask = (sequence: bigint, of = boot) => create(GetFlowRequestSchema, { boot: of, sequence });

describe('a flow by its id', () => {
  const window = new FlowWindow(3);
  pushFlows(
    window,
    [1, 2, 3, 4].map((sequence) => ({ boot, sequence, timeMs: 1_790_000_000_000 + sequence })),
  );

  it('is found while the window holds it', async () => {
    const { flow, oldest } = await findFlow(window, ask(3n));
    const reader = new ViewReader();
    reader.takeBatch(flow!);
    expect(reader.flows).toEqual(['node-1#3']);
    expect(timestampMs(oldest!)).toBe(1_790_000_000_002);
  });

  it('is absent when it was overwritten or never was; the answer says from when on flows are held', async () => {
    for (const request of [ask(1n), ask(5n), ask(3n, { ...boot, bootId: 8n }), ask(3n, { ...boot, cluster: 'x' })]) {
      const { flow, oldest } = await findFlow(window, request);
      expect(flow).toBeUndefined();
      expect(timestampMs(oldest!)).toBe(1_790_000_000_002);
    }
    expect((await findFlow(new FlowWindow(1), ask(1n))).oldest).toBeUndefined();
  });

  it('has to be named', async () => {
    await expect(findFlow(window, create(GetFlowRequestSchema, { sequence: 1n }))).rejects.toThrow(/cluster, node/);
  });
});

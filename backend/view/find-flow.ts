import { setImmediate as nextTurn } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import { BatchEncoder } from '#core/flow/batch.ts';
import { rowTimeMs } from '#core/flow/columns.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { type GetFlowRequest, type GetFlowResponse, GetFlowResponseSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import { timestamp } from '../timestamp.ts';

/** Rows looked at without a pause. */
const SLICE_ROWS = 65_536;

/** Finds one flow by its id, from the newest back. Throws a StatusError for a request that names no node boot. */
export async function findFlow(window: FlowWindow, request: GetFlowRequest): Promise<GetFlowResponse> {
  const { boot, sequence } = request;
  if (boot === undefined || boot.node === '') {
    throw new StatusError(Code.INVALID_ARGUMENT, 'a flow is asked for by cluster, node, boot id and sequence');
  }
  const node = window.nodes.findIndex(
    (each) => each.bootId === boot.bootId && each.node === boot.node && each.cluster === boot.cluster,
  );
  const position = node < 0 ? undefined : await positionOf(window, node, Number(sequence));
  const oldest = window.length === 0 ? undefined : rowTimeMs(window.columns, window.slot(window.start));
  return create(GetFlowResponseSchema, {
    flow: position === undefined ? undefined : new BatchEncoder(window).encode([position]),
    oldest: oldest === undefined ? undefined : timestamp(oldest),
  });
}

async function positionOf(window: FlowWindow, node: number, sequence: number): Promise<number | undefined> {
  for (let position = window.end - 1; position >= window.start; ) {
    const stop = Math.max(window.start, position - SLICE_ROWS + 1);
    for (; position >= stop; position--) {
      const row = window.slot(position);
      if (window.columns.sequence[row] === sequence && window.columns.node[row] === node) return position;
    }
    await nextTurn();
  }
  return undefined;
}

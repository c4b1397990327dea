import { create } from '@bufbuild/protobuf';
import { parseFlowId } from '#core/flow/node-boot.ts';
import { GetFlowRequestSchema, ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import type { CallError } from './call-error.ts';
import { callFailure } from './call-failure.ts';
import { flowDetails } from './flow-details.ts';
import { FlowStore } from './flow-store.ts';
import { callUnary } from './grpc-web-client.ts';
import { milliseconds } from './milliseconds.ts';
import type { FlowAnswer } from './protocol.ts';

/** Everything about a flow by its id: from what the page holds, else from the server's window. */
export async function findFlow(base: string, held: FlowStore | undefined, id: string): Promise<FlowAnswer> {
  const parsed = parseFlowId(id);
  if (parsed === undefined) return { state: 'failed', message: `"${id}" is not the id of a flow.` };
  const { boot, sequence } = parsed;
  const position = held?.window.find(boot, sequence);
  if (held !== undefined && position !== undefined) {
    return { state: 'found', details: flowDetails(held.window, position) };
  }
  try {
    const request = create(GetFlowRequestSchema, { boot, sequence: BigInt(sequence) });
    const { flow, oldest } = await callUnary(base, ViewService.method.getFlow, request);
    if (flow === undefined || flow.rows !== 1) {
      return { state: 'gone', oldest: oldest === undefined ? null : milliseconds(oldest) };
    }
    const alone = new FlowStore(1);
    alone.beginStream();
    alone.push(flow);
    return { state: 'found', details: flowDetails(alone.window, 0) };
  } catch (error) {
    return { state: 'failed', message: callFailure(error as CallError).message };
  }
}

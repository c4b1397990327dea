import { create, toBinary } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { RowPredicate } from '#core/filter/algebra.ts';
import { FieldMaskError, FlowMask } from '#core/hubble/field-mask.ts';
import { compileFlowFilters, loadFilterParts } from '#core/hubble/filter/compile.ts';
import { FlowFilterError } from '#core/hubble/filter/filter-part.ts';
import { FlowEncoder } from '#core/hubble/flow-encoder.ts';
import { LostEventSchema, LostEventSource } from '#proto/gen/flow/flow_pb.ts';
import { type GetFlowsRequest, GetFlowsResponseSchema } from '#proto/gen/observer/observer_pb.ts';
import { NodeState, NodeStatusEventSchema } from '#proto/gen/relay/relay_pb.ts';
import { EncodedResponses } from '../grpc/encoded-responses.ts';
import { type CallContext, Code, StatusError } from '../grpc/service.ts';
import { firstMatching, lastMatching } from './matching-positions.ts';
import type { ObservedFlows, ToldLoss } from './observed-flows.ts';
import { TimeRange } from './time-range.ts';
import { TimeSlice } from './time-slice.ts';

/** What comes within this time shares a turn, in milliseconds. */
const FLUSH_MS = 20;
/** A follower looks around at least this often. */
const IDLE_MS = 60_000;
const ROWS_PER_CHUNK = 256;

/**
 * Serves Hubble's GetFlows from columns: past flows as asked for, then with `follow` those that happen, with node states
 * and losses in between. Yields encoded responses.
 */
export async function* getFlows(
  flows: ObservedFlows,
  request: GetFlowsRequest,
  { signal }: CallContext,
): AsyncGenerator<EncodedResponses> {
  const { window } = flows;
  await loadFilterParts(request);
  const { matches, mask } = readRequest(request, flows);
  const range = new TimeRange(request.since, request.until);
  const { follow } = request;
  const number = Number(request.number);
  const encoder = new FlowEncoder(window, mask);
  const losses = flows.lossReader();
  const states = nodeStates(flows);

  const opening = states();
  if (opening.length > 0) yield new EncodedResponses(opening);

  // As with Hubble, since goes before number: the first so many are counted from it, and followers get all.
  const first = request.first || range.begins;
  let position = first || !follow ? window.start : window.end;
  if (number > 0 && !(first && follow)) {
    position = window.end;
    yield* numbered(flows, first ? 'first' : 'last', matches, number, range, encoder, signal);
    if (!follow) return;
  }

  const last = follow ? Number.POSITIVE_INFINITY : window.end;
  const slice = new TimeSlice();
  while (!signal.aborted) {
    const messages = new EncodedResponses([...states(), ...losses().map(lostEvent)]);
    if (position < window.start) {
      messages.add(lostEvent(overwritten(flows, window.start - position)));
      position = window.start;
    }
    const end = Math.min(window.end, last);
    const { columns } = window;
    let [ended, paused] = [false, false];
    for (; position < end && messages.count < ROWS_PER_CHUNK; position++) {
      if (slice.over) {
        paused = true;
        break;
      }
      const slot = window.slot(position);
      // Rows of other nodes that belong before it may stand behind it: those held now are all looked at.
      if (follow && range.isPast(columns, slot, flows.disorderMs)) {
        ended = true;
        break;
      }
      if (!range.has(columns, slot) || !matches(columns, slot)) continue;
      messages.write((to) => encoder.writeResponse(columns, slot, to));
    }
    const told = messages.count > 0;
    if (told) {
      slice.rest();
      yield messages;
      slice.resume();
    } else messages.release();
    if (paused) await slice.turn();
    if (ended || position >= last) return;
    if (position < window.end) continue;
    slice.rest();
    await flows.news(signal, IDLE_MS);
    // After a pause the first flow goes at once; those behind it share a turn.
    if (told && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, FLUSH_MS));
    slice.resume();
  }
}

/** The first or last so many of every node, as of now. */
async function* numbered(
  flows: ObservedFlows,
  which: 'first' | 'last',
  matches: RowPredicate,
  number: number,
  range: TimeRange,
  encoder: FlowEncoder,
  signal: AbortSignal,
): AsyncGenerator<EncodedResponses> {
  const { window } = flows;
  const { columns } = window;
  const inRange: RowPredicate = (from, slot) => range.has(from, slot) && matches(from, slot);
  const gathered =
    which === 'first'
      ? await firstMatching(window, inRange, number, signal)
      : // The last so many of all, of which those within the range are told.
        { positions: await lastMatching(window, matches, number, signal), overwritten: 0 };
  let missed = gathered.overwritten;
  const { positions } = gathered;
  for (let from = 0; (from < positions.length || missed > 0) && !signal.aborted; from += ROWS_PER_CHUNK) {
    const chunk = positions.slice(from, from + ROWS_PER_CHUNK);
    // Overwritten while the reader took what was before.
    const held = chunk.filter((at) => at >= window.start);
    missed += chunk.length - held.length;
    const messages = new EncodedResponses(missed > 0 ? [lostEvent(overwritten(flows, missed))] : []);
    missed = 0;
    for (const at of held) {
      const slot = window.slot(at);
      if (range.has(columns, slot)) messages.write((to) => encoder.writeResponse(columns, slot, to));
    }
    if (messages.count > 0) yield messages;
    else messages.release();
  }
}

function readRequest(request: GetFlowsRequest, flows: ObservedFlows): { matches: RowPredicate; mask: FlowMask } {
  if (request.first && request.follow) {
    throw new StatusError(Code.INVALID_ARGUMENT, 'first cannot be specified with follow');
  }
  try {
    return { matches: compileFlowFilters(request, flows.window), mask: new FlowMask(request.fieldMask) };
  } catch (error) {
    if (!(error instanceof FlowFilterError || error instanceof FieldMaskError)) throw error;
    throw new StatusError(Code.INVALID_ARGUMENT, error.message);
  }
}

function overwritten(flows: ObservedFlows, count: number): ToldLoss {
  const now = timestampFromMs(Date.now());
  const source = LostEventSource.HUBBLE_RING_BUFFER;
  const event = create(LostEventSchema, { source, numEventsLost: BigInt(count), first: now, last: now });
  return { nodeName: flows.nodeName, event };
}

function lostEvent({ nodeName, event }: ToldLoss): Uint8Array {
  return toBinary(
    GetFlowsResponseSchema,
    create(GetFlowsResponseSchema, {
      nodeName,
      time: timestampFromMs(Date.now()),
      responseTypes: { case: 'lostEvents', value: event },
    }),
  );
}

/** Tells how the nodes of a relay stand, then what changes: one message per state, with the names that have come to it. */
function nodeStates(flows: ObservedFlows): () => Uint8Array[] {
  const told = new Map<string, NodeState>();
  return () => {
    const nodes = flows.nodes?.() ?? [];
    const byState = new Map<NodeState, string[]>();
    const say = (state: NodeState, name: string) => byState.set(state, [...(byState.get(state) ?? []), name]);
    for (const { name, state } of nodes) {
      if (told.get(name) === state) continue;
      told.set(name, state);
      say(state, name);
    }
    for (const name of [...told.keys()]) {
      if (nodes.some((node) => node.name === name)) continue;
      told.delete(name);
      say(NodeState.NODE_GONE, name);
    }
    return [...byState].sort(([a], [b]) => a - b).map(([state, names]) => nodeStatus(flows, state, names.sort()));
  };
}

function nodeStatus(flows: ObservedFlows, stateChange: NodeState, nodeNames: string[]): Uint8Array {
  return toBinary(
    GetFlowsResponseSchema,
    create(GetFlowsResponseSchema, {
      nodeName: flows.nodeName,
      time: timestampFromMs(Date.now()),
      responseTypes: { case: 'nodeStatus', value: create(NodeStatusEventSchema, { stateChange, nodeNames }) },
    }),
  );
}

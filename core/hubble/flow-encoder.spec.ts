import { fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { FlowSchema } from '#proto/gen/flow/flow_pb.ts';
import { GetFlowsResponseSchema } from '#proto/gen/observer/observer_pb.ts';
import { FlowMask } from './field-mask.ts';
import { FlowEncoder } from './flow-encoder.ts';
import { hubbleFlowJson, hubbleResponseJson } from './flow-json.ts';
import { flowMessage } from './flow-message.ts';
import { generatedWindow } from './generated-flows.ts';
import { WireWriter } from './wire-writer.ts';

const window = generatedWindow(500, 1);
const { columns } = window;
const rows = Array.from({ length: window.length }, (_, row) => row);

describe('a row as bytes of Hubble’s message', () => {
  it('is what the message object and the JSON of it say', () => {
    const encoder = new FlowEncoder(window);
    for (const row of rows) {
      const writer = new WireWriter();
      encoder.writeResponse(columns, row, writer);
      const response = fromBinary(GetFlowsResponseSchema, writer.copy());
      expect(response.responseTypes.case).toBe('flow');
      const flow = fromBinary(FlowSchema, encoder.flow(columns, row));
      expect(response.responseTypes.value).toEqual(flow);
      expect(toBinary(FlowSchema, flow)).toEqual(toBinary(FlowSchema, flowMessage(columns, row, window)));
      expect(toJson(GetFlowsResponseSchema, response, { useProtoFieldName: true })).toEqual(
        hubbleResponseJson(columns, row, window),
      );
    }
  });

  it('puts a length of one, two or three bytes before what is long so', () => {
    for (const length of [0, 1, 127, 128, 16_383, 16_384, 70_000]) {
      const content = new Uint8Array(length).map((_, index) => index);
      const writer = new WireWriter(8);
      writer.varint(7);
      const begin = writer.beginLength();
      writer.raw(content);
      writer.endLength(begin);
      writer.raw(new Uint8Array([9]));
      const direct = new WireWriter();
      direct.field(0, content);
      expect(writer.copy()).toEqual(new Uint8Array([7, ...direct.copy().subarray(1), 9]));
    }
  });

  it('holds sequences beyond 32 bits', () => {
    const big = generatedWindow(1, 2);
    for (const sequence of [1, 9, 10, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
      big.columns.sequence[0] = sequence;
      expect(fromBinary(FlowSchema, new FlowEncoder(big).flow(big.columns, 0)).uuid).toBe(
        hubbleFlowJson(big.columns, 0, big).uuid,
      );
    }
  });

  it.each([
    [['time', 'source.namespace', 'source.pod_name', 'is_reply']],
    [['l4.TCP.destination_port', 'IP.destination', 'verdict']],
    [['Summary', 'l4', 'destination']],
    [['uuid']],
    [['time.seconds', 'interface.name', 'egress_denied_by', 'event_type.type']],
    [['source', 'source.identity']],
    [['is_reply.value', 'reply']],
  ])('with the field mask %j leaves the rest out', (paths) => {
    const mask = new FlowMask({ paths });
    const encoder = new FlowEncoder(window, mask);
    for (const row of rows.slice(0, 100)) {
      const flow = fromBinary(FlowSchema, encoder.flow(columns, row));
      expect(flow).toEqual(
        fromBinary(FlowSchema, toBinary(FlowSchema, mask.project(FlowSchema, flowMessage(columns, row, window)))),
      );
      const full = toJson(FlowSchema, flowMessage(columns, row, window), { useProtoFieldName: true });
      expect(toJson(FlowSchema, flow, { useProtoFieldName: true })).toEqual(picked(full, paths));
    }
  });

  it('answers a full mask with the full flow, and refuses paths that are none', () => {
    expect(new FlowMask({ paths: [] }).everything).toBe(true);
    expect(() => new FlowMask({ paths: ['source.nothing'] })).toThrow('"source.nothing" is not a path of flow.Flow');
    expect(() => new FlowMask({ paths: ['verdict.x'] })).toThrow('nothing is within "verdict"');
    expect(() => new FlowMask({ paths: [''] })).toThrow('is not a path');
  });

  it('knows an endpoint again after its number was given to another', () => {
    const small = generatedWindow(2, 3);
    const encoder = new FlowEncoder(small);
    encoder.flow(small.columns, 0);
    const more = generatedWindow(64, 4);
    for (let row = 0; row < 64; row++) {
      const slot = small.claim();
      for (const name of ['sourcePort', 'destinationPort', 'protocol', 'verdict'] as const) {
        small.columns[name][slot] = more.columns[name][row];
      }
      small.columns.policy[slot] = 0;
      small.columns.source[slot] = small.endpoints.intern(more.endpoints.get(more.columns.source[row]));
      small.columns.destination[slot] = small.endpoints.intern(more.endpoints.get(more.columns.destination[row]));
      small.commit(slot);
      expect(fromBinary(FlowSchema, encoder.flow(small.columns, slot))).toEqual(
        fromBinary(FlowSchema, toBinary(FlowSchema, flowMessage(small.columns, slot, small))),
      );
    }
  });
});

/** The slow reading of a field mask, on JSON. */
function picked(full: unknown, paths: readonly string[]): unknown {
  const result: Record<string, unknown> = {};
  for (const path of paths) {
    const names = path.split('.');
    // Well-known types have a JSON form of their own.
    if (names[0] === 'is_reply') names.length = 1;
    if (path === 'time.seconds') {
      result.time = String((full as { time: string }).time).replace(/\.\d+Z$/, 'Z');
      continue;
    }
    let from = full as Record<string, unknown> | undefined;
    let to = result;
    for (const [index, name] of names.entries()) {
      if (from?.[name] === undefined) break;
      if (index === names.length - 1) to[name] = from[name];
      else {
        to[name] = { ...(to[name] as object) };
        to = to[name] as Record<string, unknown>;
        from = from[name] as Record<string, unknown>;
      }
    }
  }
  return result;
}

import { create } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { FlowSchema } from '#proto/gen/flow/flow_pb.ts';
import { allocateColumns } from '../flow/columns.ts';
import { FlowWindow } from '../flow/flow-window.ts';
import { roundTripMicros } from '../flow/translation.ts';
import { flowMessage } from './flow-message.ts';
import { writeFlowRow } from './flow-row.ts';
import { generatedWindow } from './generated-flows.ts';

const boot = { cluster: 'far', node: 'relay', bootId: 9n };

it('a flow told by Hubble becomes a row that says the same', () => {
  const from = generatedWindow(400, 5);
  const window = new FlowWindow(8);
  const columns = allocateColumns(1);
  for (let row = 0; row < from.length; row++) {
    const flow = flowMessage(from.columns, row, from);
    writeFlowRow(flow, boot, row + 1, columns, 0, window);
    window.push(columns, 0);
    const slot = window.slot(window.end - 1);
    const again = flowMessage(window.columns, slot, window);
    // Told only for first packets, for protocols Hubble has a message for, and for packets that passed.
    const untold = {
      traceReason: 0,
      Summary: flow.l4 === undefined ? '' : undefined,
      interface: flow.verdict === 2 ? null : undefined,
    };
    const told = (one: typeof flow) => ({
      ...one,
      traceReason: untold.traceReason,
      Summary: untold.Summary ?? one.Summary,
      interface: untold.interface === null ? undefined : one.interface,
      // Hubble does not tell a Service's address, without which it is none of ours.
      sourceService: undefined,
      destinationService: undefined,
    });
    expect(told(again)).toEqual(told(flow));
    expect(roundTripMicros(window.columns, slot) + window.columns.bytesOriginal[slot]).toBe(0);
  }
});

it('a flow of somebody else gets an id of ours', () => {
  const window = new FlowWindow(2);
  const columns = allocateColumns(1);
  writeFlowRow(create(FlowSchema, { uuid: '3a5e-…', verdict: 1 }), boot, 77, columns, 0, window);
  window.push(columns, 0);
  expect(flowMessage(window.columns, 0, window).uuid).toBe('far/relay/9/77');
});

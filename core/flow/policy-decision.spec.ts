import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { FlowBatchSchema, PolicyDecisionSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { BatchDecoder, BatchEncoder } from './batch.ts';
import { FlowDecodeError } from './column-codec.ts';
import { compactLine } from './compact-line.ts';
import { decisionFromMessage, decisionMessage } from './decision-message.ts';
import { decisionText } from './decision-text.ts';
import { DIRECTION } from './direction.ts';
import { DROP_REASON } from './drop-reason.ts';
import { NO_ENDPOINT } from './endpoint.ts';
import { FLOW_FIELD_NAMES } from './fields.ts';
import { FlowWindow } from './flow-window.ts';
import { NO_DECISION, type PolicyDecision } from './policy-decision.ts';
import { rowObject } from './testing/row-object.ts';
import { VERDICT } from './verdict.ts';

const policy = { kind: 'NetworkPolicy', namespace: 'stars', name: 'default-deny', rule: -1 };
const rule = {
  kind: 'CiliumClusterwideNetworkPolicy',
  namespace: '',
  name: 'baseline',
  rule: 0,
  path: 'spec.egressDeny[0]',
};
const denied: PolicyDecision = {
  ...NO_DECISION,
  direction: DIRECTION.INGRESS,
  deniedBy: [policy, { ...policy, name: 'allow-ui' }],
  defaultDeny: true,
};
const allowed: PolicyDecision = { ...NO_DECISION, direction: DIRECTION.EGRESS, allowedBy: [{ ...policy, rule: 1 }] };
const audited: PolicyDecision = { ...allowed, auditDeniedBy: [rule] };

function push(window: FlowWindow, decision: PolicyDecision, verdict: number = VERDICT.FORWARDED): number {
  const slot = window.claim();
  for (const name of FLOW_FIELD_NAMES) window.columns[name][slot] = 0;
  window.columns.node[slot] = window.nodeNumber({ cluster: 'lab', node: 'n1', bootId: 1n });
  window.columns.source[slot] = window.endpoints.intern({ ...NO_ENDPOINT, address: '10.0.0.1' });
  window.columns.destination[slot] = window.endpoints.intern({ ...NO_ENDPOINT, address: '10.0.0.2' });
  window.columns.policy[slot] = window.decisions.intern(decision);
  window.columns.verdict[slot] = verdict;
  if (verdict === VERDICT.DROPPED) window.columns.dropReason[slot] = DROP_REASON.POLICY_DENIED;
  window.commit(slot);
  return window.end - 1;
}

function sent(encoder: BatchEncoder, rows: number[]) {
  return fromBinary(FlowBatchSchema, toBinary(FlowBatchSchema, encoder.encode(rows)));
}

describe('policy decisions', () => {
  it('survive the message', () => {
    for (const decision of [denied, allowed, audited, NO_DECISION]) {
      const bytes = toBinary(PolicyDecisionSchema, decisionMessage(decision));
      expect(decisionFromMessage(fromBinary(PolicyDecisionSchema, bytes))).toEqual(decision);
    }
  });

  it('travel with their flows, each once per stream; flows without one name none', () => {
    const window = new FlowWindow(8);
    const encoder = new BatchEncoder(window);
    const there = new FlowWindow(8);
    there.decisions.retain(there.decisions.intern({ ...denied, deniedBy: [] }));
    const decoder = new BatchDecoder(there);
    const all = [denied, NO_DECISION, allowed, denied, audited];
    const first = sent(
      encoder,
      all.map((decision) => push(window, decision)),
    );
    expect(first.decisions).toHaveLength(3);
    const { rows, columns } = decoder.decode(first);
    for (let row = 0; row < rows; row++) there.push(columns, row);
    expect(all.map((_, row) => there.decisions.get(there.columns.policy[row]))).toEqual(all);
    expect(there.columns.policy[1]).toBe(0);
    expect(sent(encoder, [push(window, audited)]).decisions).toHaveLength(0);
    expect(encoder.dictionarySize).toBe(2 + 3);
  });

  it('are held by the rows of a window and by nothing else', () => {
    const window = new FlowWindow(2);
    for (let index = 0; index < 100; index++) push(window, { ...denied, deniedBy: [{ ...policy, rule: index }] });
    expect(window.decisions.size).toBe(1 + 2);
    for (let index = 0; index < 2; index++) push(window, NO_DECISION);
    expect(window.decisions.size).toBe(1);
  });

  it('must have been sent', () => {
    const window = new FlowWindow(2);
    const batch = sent(new BatchEncoder(window), [push(window, denied)]);
    batch.decisions = [];
    expect(() => new BatchDecoder(new FlowWindow(2)).decode(batch)).toThrow(FlowDecodeError);
  });

  it('default to none where an earlier build sent the batch', () => {
    expect(decisionFromMessage(create(PolicyDecisionSchema))).toEqual(NO_DECISION);
  });
});

describe('a decision in words', () => {
  it('names rules and contributors', () => {
    expect(decisionText(allowed)).toBe('allowed by NetworkPolicy stars/default-deny rule 1');
    expect(decisionText(denied)).toBe(
      'denied by default, selected by NetworkPolicy stars/default-deny, NetworkPolicy stars/allow-ui',
    );
    expect(decisionText({ ...NO_DECISION, deniedBy: [rule] })).toBe(
      'denied by CiliumClusterwideNetworkPolicy baseline spec.egressDeny[0]',
    );
    expect(decisionText({ ...NO_DECISION, auditDefaultDeny: true, auditDeniedBy: [policy] })).toBe(
      'would be dropped by default, selected by NetworkPolicy stars/default-deny',
    );
    expect(decisionText(NO_DECISION)).toBe('');
  });

  it('ends the line of a drop, and no other', () => {
    const window = new FlowWindow(4);
    const line = (position: number) =>
      compactLine(window.columns, position, window.endpoints, undefined, window.decisions);
    expect(line(push(window, denied, VERDICT.DROPPED))).toMatch(
      /Policy denied DROPPED \(.*\) denied by default, selected by NetworkPolicy stars\/default-deny, /,
    );
    expect(line(push(window, allowed))).toMatch(/\)$/);
    expect(line(push(window, audited, VERDICT.AUDIT))).toMatch(
      / AUDIT \(.*\) allowed by .*; would be dropped by Cilium/,
    );
  });

  it('stands in the object of a row', () => {
    const window = new FlowWindow(4);
    const object = (position: number) =>
      rowObject(window.columns, position, window.endpoints, window.nodes, window.decisions).policy;
    expect(object(push(window, denied, VERDICT.DROPPED))).toEqual({
      direction: 'INGRESS',
      deniedBy: [
        { kind: 'NetworkPolicy', namespace: 'stars', name: 'default-deny' },
        { kind: 'NetworkPolicy', namespace: 'stars', name: 'allow-ui' },
      ],
      defaultDeny: true,
    });
    expect(object(push(window, audited))).toMatchObject({
      auditDeniedBy: [{ kind: 'CiliumClusterwideNetworkPolicy', name: 'baseline', rule: 0 }],
    });
    expect(object(push(window, NO_DECISION))).toBeUndefined();
  });
});

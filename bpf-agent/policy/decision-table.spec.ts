import { describe, expect, it } from 'vitest';
import { DecisionStore } from '#core/flow/decision-store.ts';
import { DIRECTION } from '#core/flow/direction.ts';
import type { Reason } from '#core/policy/reason.ts';
import { RuleEffect } from '#proto/gen/waggle/v1/agent_pb.ts';
import { DecisionTable } from './decision-table.ts';
import { RuleHitLog } from './rule-hits.ts';

const policy = { kind: 'NetworkPolicy', namespace: 'shop', name: 'web' } as const;
const REASONS = new Map<number, Reason>([
  [1, { kind: 'no-policy' }],
  [16, { kind: 'rule', rule: { policy, spec: undefined, list: 'ingress', index: 2 } }],
  [17, { kind: 'default-deny', policies: [policy, { ...policy, name: 'db' }] }],
]);

function table() {
  const store = new DecisionStore();
  const decisions = new DecisionTable(store, (id) => REASONS.get(id));
  return { store, decisions };
}

describe('rule ids of records', () => {
  it('become decisions: the rule that allowed, the policies that closed, and what would have', () => {
    const { store, decisions } = table();
    const told = (rule: number, audit: number) =>
      store.get(decisions.number(rule, audit, DIRECTION.INGRESS, 1, 1, 100));
    expect(told(16, 0)).toMatchObject({
      direction: DIRECTION.INGRESS,
      allowedBy: [{ ...policy, rule: 2, path: 'spec.ingress[2]' }],
      deniedBy: [],
    });
    expect(told(17, 0)).toMatchObject({
      defaultDeny: true,
      deniedBy: [
        { name: 'web', rule: -1 },
        { name: 'db', rule: -1 },
      ],
    });
    expect(told(1, 17)).toMatchObject({ allowedBy: [], auditDefaultDeny: true, auditDeniedBy: [{}, {}] });
  });

  it('are no decision where no policy had a say, or the id is not known yet', () => {
    const { decisions } = table();
    expect(decisions.number(0, 0, 1, 1, 1, 1)).toBe(0);
    expect(decisions.number(1, 0, 1, 1, 1, 1)).toBe(0);
    expect(decisions.number(99, 0, 1, 1, 1, 1)).toBe(0);
    REASONS.set(99, REASONS.get(16)!);
    expect(decisions.number(99, 0, 1, 1, 1, 1)).not.toBe(0);
    REASONS.delete(99);
  });

  it('hold their decision as long as the table does', () => {
    const { store, decisions } = table();
    const number = decisions.number(16, 0, DIRECTION.INGRESS, 1, 1, 1);
    store.retain(number);
    store.release(number);
    expect(decisions.number(16, 0, DIRECTION.INGRESS, 1, 1, 1)).toBe(number);
    expect(store.get(number).allowedBy).toHaveLength(1);
  });

  it('are counted: hits, packets and the last one, by rule and direction', () => {
    const { decisions } = table();
    decisions.number(16, 0, DIRECTION.INGRESS, 1, 3, 100);
    decisions.number(16, 17, DIRECTION.INGRESS, 1, 2, 110);
    decisions.number(17, 0, DIRECTION.INGRESS, 7, 7, 120);
    decisions.number(17, 0, DIRECTION.EGRESS, 4, 4, 125);
    decisions.number(1, 0, DIRECTION.INGRESS, 1, 1, 130);
    const nowhere = { read: () => '', write: () => {} };
    const told = new RuleHitLog(nowhere, {
      hits: () => decisions.hits(),
      reasonOf: (id) => REASONS.get(id),
    }).messages();
    expect(
      told.map(({ effect, direction, hits, packets, last }) => [effect, direction, hits, packets, last?.seconds]),
    ).toEqual([
      [RuleEffect.ALLOW, DIRECTION.INGRESS, 2n, 5n, 110n],
      [RuleEffect.DEFAULT_DENY, DIRECTION.INGRESS, 8n, 9n, 120n],
      [RuleEffect.DEFAULT_DENY, DIRECTION.EGRESS, 4n, 4n, 125n],
    ]);
  });
});

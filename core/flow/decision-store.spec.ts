import { expect, it } from 'vitest';
import { DecisionStore } from './decision-store.ts';
import { NO_DECISION } from './policy-decision.ts';

const decision = (rule: number) => ({
  ...NO_DECISION,
  direction: 1,
  allowedBy: [{ kind: 'NetworkPolicy', namespace: 'shop', name: 'web', rule }],
});

it('holds as many decisions as the column can tell apart; further ones are no decision, and counted', () => {
  const store = new DecisionStore();
  for (let rule = 0; rule < 0xffff; rule++) store.retain(store.intern(decision(rule)));
  expect(store.intern(decision(0xfffe))).toBe(0xffff);
  expect(store.intern(decision(0xffff))).toBe(0);
  expect(store.refused).toBe(1);
  store.release(store.intern(decision(7)));
  expect(store.intern(decision(0xffff))).toBe(8);
  expect(store.refused).toBe(1);
});

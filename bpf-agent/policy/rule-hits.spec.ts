import { expect, it } from 'vitest';
import { DIRECTION } from '#core/flow/direction.ts';
import type { Reason } from '#core/policy/reason.ts';
import { RuleEffect } from '#proto/gen/waggle/v1/agent_pb.ts';
import type { RuleHits } from './decision-table.ts';
import { RuleHitLog } from './rule-hits.ts';

const policy = { kind: 'NetworkPolicy', namespace: 'shop', name: 'web' } as const;
const rule = (index: number): Reason => ({
  kind: 'rule',
  rule: { policy, spec: undefined, list: 'ingress', index },
});
const CLOSED: Reason = { kind: 'default-deny', policies: [policy] };

function directory() {
  const files = new Map<string, string>();
  return {
    files,
    read: (name: string) => files.get(name) ?? '',
    write: (name: string, text: string) => void files.set(name, text),
  };
}

function agent(run: ReturnType<typeof directory>, reasons: readonly [number, Reason][], nowMs: number) {
  const counted: RuleHits[] = [];
  const log = new RuleHitLog(run, { hits: () => counted, reasonOf: (id) => new Map(reasons).get(id) }, nowMs);
  const count = (rule: number, more: Partial<RuleHits>) =>
    counted.push({ rule, direction: DIRECTION.INGRESS, hits: 1, packets: 1, lastSeconds: 1, ...more });
  return { count, log };
}

const told = (log: RuleHitLog) =>
  log
    .messages()
    .map(({ effect, policies, hits, packets, last }) => [
      effect,
      policies[0]!.rule,
      Number(hits),
      Number(packets),
      Number(last!.seconds),
    ]);

it('rules keep their hits across agents, whatever numbers their reasons have', () => {
  const run = directory();
  const first = agent(
    run,
    [
      [16, rule(0)],
      [17, CLOSED],
      [1, { kind: 'no-policy' }],
    ],
    1_000,
  );
  first.count(16, { hits: 3, packets: 30, lastSeconds: 100 });
  first.count(17, { hits: 2, packets: 2, lastSeconds: 101 });
  first.count(17, { direction: DIRECTION.EGRESS, hits: 5, packets: 5, lastSeconds: 90 });
  first.count(1, { hits: 9, packets: 9, lastSeconds: 101 });
  first.count(99, { hits: 9, packets: 9, lastSeconds: 101 });
  first.log.save();

  const second = agent(
    run,
    [
      [16, rule(0)],
      [40, rule(0)],
      [41, rule(1)],
    ],
    5_000,
  );
  expect(second.log.sinceMs).toBe(1_000);
  // What waited in the ring comes under the earlier number.
  second.count(16, { hits: 1, packets: 1, lastSeconds: 99 });
  second.count(40, { hits: 4, packets: 5, lastSeconds: 200 });
  second.count(41, { hits: 1, packets: 1, lastSeconds: 201 });
  expect(told(second.log)).toEqual([
    [RuleEffect.ALLOW, 0, 8, 36, 200],
    [RuleEffect.DEFAULT_DENY, -1, 2, 2, 101],
    [RuleEffect.DEFAULT_DENY, -1, 5, 5, 90],
    [RuleEffect.ALLOW, 1, 1, 1, 201],
  ]);
  second.log.save();
  expect(told(agent(run, [], 9_000).log)).toHaveLength(4);
});

it('begins afresh with a file it does not understand', () => {
  for (const text of [
    '',
    '{',
    'null',
    '{"counted":7}',
    '{"sinceMs":1,"counted":[null]}',
    '{"counted":[{"reason":{}}]}',
  ]) {
    const run = directory();
    run.files.set('rule-hits.json', text);
    expect(agent(run, [], 7).log.messages()).toEqual([]);
  }
});

it('writes only what is new', () => {
  const run = directory();
  const { count, log } = agent(run, [[16, rule(0)]], 1);
  count(16, {});
  log.save();
  run.files.clear();
  log.save();
  expect(run.files.size).toBe(0);
});

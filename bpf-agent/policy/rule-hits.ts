import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Reason } from '#core/policy/reason.ts';
import { RuleEffect, type RuleHits as RuleHitsMessage, RuleHitsSchema } from '#proto/gen/waggle/v1/agent_pb.ts';
import { type RuleHits, references } from './decision-table.ts';

const EFFECTS: Readonly<Record<string, RuleEffect>> = {
  rule: RuleEffect.ALLOW,
  'deny-rule': RuleEffect.DENY,
  'default-deny': RuleEffect.DEFAULT_DENY,
};

/** What has decided at least once, as the agent tells it. Reasons without a rule, such as "no policy", are left out. */
export function ruleHits(
  hits: ReadonlyMap<number, Readonly<RuleHits>>,
  reasonOf: (id: number) => Reason | undefined,
): RuleHitsMessage[] {
  return [...hits].flatMap(([id, counted]) => {
    const reason = reasonOf(id);
    const effect = reason === undefined ? undefined : EFFECTS[reason.kind];
    if (reason === undefined || effect === undefined) return [];
    return create(RuleHitsSchema, {
      effect,
      policies: references(reason),
      hits: BigInt(counted.hits),
      packets: BigInt(counted.packets),
      last: timestampFromMs(counted.lastSeconds * 1000),
    });
  });
}

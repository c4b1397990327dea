import { policyText } from '#core/policy/reference.ts';
import type { ReadCluster } from './read-cluster.ts';

/** A policy as `waggle policy get` lists it. */
export interface PolicyRow {
  readonly policy: string;
  /** `closed` where it cannot be used and another stands in for it; else `enforced`, `audited`, or `partly audited` where a namespace's annotation audits some of its pods. */
  readonly enforcement: string;
  /** Directions in which it makes the default deny: `ingress`, `egress`, `ingress, egress`, `-`. */
  readonly closes: string;
  readonly rules: number;
  /** Workloads it selects, as namespace/name. */
  readonly pods: readonly string[];
}

export function policyRows({ engine, pods }: ReadCluster): PolicyRow[] {
  return engine.policies.map((policy) => {
    const selected = policy.sections.flatMap(({ subject }) => engine.index.members(subject).list);
    const identities = new Set(selected.map((index) => engine.index.numbers[index]));
    const names = pods
      .filter(({ identity }) => identities.has(identity))
      .map(({ namespace, workload }) => `${namespace}/${workload.name}`);
    const audits = [...new Set(selected)].map((index) => engine.audits(policy, index));
    const audited = policy.audit || (audits.length > 0 && audits.every(Boolean));
    const closes = (['ingress', 'egress'] as const).filter((direction) =>
      policy.sections.some((section) => section[direction].defaultDeny),
    );
    return {
      policy: policyText(policy.reference),
      // Only what was read has a place.
      enforcement:
        policy.place === undefined
          ? 'closed'
          : audited
            ? 'audited'
            : audits.some(Boolean)
              ? 'partly audited'
              : 'enforced',
      closes: closes.join(', ') || '-',
      rules: policy.sections.reduce((sum, { ingress, egress }) => sum + ingress.rules.length + egress.rules.length, 0),
      pods: [...new Set(names)].sort(),
    };
  });
}

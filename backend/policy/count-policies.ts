import { create } from '@bufbuild/protobuf';
import type { Protection } from '#core/policy/coverage.ts';
import { policyText } from '#core/policy/reference.ts';
import { type CountPoliciesResponse, CountPoliciesResponseSchema } from '#proto/gen/waggle/v1/policy_pb.ts';
import { referenceOf } from './list-policies.ts';
import type { PolicyPicture } from './policy-picture.ts';
import { weakest } from './protection.ts';

const MOST_NAMESPACES = 2_000;

/** How many policies each namespace has, and how far they close it. */
export function countPolicies(picture: PolicyPicture, cluster: string): CountPoliciesResponse {
  const counted = new Map<string, { policies: Set<string>; ingress: Set<Protection>; egress: Set<Protection> }>();
  const of = (namespace: string) => {
    const known = counted.get(namespace);
    if (known !== undefined) return known;
    const fresh = { policies: new Set<string>(), ingress: new Set<Protection>(), egress: new Set<Protection>() };
    counted.set(namespace, fresh);
    return fresh;
  };
  for (const entry of picture.entries) {
    const reference = referenceOf(entry);
    if (reference.namespace !== '') of(reference.namespace).policies.add(policyText(reference));
  }
  for (const { namespace, coverages } of picture.workloads) {
    const { policies, ingress, egress } = of(namespace);
    for (const coverage of coverages) {
      ingress.add(coverage.ingress.protection);
      egress.add(coverage.egress.protection);
      for (const reference of coverage.selectedBy) policies.add(policyText(reference));
    }
  }
  return create(CountPoliciesResponseSchema, {
    cluster,
    namespaces: [...counted]
      .filter(([, { policies }]) => policies.size > 0)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, MOST_NAMESPACES)
      .map(([namespace, { policies, ingress, egress }]) => ({
        namespace,
        policies: policies.size,
        ...(ingress.size > 0 && { ingress: weakest(ingress), egress: weakest(egress) }),
      })),
  });
}

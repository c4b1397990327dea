import type { PolicyDecision } from '#core/flow/policy-decision.ts';

/** The policies that decided, as a cell shows them: `shop/allow-web`; by default denied, those that select the endpoint. */
export function policyName(decision: PolicyDecision): string {
  const { allowedBy, deniedBy, auditDeniedBy } = decision;
  const references = deniedBy.length > 0 ? deniedBy : auditDeniedBy.length > 0 ? auditDeniedBy : allowedBy;
  const names = references.map(({ namespace, name }) => (namespace === '' ? name : `${namespace}/${name}`));
  return [...new Set(names)].join(', ');
}

import type { PolicyCheck } from './finding.ts';

/** On a policy or a namespace: `audit` = evaluated and reported, not enforced. */
const ENFORCEMENT_ANNOTATION = 'waggle.dev/enforcement';

/** True where the annotations of a namespace ask for audit: nothing is enforced on the pods of that namespace. */
export function asksForAudit(annotations: Readonly<Record<string, string>>): boolean {
  return Object.hasOwn(annotations, ENFORCEMENT_ANNOTATION) && annotations[ENFORCEMENT_ANNOTATION] === 'audit';
}

/** Reads it from a policy. An unknown word leaves the policy enforced: a typing error must not open anything. */
export function readAudit(check: PolicyCheck): boolean {
  const path = ['metadata', 'annotations', ENFORCEMENT_ANNOTATION];
  const value = check.text(path);
  if (value !== undefined && value !== 'audit' && value !== 'enforce') check.report('WP116', path);
  return value === 'audit';
}

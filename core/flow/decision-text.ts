import type { PolicyDecision, PolicyReference } from './policy-decision.ts';

/** `NetworkPolicy stars/backend-policy spec.ingress[0]`, or `… rule 0` where its place is not known. */
export function referenceText({ kind, namespace, name, rule, path }: PolicyReference): string {
  const policy = namespace === '' ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
  if (path) return `${policy} ${path}`;
  return rule < 0 ? policy : `${policy} rule ${rule}`;
}

/** What a decision says in one line, `allowed by …`, `denied by default, selected by …`; empty when there is nothing to say. */
export function decisionText(decision: PolicyDecision): string {
  const parts: string[] = [];
  if (decision.deniedBy.length > 0 || decision.defaultDeny) {
    parts.push(denialText(decision.deniedBy, decision.defaultDeny, 'denied'));
  } else if (decision.allowedBy.length > 0) {
    parts.push(`allowed by ${listText(decision.allowedBy)}`);
  }
  if (decision.auditDeniedBy.length > 0 || decision.auditDefaultDeny) {
    parts.push(denialText(decision.auditDeniedBy, decision.auditDefaultDeny, 'would be dropped'));
  }
  return parts.join('; ');
}

function denialText(by: readonly PolicyReference[], byDefault: boolean, what: string): string {
  if (!byDefault) return `${what} by ${listText(by)}`;
  return by.length === 0 ? `${what} by default` : `${what} by default, selected by ${listText(by)}`;
}

function listText(references: readonly PolicyReference[]): string {
  return references.map(referenceText).join(', ');
}

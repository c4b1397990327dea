import type { PolicedWorkload, PolicyFacts, PolicyFinding, PolicyReport } from '../../worker/policy-report.ts';

/** A report as far as some namespaces go; indexes stay those of the whole report. */
export interface PolicyScope {
  readonly policies: readonly PolicyFacts[];
  readonly workloads: readonly PolicedWorkload[];
}

/** Policies of these namespaces, or that select pods of them, and their workloads; none given = all. */
export function scopeOf({ policies, workloads }: PolicyReport, namespaces: readonly string[]): PolicyScope {
  if (namespaces.length === 0) return { policies, workloads };
  const wanted = new Set(namespaces);
  return {
    policies: policies.filter(
      (policy) => wanted.has(policy.namespace) || policy.workloads.some((at) => wanted.has(workloads[at]?.namespace)),
    ),
    workloads: workloads.filter(({ namespace }) => wanted.has(namespace)),
  };
}

/** What a policy has decided, in all. */
export function hitsOf({ rules, ingressDenied, egressDenied }: PolicyFacts): number {
  return rules.reduce((sum, { hits }) => sum + hits, ingressDenied.packets + egressDenied.packets);
}

/** When it last decided anything; 0 = never. */
export function lastHitOf({ rules, ingressDenied, egressDenied }: PolicyFacts): number {
  return Math.max(ingressDenied.last, egressDenied.last, ...rules.map(({ last }) => last));
}

export function unusedRules({ rules }: PolicyFacts): number {
  return rules.filter(({ hits }) => hits === 0).length;
}

/** Since when a rule of the policy could have been used and would have been counted; 0 = not known. */
export function countedSince({ created }: PolicyFacts, { hitsSince }: PolicyReport): number {
  return hitsSince === 0 ? 0 : Math.max(hitsSince, created);
}

export interface PolicyTotals {
  readonly policies: number;
  readonly rules: number;
  readonly unused: number;
  readonly workloads: number;
  readonly ingress: number;
  readonly egress: number;
  /** Workloads that no policy selects, and their pods. */
  readonly unselected: number;
  readonly unselectedPods: number;
  readonly findings: number;
}

export function totalsOf({ policies, workloads }: PolicyScope): PolicyTotals {
  const unselected = workloads.filter((workload) => workload.policies.length === 0);
  return {
    policies: policies.length,
    rules: policies.reduce((sum, { rules }) => sum + rules.length, 0),
    unused: policies.reduce((sum, policy) => sum + unusedRules(policy), 0),
    workloads: workloads.length,
    ingress: workloads.filter(({ ingress }) => ingress === 'protected').length,
    egress: workloads.filter(({ egress }) => egress === 'protected').length,
    unselected: unselected.length,
    unselectedPods: unselected.reduce((sum, { pods }) => sum + pods, 0),
    findings: policies.reduce((sum, { findings }) => sum + findings.length, 0),
  };
}

/** What is wrong, the worst first, each with the policy it is about. */
export function findingsOf({
  policies,
}: PolicyScope): { readonly policy: PolicyFacts; readonly finding: PolicyFinding }[] {
  return policies
    .flatMap((policy) => policy.findings.map((finding) => ({ policy, finding })))
    .sort(
      (a, b) =>
        Number(b.finding.error) - Number(a.finding.error) ||
        (a.finding.code < b.finding.code ? -1 : a.finding.code > b.finding.code ? 1 : 0),
    );
}

/** A finding's message after the policy it begins with: that stands beside it. */
export function findingWords({ message }: PolicyFinding, policy: PolicyFacts): string {
  const at = message.indexOf(': ');
  const rest = at > 0 && message.slice(0, at).endsWith(policy.name) ? message.slice(at + 2) : message;
  // A field's path stays as it is written.
  return /^specs?[.[]/.test(rest) ? rest : rest.charAt(0).toUpperCase() + rest.slice(1);
}

/** Which directions it closes to what no rule allows. */
export function closesWords({ closesIngress, closesEgress }: PolicyFacts): string {
  if (closesIngress && closesEgress) return 'closes both ways';
  if (closesIngress) return 'closes inward';
  return closesEgress ? 'closes outward' : 'closes nothing';
}

/** What the server knows of network policies: plain data, times in milliseconds since 1970 (0 = never, or not known). */
export interface PolicyReport {
  readonly policies: readonly PolicyFacts[];
  readonly workloads: readonly PolicedWorkload[];
  /** Who may reach whom because a rule says so. */
  readonly reaches: readonly PolicyReach[];
  readonly moreReaches: boolean;
  readonly omittedPolicies: number;
  readonly omittedWorkloads: number;
  /** Hits are complete since then. */
  readonly hitsSince: number;
  /** Nodes whose hits are missing. */
  readonly silentNodes: readonly { readonly name: string; readonly reason: string }[];
  /** Nodes that evaluate and report only. */
  readonly auditingNodes: readonly string[];
  readonly problems: readonly string[];
  /** Why nothing is known; empty when it is. */
  readonly unavailable: string;
}

export type PolicyEnforcement = 'enforced' | 'audited' | 'partly audited' | 'closed';

export interface PolicyFacts {
  /** `kind/namespace/name`: names it in URLs. */
  readonly key: string;
  readonly kind: string;
  /** Empty for cluster-wide kinds. */
  readonly namespace: string;
  readonly name: string;
  /** `closed`: it cannot be used, so that what it may be about is closed. */
  readonly enforcement: PolicyEnforcement;
  readonly closesIngress: boolean;
  readonly closesEgress: boolean;
  readonly created: number;
  readonly rules: readonly PolicyRuleFacts[];
  readonly ingressDenied: DeniedByDefault;
  readonly egressDenied: DeniedByDefault;
  /** Indexes into the report's workloads. */
  readonly workloads: readonly number[];
  readonly findings: readonly PolicyFinding[];
  readonly problem: string;
}

/** What no rule allows, where a policy is among those that close. */
export interface DeniedByDefault {
  readonly packets: number;
  readonly last: number;
}

export interface PolicyRuleFacts {
  readonly path: string;
  readonly ingress: boolean;
  readonly deny: boolean;
  readonly summary: string;
  /** Connections allowed, or packets denied. */
  readonly hits: number;
  readonly packets: number;
  readonly last: number;
}

export interface PolicyFinding {
  readonly code: string;
  readonly error: boolean;
  readonly message: string;
  readonly fix: string;
}

export type Protection = 'open' | 'audited' | 'protected';

export interface PolicedWorkload {
  /** Of its card. */
  readonly key: string;
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
  readonly pods: number;
  readonly ingress: Protection;
  readonly egress: Protection;
  /** Indexes into the report's policies. */
  readonly policies: readonly number[];
}

export interface PolicyReach {
  /** Card keys. */
  readonly source: string;
  readonly destination: string;
  /** IP protocol number; 0 = every one. */
  readonly protocol: number;
  readonly firstPort: number;
  readonly lastPort: number;
  /** The rule is about everybody: the world's card stands for all of them. */
  readonly anybody: boolean;
  /** The range of addresses that the rule names, where it is the reason; else empty. */
  readonly range: string;
  /** Only until audited policies are enforced. */
  readonly audit: boolean;
  /** Key of the policy, and the rule's path. */
  readonly policy: string;
  readonly path: string;
}

export function policyKey(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

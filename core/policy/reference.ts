import { vocabulary } from '../vocabulary/vocabulary.ts';

/** Numbers are wire values; 0 = unknown. */
export const POLICY_KIND = {
  NetworkPolicy: 1,
  CiliumNetworkPolicy: 2,
  CiliumClusterwideNetworkPolicy: 3,
} as const;

export type PolicyKind = keyof typeof POLICY_KIND;

export const policyKinds = vocabulary('policy kind', POLICY_KIND);

export interface PolicyReference {
  readonly kind: PolicyKind;
  /** Empty for cluster-wide kinds. */
  readonly namespace: string;
  readonly name: string;
}

/** The four lists a rule can stand in. */
export type RuleList = 'ingress' | 'ingressDeny' | 'egress' | 'egressDeny';

export interface RuleReference {
  readonly policy: PolicyReference;
  /** Which of its `specs`; undefined where the policy has one `spec`. */
  readonly spec: number | undefined;
  readonly list: RuleList;
  /** From 0, as it stands in the list. */
  readonly index: number;
}

/** `NetworkPolicy stars/default-deny`, `CiliumClusterwideNetworkPolicy dns`. */
export function policyText({ kind, namespace, name }: PolicyReference): string {
  return `${kind} ${namespace === '' ? name : `${namespace}/${name}`}`;
}

/** The rule's path in its manifest: `spec.ingress[0]`, `specs[1].egressDeny[2]`. */
export function rulePath({ spec, list, index }: RuleReference): string {
  return `${spec === undefined ? 'spec' : `specs[${spec}]`}.${list}[${index}]`;
}

/** `NetworkPolicy stars/backend-policy spec.ingress[0]` */
export function ruleText(rule: RuleReference): string {
  return `${policyText(rule.policy)} ${rulePath(rule)}`;
}

/** Order of policies wherever one of several has to be named: by kind, namespace and name, as code units sort. */
export function comparePolicies(a: PolicyReference, b: PolicyReference): number {
  return (
    POLICY_KIND[a.kind] - POLICY_KIND[b.kind] || compareTexts(a.namespace, b.namespace) || compareTexts(a.name, b.name)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

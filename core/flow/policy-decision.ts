/** One rule of one policy, or a policy as a whole. */
export interface PolicyReference {
  /** As in its manifest: `NetworkPolicy`, `CiliumNetworkPolicy`, `CiliumClusterwideNetworkPolicy`. */
  readonly kind: string;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  /** Index in the policy's list of rules of the decision's direction, from 0; -1 = the policy as a whole. */
  readonly rule: number;
  /** The rule's place in its manifest: `spec.ingress[0]`; absent or empty for the policy as a whole. */
  readonly path?: string;
}

/** Why the datapath let a packet pass, or did not: what flows with the same reasons have in common. */
export interface PolicyDecision {
  /** Whose rules were asked, see direction.ts: the observing endpoint's ingress or egress. */
  readonly direction: number;
  /** Rules that allow it. */
  readonly allowedBy: readonly PolicyReference[];
  /** Rules that deny it; with `defaultDeny` the policies that select the endpoint, none of which allows it. */
  readonly deniedBy: readonly PolicyReference[];
  readonly defaultDeny: boolean;
  /** The same, of policies that are audited only: what would have denied it. */
  readonly auditDeniedBy: readonly PolicyReference[];
  readonly auditDefaultDeny: boolean;
}

/** No policy had a say, or nobody told. */
export const NO_DECISION: PolicyDecision = {
  direction: 0,
  allowedBy: [],
  deniedBy: [],
  defaultDeny: false,
  auditDeniedBy: [],
  auditDefaultDeny: false,
};

/** Equal keys = equal decisions. The separators cannot occur in the names of objects. */
export function decisionKey(d: PolicyDecision): string {
  const head = `${d.direction}${d.defaultDeny ? 'd' : ''}${d.auditDefaultDeny ? 'a' : ''}`;
  return [
    head,
    ...[d.allowedBy, d.deniedBy, d.auditDeniedBy].map((list) => list.map(referenceKey).join('\u001f')),
  ].join('\0');
}

function referenceKey({ kind, namespace, name, rule, path = '' }: PolicyReference): string {
  return `${kind}/${namespace}/${name}/${rule}/${path}`;
}

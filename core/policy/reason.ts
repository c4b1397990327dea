import { DROP_REASON } from '../flow/drop-reason.ts';
import type { Rule } from './policy.ts';
import { type PolicyReference, policyText, type RuleReference, ruleText } from './reference.ts';

/**
 * Why a connection was let through or not. Numbers are wire values, and the reason ids of those that need no more words;
 * 0 = not judged.
 */
export const REASON_KIND = {
  /** No policy selects the endpoint in this direction. */
  'no-policy': 1,
  /** An allow rule. */
  rule: 2,
  /** A deny rule. */
  'deny-rule': 3,
  /** Policies select the endpoint, and no rule of theirs allows it. */
  'default-deny': 4,
  /** A NetworkPolicy never stands between a pod and its node. */
  'own-node': 5,
  /** A pod reaches itself whatever its policies say. */
  itself: 6,
  /** A reply, or an ICMP error about a connection: follows its connection. */
  reply: 7,
  /** The endpoint's first policy is not computed yet. */
  'not-ready': 8,
} as const;

export type ReasonKind = keyof typeof REASON_KIND;

export type Reason =
  | { readonly kind: 'no-policy' | 'own-node' | 'itself' | 'reply' | 'not-ready' }
  | { readonly kind: 'rule' | 'deny-rule'; readonly rule: RuleReference }
  | { readonly kind: 'default-deny'; readonly policies: readonly PolicyReference[] };

export const NO_POLICY: Reason = { kind: 'no-policy' };
export const ITSELF: Reason = { kind: 'itself' };

export function ruleReason(rule: Rule): Reason {
  return { kind: rule.deny ? 'deny-rule' : 'rule', rule: rule.reference };
}

/** True for reasons to let a connection through. */
export function allows({ kind }: Reason): boolean {
  return kind !== 'deny-rule' && kind !== 'default-deny' && kind !== 'not-ready';
}

/** Hubble's drop reason number: 133 for a default deny, 181 for a deny rule, 203 before the first policy; 0 for none. */
export function dropReasonOf({ kind }: Reason): number {
  if (kind === 'deny-rule') return DROP_REASON.POLICY_DENY;
  if (kind === 'default-deny') return DROP_REASON.POLICY_DENIED;
  return kind === 'not-ready' ? DROP_REASON.DROP_EP_NOT_READY : DROP_REASON.UNKNOWN;
}

const TEXTS = {
  'no-policy': 'no policy selects the pod in this direction',
  'own-node': 'a pod and its own node may always talk',
  itself: 'a pod may always talk to itself',
  reply: 'it belongs to a connection that was allowed',
  'not-ready': "the pod's first policy is not computed yet",
} as const;

/** `allowed by NetworkPolicy stars/backend-policy spec.ingress[0]`, `no rule of NetworkPolicy a/x, a/y allows it` */
export function reasonText(reason: Reason): string {
  switch (reason.kind) {
    case 'rule':
      return `allowed by ${ruleText(reason.rule)}`;
    case 'deny-rule':
      return `denied by ${ruleText(reason.rule)}`;
    case 'default-deny':
      return `no rule allows it; closed by ${reason.policies.map(policyText).join(', ')}`;
    default:
      return TEXTS[reason.kind];
  }
}

/** Equal keys = equal reasons. */
export function reasonKey(reason: Reason): string {
  switch (reason.kind) {
    case 'rule':
    case 'deny-rule':
      return `${reason.kind} ${ruleText(reason.rule)}`;
    case 'default-deny':
      return `${reason.kind} ${reason.policies.map(policyText).join()}`;
    default:
      return reason.kind;
  }
}

/** Ids from here on belong to reasons with a rule or policies. */
export const FIRST_REASON_ID = 16;

/** Reasons by the number that stands in the kernel's policy map and in its records. An id is never given twice. */
export class ReasonTable {
  readonly #ids = new Map<string, number>();
  readonly #reasons = new Map<number, Reason>();
  // One reason is asked for once per map entry, and its text is long.
  readonly #known = new WeakMap<Reason, number>();
  #next: number;

  /** @param next first id to give: above those of a table whose ids may still be about */
  constructor(next = FIRST_REASON_ID) {
    this.#next = Math.max(next, FIRST_REASON_ID);
  }

  idOf(reason: Reason): number {
    if (reason.kind !== 'rule' && reason.kind !== 'deny-rule' && reason.kind !== 'default-deny') {
      return REASON_KIND[reason.kind];
    }
    let id = this.#known.get(reason);
    if (id === undefined) {
      const key = reasonKey(reason);
      id = this.#ids.get(key);
      if (id === undefined) {
        id = this.#next++;
        this.#ids.set(key, id);
        this.#reasons.set(id, reason);
      }
      this.#known.set(reason, id);
    }
    return id;
  }

  /** Undefined for an id that was never given, or was forgotten. */
  reason(id: number): Reason | undefined {
    const fixed = FIXED.get(id);
    return fixed ?? this.#reasons.get(id);
  }

  /** Every reason with its id, in the order they were given. */
  entries(): IterableIterator<[number, Reason]> {
    return this.#reasons.entries();
  }

  get size(): number {
    return this.#reasons.size;
  }

  /** Drops what is not among `ids`: policies come and go, and a table that only grows would be a leak. */
  retain(ids: ReadonlySet<number>): void {
    for (const [id, reason] of this.#reasons) {
      if (ids.has(id)) continue;
      this.#reasons.delete(id);
      this.#ids.delete(reasonKey(reason));
      this.#known.delete(reason);
    }
  }
}

const FIXED: ReadonlyMap<number, Reason> = new Map(
  (['no-policy', 'own-node', 'itself', 'reply', 'not-ready'] as const).map((kind) => [REASON_KIND[kind], { kind }]),
);

import type { DecisionStore } from '#core/flow/decision-store.ts';
import { NO_DECISION, type PolicyDecision, type PolicyReference } from '#core/flow/policy-decision.ts';
import type { Reason } from '#core/policy/reason.ts';
import { rulePath } from '#core/policy/reference.ts';

/** Pairs of reasons remembered; beyond that it starts afresh. */
const MOST_KNOWN = 65_536;

/** How often something of policy decided, since the agent started. */
export interface RuleHits {
  /** Rule id. */
  readonly rule: number;
  /** Of the connections at the endpoint: a default deny may be about both, and is counted for each. */
  readonly direction: number;
  /** Connections opened, or packets denied. */
  hits: number;
  packets: number;
  /** Wall clock, whole seconds since 1970, of the last one. */
  lastSeconds: number;
}

interface Known {
  readonly number: number;
  readonly counted: readonly RuleHits[];
}

/** Rule ids of a record → number of the decision in the window's store, without an object per record; and it counts. */
export class DecisionTable {
  readonly #store: DecisionStore;
  readonly #reason: (id: number) => Reason | undefined;
  /** By rule id · 4 + direction, for those without an audited denial: nearly all. */
  readonly #plain = new Map<number, Known>();
  readonly #audited = new Map<string, Known>();
  /** By rule id · 4 + direction. */
  readonly #hits = new Map<number, RuleHits>();

  constructor(store: DecisionStore, reason: (id: number) => Reason | undefined) {
    this.#store = store;
    this.#reason = reason;
  }

  /**
   * @param rule rule id that decided; 0 = none had to
   * @param auditRule rule id of what would have denied it; 0 = nothing
   * @param direction of the connection at the observing endpoint
   * @param hits what the record counts as: connections opened or packets denied
   */
  number(rule: number, auditRule: number, direction: number, hits: number, packets: number, seconds: number): number {
    if (rule === 0 && auditRule === 0) return 0;
    const known = auditRule === 0 ? this.#ofPlain(rule, direction) : this.#ofAudited(rule, auditRule, direction);
    if (known === undefined) return 0;
    for (const counted of known.counted) {
      counted.hits += hits;
      counted.packets += packets;
      counted.lastSeconds = seconds;
    }
    return known.number;
  }

  /** A denial that is audited only counts too. */
  hits(): Iterable<Readonly<RuleHits>> {
    return this.#hits.values();
  }

  #ofPlain(rule: number, direction: number): Known | undefined {
    const key = rule * 4 + direction;
    let known = this.#plain.get(key);
    if (known === undefined) {
      known = this.#know(rule, 0, direction);
      if (known !== undefined) this.#plain.set(key, known);
    }
    return known;
  }

  #ofAudited(rule: number, auditRule: number, direction: number): Known | undefined {
    const key = `${rule}/${auditRule}/${direction}`;
    let known = this.#audited.get(key);
    if (known === undefined) {
      known = this.#know(rule, auditRule, direction);
      if (known !== undefined) this.#audited.set(key, known);
    }
    return known;
  }

  #know(rule: number, auditRule: number, direction: number): Known | undefined {
    const reason = this.#reason(rule);
    const audit = auditRule === 0 ? undefined : this.#reason(auditRule);
    // Not remembered: the reason may be told yet.
    if (reason === undefined && audit === undefined) return undefined;
    if (this.#plain.size + this.#audited.size >= MOST_KNOWN) this.#clear();
    const number = this.#store.intern(decisionOf(direction, reason, audit));
    if (number !== 0) this.#store.retain(number);
    return { number, counted: [rule, auditRule].filter((id) => id !== 0).map((id) => this.#hitsOf(id, direction)) };
  }

  #hitsOf(rule: number, direction: number): RuleHits {
    const key = rule * 4 + direction;
    let hits = this.#hits.get(key);
    if (hits === undefined) {
      hits = { rule, direction, hits: 0, packets: 0, lastSeconds: 0 };
      this.#hits.set(key, hits);
    }
    return hits;
  }

  #clear(): void {
    for (const known of [...this.#plain.values(), ...this.#audited.values()]) this.#store.release(known.number);
    this.#plain.clear();
    this.#audited.clear();
  }
}

/** Reasons as a flow tells them. Those that need no rule say nothing. */
function decisionOf(direction: number, reason: Reason | undefined, audit: Reason | undefined): PolicyDecision {
  const decision = { ...NO_DECISION, direction };
  const told = [reason, audit].some(
    (one) => one?.kind === 'rule' || one?.kind === 'deny-rule' || one?.kind === 'default-deny',
  );
  if (!told) return NO_DECISION;
  return {
    ...decision,
    ...(reason?.kind === 'rule' ? { allowedBy: references(reason) } : {}),
    ...(reason?.kind === 'deny-rule' ? { deniedBy: references(reason) } : {}),
    ...(reason?.kind === 'default-deny' ? { deniedBy: references(reason), defaultDeny: true } : {}),
    ...(audit === undefined
      ? {}
      : { auditDeniedBy: references(audit), auditDefaultDeny: audit.kind === 'default-deny' }),
  };
}

/** The rule, or the policies that make the default deny. */
export function references(reason: Reason): PolicyReference[] {
  if (reason.kind === 'default-deny') return reason.policies.map((policy) => ({ ...policy, rule: -1 }));
  if (reason.kind !== 'rule' && reason.kind !== 'deny-rule') return [];
  const { policy, index } = reason.rule;
  return [{ ...policy, rule: index, path: rulePath(reason.rule) }];
}

import { EntryStore } from './entry-store.ts';
import { decisionKey, NO_DECISION, type PolicyDecision } from './policy-decision.ts';

/** As many as the `policy` column can tell apart. */
export const MOST_DECISIONS = 0xffff;

/**
 * Policy decisions by number; 0 = no policy had a say. Each held row counts as one reference. Beyond 65,535 different ones
 * held at once, further flows tell none, which is counted.
 */
export class DecisionStore extends EntryStore<PolicyDecision> {
  /** Decisions for which there was no number. */
  refused = 0;

  constructor() {
    super('policy decision', NO_DECISION, decisionKey);
  }

  override intern(decision: PolicyDecision): number {
    if (this.size <= MOST_DECISIONS || this.has(decision)) return super.intern(decision);
    this.refused++;
    return 0;
  }
}

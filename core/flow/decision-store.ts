import { EntryStore } from './entry-store.ts';
import { decisionKey, NO_DECISION, type PolicyDecision } from './policy-decision.ts';

/** Policy decisions by number; 0 = no policy had a say. Each held row counts as one reference. */
export class DecisionStore extends EntryStore<PolicyDecision> {
  constructor() {
    super('policy decision', NO_DECISION, decisionKey);
  }
}

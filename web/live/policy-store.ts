import { useEffect } from 'react';
import type { PolicyReport } from '../worker/policy-report.ts';
import { polling } from './polling.ts';
import { ask } from './session-client.ts';
import { createStore, useStore } from './store.ts';

/** Hits are counted once a second at their source. */
const EVERY_MS = 2_000;

export interface PolicyState {
  /** Null until the server has answered. */
  readonly report: PolicyReport | null;
  /** Why it is not, or no longer, kept up to date; empty when it is. */
  readonly problem: string;
}

export const policyStore = createStore<PolicyState>({ report: null, problem: '' });

/** Keeps the store up to date until the returned function is called. */
export const watchPolicies = polling(
  EVERY_MS,
  async () => policyStore.set({ report: await ask({ about: 'policies' }), problem: '' }),
  (problem) => policyStore.set({ report: policyStore.get().report, problem }),
);

/** What is known of policies, kept up to date while somebody looks. */
export function usePolicies(): PolicyState {
  useEffect(watchPolicies, []);
  return useStore(policyStore);
}

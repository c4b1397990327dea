import { useEffect } from 'react';
import type { PolicyReport } from '../worker/policy-report.ts';
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

let watchers = 0;
let timer: ReturnType<typeof setTimeout> | undefined;
let asking = false;

/** Keeps the store up to date until the returned function is called. Who watches together asks once. */
export function watchPolicies(): () => void {
  watchers++;
  if (watchers === 1) void look();
  return () => {
    watchers--;
    if (watchers === 0) clearTimeout(timer);
  };
}

async function look(): Promise<void> {
  if (asking) return;
  if (document.visibilityState === 'visible') {
    asking = true;
    try {
      policyStore.set({ report: await ask({ about: 'policies' }), problem: '' });
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      policyStore.set({ report: policyStore.get().report, problem });
    }
    asking = false;
  }
  clearTimeout(timer);
  if (watchers > 0) timer = setTimeout(look, EVERY_MS);
}

/** What is known of policies, kept up to date while somebody looks. */
export function usePolicies(): PolicyState {
  useEffect(watchPolicies, []);
  return useStore(policyStore);
}

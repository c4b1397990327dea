export type PolicyTab = 'policies' | 'coverage' | 'findings';

const POLICY_TABS: readonly PolicyTab[] = ['policies', 'coverage', 'findings'];

/** What the page of policies shows. Part of the URL. */
export interface PolicyOptions {
  readonly tab: PolicyTab;
  /** `kind/namespace/name`; null = none chosen. */
  readonly policy: string | null;
  /** Path of one of its rules, which is marked; null = none. */
  readonly rule: string | null;
}

export const DEFAULT_POLICY_OPTIONS: PolicyOptions = { tab: 'policies', policy: null, rule: null };

const MOST_TEXT = 400;

/** Reads `?tab=&policy=&rule=`. */
export function readPolicyOptions(
  parameters: URLSearchParams,
  choice: <T extends string>(parameter: string, choices: readonly T[], fallback: T) => T,
): PolicyOptions {
  const text = (name: string) => parameters.get(name)?.slice(0, MOST_TEXT) || null;
  return {
    tab: choice('tab', POLICY_TABS, DEFAULT_POLICY_OPTIONS.tab),
    policy: text('policy'),
    rule: text('rule'),
  };
}

export function printPolicyOptions(options: PolicyOptions, add: (parameter: string, value: string) => void): void {
  if (options.tab !== DEFAULT_POLICY_OPTIONS.tab) add('tab', options.tab);
  if (options.policy === null) return;
  add('policy', options.policy);
  if (options.rule !== null) add('rule', options.rule);
}

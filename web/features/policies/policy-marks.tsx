import { LockKeyhole, LockKeyholeOpen } from 'lucide-react';
import { classNames } from '../../ui/class-names.ts';
import { Dot } from '../../ui/verdict.tsx';
import { showPolicy } from '../../view/view-store.ts';
import type { PolicyEnforcement, PolicyFacts, Protection } from '../../worker/policy-report.ts';

const ENFORCEMENTS: Record<PolicyEnforcement, { readonly text: string; readonly dot: string }> = {
  enforced: { text: 'text-dim', dot: 'bg-dim' },
  audited: { text: 'text-audit-text', dot: 'bg-audit' },
  'partly audited': { text: 'text-audit-text', dot: 'bg-audit' },
  closed: { text: 'text-dropped-text', dot: 'bg-dropped' },
};

/** Whether a policy is enforced, by dot and word. */
export function Enforcement({ value }: { value: PolicyEnforcement }) {
  const { text, dot } = ENFORCEMENTS[value];
  return (
    <span className={classNames('inline-flex items-center gap-1.5 whitespace-nowrap', text)}>
      <Dot className={dot} />
      {value === 'closed' ? 'unusable, closed' : value}
    </span>
  );
}

/** One direction of a workload: open, or closed to what no rule allows. */
export function ProtectionMark({ value }: { value: Protection }) {
  const Icon = value === 'open' ? LockKeyholeOpen : LockKeyhole;
  const color = value === 'open' ? 'text-accent-text' : value === 'audited' ? 'text-audit-text' : 'text-dim';
  return (
    <span className={classNames('inline-flex items-center gap-1.5 whitespace-nowrap', color)}>
      <Icon aria-hidden size={13} strokeWidth={1.75} />
      {value}
    </span>
  );
}

/** `stars/default-deny`, which leads to it. */
export function PolicyLink({ policy }: { policy: Pick<PolicyFacts, 'key' | 'namespace' | 'name' | 'kind'> }) {
  return (
    <button
      type="button"
      title={`${policy.kind} ${policyName(policy)}`}
      onClick={() => showPolicy(policy.key)}
      className="max-w-full truncate text-left text-link underline-offset-2 hover:underline"
    >
      {policyName(policy)}
    </button>
  );
}

export function policyName({ namespace, name }: Pick<PolicyFacts, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

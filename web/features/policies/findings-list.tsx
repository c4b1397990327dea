import { ShieldCheck } from 'lucide-react';
import { classNames } from '../../ui/class-names.ts';
import { State } from '../../ui/state.tsx';
import type { PolicyFacts, PolicyFinding } from '../../worker/policy-report.ts';
import { PolicyLink } from './policy-marks.tsx';
import { findingsOf, findingWords, type PolicyScope } from './policy-summary.ts';

/** What is wrong with policies, and what to do about it. */
export function FindingsList({ scope }: { scope: PolicyScope }) {
  const found = findingsOf(scope);
  if (found.length === 0) {
    return (
      <State icon={<ShieldCheck size={22} strokeWidth={1.75} />} title="Nothing is found wrong">
        {scope.policies.length === 0
          ? 'There is no policy here that could have faults.'
          : 'Every policy can be read and used, selects pods, and leaves them DNS.'}
      </State>
    );
  }
  return (
    <section aria-label="Findings" className="h-full overflow-y-auto p-5">
      <ul className="flex max-w-[880px] flex-col gap-3">
        {found.map(({ policy, finding }) => (
          <li key={`${policy.key} ${finding.code} ${finding.message}`}>
            <FindingNote finding={finding} policy={policy} linked />
          </li>
        ))}
      </ul>
    </section>
  );
}

export function FindingNote(props: { finding: PolicyFinding; policy: PolicyFacts; linked?: boolean }) {
  const { finding, policy, linked } = props;
  const { code, error, fix } = finding;
  return (
    <article
      aria-label={`${code}: ${finding.message}`}
      className={classNames(
        'rounded-lg border border-l-[3px] border-line bg-card p-3 text-sm',
        error ? 'border-l-dropped' : 'border-l-accent',
      )}
    >
      <p className="flex flex-wrap items-baseline gap-x-2">
        <span className={classNames('font-mono text-2xs', error ? 'text-dropped-text' : 'text-accent-text')}>
          {code} {error ? 'error' : 'warning'}
        </span>
        {linked && <PolicyLink policy={policy} />}
      </p>
      <p className="mt-0.5">{findingWords(finding, policy)}.</p>
      <p className="mt-0.5 text-dim">To mend it: {fix}.</p>
    </article>
  );
}

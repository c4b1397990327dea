import { ShieldOff, ShieldQuestion } from 'lucide-react';
import type { ReactNode } from 'react';
import { formatCount } from '../../format/quantity.ts';
import { plural } from '../../graph/card-words.ts';
import { usePolicies } from '../../live/policy-store.ts';
import { classNames } from '../../ui/class-names.ts';
import { Segmented } from '../../ui/segmented.tsx';
import { State } from '../../ui/state.tsx';
import { changePolicyOptions, useView } from '../../view/view-store.ts';
import type { PolicyReport } from '../../worker/policy-report.ts';
import { Problem } from '../details/panel-parts.tsx';
import { Waiting } from '../status/notices.tsx';
import { CoverageTable } from './coverage-table.tsx';
import { FindingsList } from './findings-list.tsx';
import { PolicyBrowser } from './policy-browser.tsx';
import { type PolicyScope, type PolicyTotals, scopeOf, totalsOf } from './policy-summary.ts';

/** Every policy with whom it selects and what it has done; who is protected; what is wrong. */
export function PoliciesPage() {
  const { report, problem } = usePolicies();
  const { namespaces, policies: options } = useView();
  if (report === null) {
    return problem === '' ? (
      <Waiting>Asking for policies</Waiting>
    ) : (
      <State icon={<ShieldQuestion size={22} strokeWidth={1.75} />} title="Policies cannot be asked for">
        {problem}
      </State>
    );
  }
  if (report.unavailable !== '') {
    return (
      <State icon={<ShieldQuestion size={22} strokeWidth={1.75} />} title="Nothing is known of policies here">
        {sentence(report.unavailable)}
      </State>
    );
  }
  const scope = scopeOf(report, namespaces);
  const totals = totalsOf(scope);
  const isEmpty = options.tab === 'policies' && scope.policies.length === 0;
  return (
    <section aria-label="Policies" className="flex h-full flex-col bg-background">
      <header className="flex shrink-0 flex-wrap items-center gap-x-6 gap-y-2 border-b border-line px-4 py-3">
        <h2 className="text-lg font-semibold">Policies</h2>
        <Totals totals={totals} />
        <Segmented
          label="What of policies"
          value={options.tab}
          segments={[
            { value: 'policies', name: 'Policies', label: 'Policies' },
            { value: 'coverage', name: 'Coverage', label: 'Coverage' },
            { value: 'findings', name: 'Findings', label: <Counted count={totals.findings}>Findings</Counted> },
          ]}
          onChange={(tab) => changePolicyOptions({ tab })}
          className="ml-auto h-8"
        />
      </header>
      <Gaps report={report} problem={problem} />
      <div className="min-h-0 flex-1">
        {isEmpty ? (
          <State icon={<ShieldOff size={22} strokeWidth={1.75} />} title="No policy selects anything here">
            {namespaces.length > 0 ? 'None stands in these namespaces, and none selects their pods. ' : ''}
            Every pod accepts whatever reaches it, and may reach everything.
          </State>
        ) : (
          <Tab scope={scope} report={report} tab={options.tab} policy={options.policy} />
        )}
      </div>
    </section>
  );
}

function Tab(props: { scope: PolicyScope; report: PolicyReport; tab: string; policy: string | null }) {
  switch (props.tab) {
    case 'coverage':
      return <CoverageTable scope={props.scope} report={props.report} />;
    case 'findings':
      return <FindingsList scope={props.scope} />;
    default:
      return <PolicyBrowser scope={props.scope} report={props.report} chosen={props.policy} />;
  }
}

function Totals({ totals }: { totals: PolicyTotals }) {
  const { workloads, ingress, egress, unselected, unselectedPods, rules, unused } = totals;
  return (
    <dl className="flex flex-wrap items-baseline gap-x-6 gap-y-1 text-sm">
      <Total name="in force" value={plural(totals.policies, 'policy', 'policies')} />
      {rules > 0 && (
        <Total
          name={unused === 0 ? 'all used' : `${formatCount(unused)} never used`}
          value={plural(rules, 'rule', 'rules')}
        />
      )}
      <Total name="closed inward" value={`${ingress} of ${workloads}`} />
      <Total name="closed outward" value={`${egress} of ${workloads}`} />
      {unselected > 0 && (
        <Total
          name={`selected by none (${plural(unselectedPods, 'pod', 'pods')})`}
          value={plural(unselected, 'workload', 'workloads')}
          mark
        />
      )}
    </dl>
  );
}

function Total({ name, value, mark }: { name: string; value: string; mark?: boolean }) {
  return (
    <div className="flex items-baseline gap-1.5">
      <dt className="order-last text-xs text-dim">{name}</dt>
      <dd className={classNames('font-semibold tabular-nums', mark && 'text-accent-text')}>{value}</dd>
    </div>
  );
}

function Counted({ count, children }: { count: number; children: ReactNode }) {
  return (
    <>
      {children}
      {count > 0 && <span className="numbers text-2xs text-accent-text">{count}</span>}
    </>
  );
}

/** What the page cannot tell, and why. */
function Gaps({ report, problem }: { report: PolicyReport; problem: string }) {
  const { silentNodes, auditingNodes, problems, omittedPolicies, omittedWorkloads } = report;
  const texts = [
    problem !== '' && `Not up to date: ${problem}`,
    auditingNodes.length > 0 &&
      `Nothing is enforced on ${auditingNodes.join(', ')}: the agent there only audits, by its setting`,
    silentNodes.length > 0 &&
      `Hits of ${silentNodes.map(({ name }) => name).join(', ')} are missing: ${silentNodes[0].reason}`,
    ...problems.slice(0, 3),
    omittedPolicies > 0 && `${formatCount(omittedPolicies)} policies are not listed`,
    omittedWorkloads > 0 && `${formatCount(omittedWorkloads)} workloads are not listed`,
  ].filter((text) => text !== false);
  if (texts.length === 0) return null;
  return (
    <div className="flex shrink-0 flex-col gap-1 border-b border-line px-4 py-2">
      {texts.map((text) => (
        <Problem key={text}>{text}</Problem>
      ))}
    </div>
  );
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

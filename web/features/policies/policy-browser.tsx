import { TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { formatCount } from '../../format/quantity.ts';
import { plural } from '../../graph/card-words.ts';
import { classNames } from '../../ui/class-names.ts';
import { FindField } from '../../ui/find-field.tsx';
import { Split } from '../../ui/split.tsx';
import { useMedia } from '../../ui/use-media.ts';
import { changePolicyOptions } from '../../view/view-store.ts';
import type { PolicyFacts, PolicyReport } from '../../worker/policy-report.ts';
import { PolicyDetails } from './policy-details.tsx';
import { Enforcement } from './policy-marks.tsx';
import { closesWords, hitsOf, type PolicyScope, unusedRules } from './policy-summary.ts';

/** The list of policies, and beside it what there is to say of the chosen one; of the first until one is chosen. */
export function PolicyBrowser(props: { scope: PolicyScope; report: PolicyReport; chosen: string | null }) {
  const { scope, report, chosen } = props;
  const narrow = useMedia('(max-width: 860px)');
  // One of a link may stand outside of the namespaces shown, or be gone.
  const found = chosen === null ? undefined : report.policies.find(({ key }) => key === chosen);
  const shown = found ?? (chosen === null && !narrow ? scope.policies[0] : undefined);
  const list = <PolicyList policies={scope.policies} shown={shown?.key} />;
  const details =
    shown === undefined ? (
      chosen === null ? null : (
        <Gone name={chosen} />
      )
    ) : (
      <PolicyDetails key={shown.key} policy={shown} report={report} />
    );
  if (narrow) return details ?? list;
  return (
    <Split
      name="policy"
      label="Width of the policy's details"
      direction="row"
      initial={760}
      least={380}
      first={list}
      second={details}
    />
  );
}

function Gone({ name }: { name: string }) {
  return (
    <div role="status" className="flex flex-col items-start gap-2 p-6 text-sm text-dim">
      <p>
        There is no policy <span className="font-mono text-xs">{name}</span> any more.
      </p>
      <button
        type="button"
        onClick={() => changePolicyOptions({ policy: null })}
        className="text-link underline-offset-2 hover:underline"
      >
        Show all policies
      </button>
    </div>
  );
}

function PolicyList({ policies, shown }: { policies: readonly PolicyFacts[]; shown: string | undefined }) {
  const [typed, setTyped] = useState('');
  const words = typed.trim().toLowerCase();
  const found = policies.filter(({ key }) => key.toLowerCase().includes(words));
  const byNamespace = Map.groupBy(found, ({ namespace }) => namespace);
  return (
    <div className="flex h-full flex-col">
      <FindField
        label="Find a policy"
        typed={typed}
        onType={setTyped}
        found={plural(found.length, 'policy', 'policies')}
      />
      <nav aria-label="List of policies" className="min-h-0 flex-1 overflow-y-auto pb-4">
        {[...byNamespace].map(([namespace, own]) => (
          <section key={namespace} aria-label={namespace === '' ? 'Cluster-wide' : namespace}>
            <h3 className="sticky top-0 z-10 border-b border-line bg-background px-4 py-1.5 text-xs font-semibold text-dim">
              {namespace === '' ? 'Cluster-wide' : namespace}{' '}
              <span className="font-normal text-faint">{plural(own.length, 'policy', 'policies')}</span>
            </h3>
            <ul>
              {own.map((policy) => (
                <PolicyRow key={policy.key} policy={policy} current={policy.key === shown} />
              ))}
            </ul>
          </section>
        ))}
      </nav>
    </div>
  );
}

function PolicyRow({ policy, current }: { policy: PolicyFacts; current: boolean }) {
  const unused = unusedRules(policy);
  const pods = plural(policy.workloads.length, 'workload', 'workloads');
  return (
    <li className="[contain-intrinsic-size:auto_56px] [content-visibility:auto]">
      <button
        type="button"
        aria-current={current ? 'true' : undefined}
        onClick={() => changePolicyOptions({ policy: policy.key, rule: null })}
        className={classNames(
          'flex w-full flex-col gap-0.5 border-b border-line/60 px-4 py-2 text-left focus-visible:-outline-offset-2',
          current ? 'bg-selected' : 'hover:bg-hover',
        )}
      >
        <span className="flex w-full items-center gap-2 text-sm">
          <span className="shrink-0 truncate font-semibold max-w-[70%]">{policy.name}</span>
          <span className="min-w-0 truncate text-2xs text-faint">{policy.kind}</span>
          {policy.findings.length > 0 && (
            <TriangleAlert
              role="img"
              aria-label={plural(policy.findings.length, 'finding', 'findings')}
              size={13}
              className={policy.findings.some(({ error }) => error) ? 'text-dropped-text' : 'text-accent-text'}
            />
          )}
          <span className="flex-1" />
          <span className="numbers text-xs text-dim">{plural(hitsOf(policy), 'hit', 'hits')}</span>
        </span>
        <span className="flex w-full flex-wrap items-center gap-x-2 gap-y-0.5 text-2xs text-faint">
          <span className="whitespace-nowrap">{pods}</span>
          <span aria-hidden>·</span>
          <span className="whitespace-nowrap">{closesWords(policy)}</span>
          {unused > 0 && (
            <>
              <span aria-hidden>·</span>
              <span className="whitespace-nowrap text-accent-text">{formatCount(unused)} unused</span>
            </>
          )}
          <span className="ml-auto">
            <Enforcement value={policy.enforcement} />
          </span>
        </span>
      </button>
    </li>
  );
}

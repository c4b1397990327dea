import { ArrowLeft } from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { formatCount } from '../../format/quantity.ts';
import { formatAgo, formatMoment } from '../../format/time.ts';
import { plural } from '../../graph/card-words.ts';
import { clockAheadStore } from '../../live/server-clock.ts';
import { useStore } from '../../live/store.ts';
import { Button, IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { useMedia } from '../../ui/use-media.ts';
import { useNow } from '../../ui/use-now.ts';
import { changePolicyOptions, changeView, useView, viewStore } from '../../view/view-store.ts';
import type { DeniedByDefault, PolicyFacts, PolicyReport, PolicyRuleFacts } from '../../worker/policy-report.ts';
import { FindingNote } from './findings-list.tsx';
import { Enforcement, policyName } from './policy-marks.tsx';
import { closesWords, countedSince } from './policy-summary.ts';
import { WorkloadRows } from './workload-rows.tsx';

/** What there is to know about one policy. */
export function PolicyDetails({ policy, report }: { policy: PolicyFacts; report: PolicyReport }) {
  const now = useNow(1_000) + useStore(clockAheadStore);
  const narrow = useMedia('(max-width: 860px)');
  const since = countedSince(policy, report);
  const workloads = policy.workloads.flatMap((at) => report.workloads[at] ?? []);
  return (
    <article aria-label={`Policy ${policyName(policy)}`} className="h-full overflow-y-auto">
      <div className="flex flex-col gap-4 p-5">
        <header className="flex flex-wrap items-start gap-2">
          {narrow && (
            <IconButton label="All policies" onClick={() => changePolicyOptions({ policy: null })}>
              <ArrowLeft aria-hidden size={15} />
            </IconButton>
          )}
          <div className="min-w-0 flex-1 basis-56">
            <h2 className="truncate text-lg font-semibold">{policy.name}</h2>
            <p className="flex flex-wrap items-center gap-x-2 text-sm text-dim">
              <span>{policy.kind}</span>
              <span aria-hidden>·</span>
              <span>{policy.namespace === '' ? 'cluster-wide' : policy.namespace}</span>
              <span aria-hidden>·</span>
              <span>{closesWords(policy)}</span>
              {policy.created > 0 && (
                <>
                  <span aria-hidden>·</span>
                  <span title={formatMoment(policy.created)}>applied {formatAgo(policy.created, now)}</span>
                </>
              )}
              <Enforcement value={policy.enforcement} />
            </p>
          </div>
          <Button onClick={() => showFlows(policy)}>Its flows</Button>
          <Button onClick={showOnMap}>On the map</Button>
          <CopyButton label="Copy link to this policy" text={() => location.href} className="h-8" />
        </header>
        {policy.problem !== '' && (
          <p role="alert" className="rounded-lg border border-l-[3px] border-line border-l-dropped bg-card p-3 text-sm">
            <strong className="font-semibold text-dropped-text">It cannot be used as it stands.</strong>{' '}
            {policy.problem}.
          </p>
        )}
        {policy.findings.map((finding) => (
          <FindingNote key={`${finding.code} ${finding.message}`} finding={finding} policy={policy} />
        ))}
        <Rules policy={policy} since={since} now={now} />
        <section aria-label="Whom it selects">
          <Heading note={plural(workloads.length, 'workload', 'workloads')}>Whom it selects</Heading>
          {workloads.length === 0 ? (
            <p className="border-t border-line py-2 text-sm text-dim">No pod there is now.</p>
          ) : (
            <WorkloadRows workloads={workloads} report={report} without={policy.key} />
          )}
        </section>
      </div>
    </article>
  );
}

function Heading({ children, note }: { children: ReactNode; note: string }) {
  return (
    <h3 className="mb-1.5 flex items-baseline gap-2 text-sm font-semibold">
      {children} <span className="text-2xs font-normal text-faint">{note}</span>
    </h3>
  );
}

function Rules({ policy, since, now }: { policy: PolicyFacts; since: number; now: number }) {
  const { rules, ingressDenied, egressDenied, closesIngress, closesEgress } = policy;
  const note = since === 0 ? 'hits are not known: no agent has told' : `hits since ${formatMoment(since).slice(0, 19)}`;
  const unusedWords = since === 0 ? 'not known' : `unused for ${formatAgo(since, now, 1).replace(' ago', '')}`;
  return (
    <section aria-label="Rules">
      <Heading note={note}>Rules</Heading>
      <table className="w-full border-collapse text-left text-sm">
        <thead className="text-2xs text-faint">
          <tr className="[&>th]:pb-1 [&>th]:font-normal">
            <th scope="col" className="w-[72px]">
              Direction
            </th>
            <th scope="col" className="w-[64px]">
              Effect
            </th>
            <th scope="col">What it is about</th>
            <th scope="col" className="w-[84px] text-right">
              Hits
            </th>
            <th scope="col" className="w-[120px] text-right">
              Last hit
            </th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <RuleRow key={rule.path} rule={rule} unused={unusedWords} now={now} />
          ))}
          {closesIngress && <DefaultDenyRow direction="ingress" denied={ingressDenied} now={now} />}
          {closesEgress && <DefaultDenyRow direction="egress" denied={egressDenied} now={now} />}
          {rules.length === 0 && !closesIngress && !closesEgress && (
            <tr className="border-t border-line">
              <td colSpan={5} className="py-2 text-dim">
                It has no rules and closes nothing.
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  );
}

function DefaultDenyRow(props: { direction: 'ingress' | 'egress'; denied: DeniedByDefault; now: number }) {
  const { direction, denied, now } = props;
  return (
    <tr className="border-t border-line align-top [&>td]:py-1.5">
      <td className="text-dim">{direction}</td>
      <td className="text-dropped-text">denies</td>
      <td>
        Whatever no rule of any policy allows{' '}
        <span className="block text-2xs text-faint">
          the default deny, made with every policy that closes these pods
        </span>
      </td>
      <Count hits={denied.packets} />
      <Last ms={denied.last} now={now} never="never needed" />
    </tr>
  );
}

/** One rule; marked where a link leads to it. */
function RuleRow({ rule, unused, now }: { rule: PolicyRuleFacts; unused: string; now: number }) {
  const row = useRef<HTMLTableRowElement>(null);
  const marked = useView().policies.rule === rule.path;
  useEffect(() => {
    if (marked) row.current?.scrollIntoView({ block: 'nearest' });
  }, [marked]);
  return (
    <tr
      ref={row}
      aria-current={marked ? 'true' : undefined}
      className={classNames('border-t border-line align-top [&>td]:py-1.5', marked && 'bg-selected')}
    >
      <td className="text-dim">{rule.ingress ? 'ingress' : 'egress'}</td>
      <td className={rule.deny ? 'text-dropped-text' : 'text-forwarded-text'}>{rule.deny ? 'denies' : 'allows'}</td>
      <td className="min-w-0 pr-3">
        {rule.summary} <span className="block font-mono text-2xs text-faint">{rule.path}</span>
      </td>
      <Count hits={rule.hits} packets={rule.packets} />
      <Last ms={rule.last} now={now} never={unused} mark />
    </tr>
  );
}

function Count({ hits, packets }: { hits: number; packets?: number }) {
  return (
    <td
      title={
        packets === undefined
          ? `${hits} packets`
          : `${hits.toLocaleString('en')} connections or denials, ${packets.toLocaleString('en')} packets`
      }
      className={classNames('numbers text-right text-xs', hits === 0 ? 'text-faint' : 'text-text')}
    >
      {formatCount(hits)}
    </td>
  );
}

function Last({ ms, now, never, mark }: { ms: number; now: number; never: string; mark?: boolean }) {
  if (ms === 0)
    return <td className={classNames('text-right text-xs', mark ? 'text-accent-text' : 'text-faint')}>{never}</td>;
  return (
    <td title={formatMoment(ms)} className="text-right text-xs text-dim">
      {formatAgo(ms, now)}
    </td>
  );
}

/** The flows it decided. */
function showFlows(policy: PolicyFacts): void {
  changeView({ mode: 'table', filter: [`policy=${policyName(policy)}`] });
}

/** Who may reach whom, against what is seen. */
function showOnMap(): void {
  changeView({ mode: 'map', map: { ...viewStore.get().view.map, reach: true } });
}

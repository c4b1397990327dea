import { cardToken } from '#core/card/card-token.ts';
import { decisionText } from '#core/flow/decision-text.ts';
import { DIRECTION } from '#core/flow/direction.ts';
import { dropAdvice } from '#core/flow/drop-advice.ts';
import { DROP_REASON, dropReasons, dropReasonText, toldDropReason } from '#core/flow/drop-reason.ts';
import { formatAgo } from '../../format/time.ts';
import { plural, portWords } from '../../graph/card-words.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { useNow } from '../../ui/use-now.ts';
import { showPolicy } from '../../view/view-store.ts';
import { policyKey } from '../../worker/policy-report.ts';
import type { Description, DropDescription } from '../../worker/question.ts';
import { addTokens } from './add-tokens.ts';
import { cardWords } from './key-words.ts';
import { TextButton } from './panel-parts.tsx';

const SHOWN = 6;
const MOST_POLICIES = 4;

/** What is dropped, why, and what to look at next. */
export function DropNotes({ description, clockAhead }: { description: Description; clockAhead: number }) {
  const now = useNow(5_000) + clockAhead;
  const { drops } = description;
  if (drops.length === 0) return null;
  return (
    <section aria-label="Drops" className="flex flex-col gap-2">
      {drops.slice(0, SHOWN).map((drop) => (
        <DropNote key={noteKey(drop)} drop={drop} now={now} />
      ))}
      {drops.length > SHOWN && (
        <p className="text-2xs text-faint">and {plural(drops.length - SHOWN, 'other kind', 'other kinds')} of drops</p>
      )}
    </section>
  );
}

function DropNote({ drop, now }: { drop: DropDescription; now: number }) {
  const advice = dropAdvice(drop.reason);
  const ofRequest = toldDropReason(drop.reason) !== drop.reason;
  const what = ofRequest ? plural(drop.count, 'request', 'requests') : plural(drop.count, 'packet', 'packets');
  const title = `${what} from ${cardWords(drop.source)} to ${cardWords(drop.destination)} dropped`;
  const reason = drop.reason === DROP_REASON.UNKNOWN ? 'Reason unknown' : dropReasonText(drop.reason);
  const decision = drop.policy === null ? '' : decisionText(drop.policy);
  const where = [
    drop.port > 0 || drop.protocol > 0 ? `on ${portWords(drop.port, drop.protocol)}` : '',
    `${drop.direction === DIRECTION.EGRESS ? 'leaving' : 'entering'} the pod on ${drop.node}`,
    `last ${formatAgo(drop.last, now)}`,
  ].filter((part) => part !== '');
  const text = () =>
    [`${title}, ${where.join(', ')}.`, `${reason}. ${advice.what}`, decision, advice.next].filter(Boolean).join('\n');
  return (
    <article className="rounded-lg border border-l-[3px] border-line border-l-dropped bg-card p-3">
      <div className="flex items-start gap-2">
        <h3 className="min-w-0 flex-1 text-sm font-semibold">{title}</h3>
        <CopyButton label="Copy what is said here" text={text} className="-my-1 -mr-1.5" />
      </div>
      <p className="text-2xs text-faint">{where.join(' · ')}</p>
      <p className="mt-1.5 text-sm text-dim">
        <strong className="font-semibold text-dropped-text">{reason}.</strong> {advice.what}
      </p>
      {decision !== '' && <p className="mt-1 text-sm text-text">It was {decision}.</p>}
      <p className="mt-1 text-sm text-text">{advice.next}</p>
      <p className="mt-2 flex flex-wrap gap-x-4 gap-y-1">
        <TextButton onClick={() => addTokens(...dropTokens(drop))}>Show these flows</TextButton>
        {policiesOf(drop).map((policy) => (
          <TextButton key={policy.key} onClick={() => showPolicy(policy.key)}>
            {policy.name}
          </TextButton>
        ))}
      </p>
    </article>
  );
}

/** Policies that had to do with it, each once. */
function policiesOf({ policy }: DropDescription): { key: string; name: string }[] {
  const references = policy === null ? [] : [...policy.deniedBy, ...policy.auditDeniedBy];
  const named = references.map(({ kind, namespace, name }) => ({
    key: policyKey(kind, namespace, name),
    name: namespace === '' ? name : `${namespace}/${name}`,
  }));
  return [...new Map(named.map((each) => [each.key, each])).values()].slice(0, MOST_POLICIES);
}

/** Tokens that ask for just these drops. */
function dropTokens({ source, destination, reason, port }: DropDescription): (string | undefined)[] {
  const why = dropReasons.parse(dropReasons.name(reason)) === reason ? dropReasons.name(reason) : String(reason);
  return [
    cardToken(source, 'from'),
    cardToken(destination, 'to'),
    port > 0 ? `to:port=${port}` : undefined,
    `reason=${why.toLowerCase().replaceAll('_', '-')}`,
  ];
}

function noteKey({ source, destination, port, protocol, reason, policy }: DropDescription): string {
  return `${source}>${destination}:${port}/${protocol} ${reason} ${policy === null ? '' : decisionText(policy)}`;
}

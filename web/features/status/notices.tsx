import { CloudOff, Filter, History, LoaderCircle, ServerOff } from 'lucide-react';
import type { ReactNode } from 'react';
import { formatMoment, formatSpan } from '../../format/time.ts';
import { secondStore } from '../../live/second.ts';
import { clockAheadStore } from '../../live/server-clock.ts';
import { connectionStore, retryNow, statusStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { useNow } from '../../ui/use-now.ts';
import { viewStore } from '../../view/view-store.ts';
import { failureOf, useObstacle } from './use-obstacle.ts';

/** Characters of a value that are repeated. */
const MOST_SAID = 60;

/** What a person has to know before reading the page, as lines under the bar. */
export function Notices() {
  return (
    <div className="shrink-0">
      <ConnectionNotice />
      <ReplayNotice />
      <StaleNotice />
      <UrlNotice />
    </div>
  );
}

function Notice({ icon, children }: { icon: ReactNode; children: ReactNode }) {
  return (
    <div
      role="alert"
      className="flex min-h-8 items-center gap-2 border-b border-line bg-selected px-4 py-1 text-sm text-text"
    >
      <span aria-hidden className="shrink-0 text-accent-text">
        {icon}
      </span>
      <span className="line-clamp-4 min-w-0 wrap-anywhere">{children}</span>
    </div>
  );
}

/** While what is shown is old; where nothing is shown, that place says it. */
function ConnectionNotice() {
  const state = useStore(connectionStore);
  const obstacle = useObstacle();
  // Between two attempts it stays where it is: what is below does not jump.
  const failure = failureOf(state);
  if (failure === undefined || obstacle !== null) return null;
  return (
    <Notice icon={<CloudOff size={14} />}>
      {failure.message} What you see is as it was. Trying again{' '}
      {state.phase === 'waiting' ? <Countdown at={state.retryAt} /> : 'now'}.{' '}
      {state.phase === 'waiting' && <NoticeLink onClick={retryNow}>Try now</NoticeLink>}
      {failure.reload && <NoticeLink onClick={() => location.reload()}>Load the page again</NoticeLink>}
    </Notice>
  );
}

function NoticeLink({ onClick, children }: { onClick: () => void; children: ReactNode }) {
  return (
    <button type="button" onClick={onClick} className="mr-2 text-link underline underline-offset-2">
      {children}
    </button>
  );
}

function Countdown({ at }: { at: number }) {
  const now = useNow(250);
  const seconds = Math.ceil((at - now) / 1000);
  return <span className="numbers">{seconds > 0 ? `in ${seconds} s` : 'now'}</span>;
}

function ReplayNotice() {
  const reason = useStore(statusStore)?.replayReason ?? '';
  if (reason === '') return null;
  return <Notice icon={<History size={14} />}>These flows are a recording, not live traffic: {reason}</Notice>;
}

/** While names, Services and policies may be older than the flows. */
function StaleNotice() {
  const status = useStore(statusStore);
  if (status === null || status.stale.length === 0) return null;
  return status.stale.map(({ name, reason, since }) => (
    <Notice key={name} icon={<ServerOff size={14} />}>
      {since === 0 ? (
        <>The state of the cluster could not be read yet: pods are without names, policies without rules. </>
      ) : (
        <>
          Names, Services and policies are <Age since={since} /> old; flows and enforcement go on.{' '}
        </>
      )}
      {name}: {reason}.
    </Notice>
  ));
}

/** In steps: a line that changes is read aloud again. */
function Age({ since }: { since: number }) {
  const age = useStore(secondStore) + useStore(clockAheadStore) - since;
  return (
    <time dateTime={new Date(since).toISOString()} title={formatMoment(since)}>
      {age < 60_000 ? 'some seconds' : formatSpan(age)}
    </time>
  );
}

function UrlNotice() {
  const { problems } = useStore(viewStore);
  if (problems.length === 0) return null;
  return (
    <Notice icon={<Filter size={14} />}>
      Left out of the address:{' '}
      {problems.map(({ parameter, value, message }) => `${parameter}=${shortened(value)} (${message})`).join('; ')}.
    </Notice>
  );
}

/** Addresses are made by anything: what is left out is named, not repeated at length. */
function shortened(value: string): string {
  return value.length > MOST_SAID ? `${value.slice(0, MOST_SAID)}…` : value;
}

/** Stands where the map or the table will be. */
export function Waiting({ children }: { children: ReactNode }) {
  return (
    <div className="flex size-full items-center justify-center gap-2 text-sm text-dim">
      <LoaderCircle aria-hidden size={16} className="animate-spin motion-reduce:animate-none" />
      {children}
    </div>
  );
}

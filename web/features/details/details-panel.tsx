import { type ReactNode, useDeferredValue } from 'react';
import { detailsStore } from '../../live/map-client.ts';
import { usePolicies } from '../../live/policy-store.ts';
import { clockAheadStore } from '../../live/server-clock.ts';
import { connectionStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { parsePair } from '../../view/pair.ts';
import { useView } from '../../view/view-store.ts';
import { Waiting } from '../status/notices.tsx';
import { CardPanel } from './card-panel.tsx';
import { DropNotes } from './drop-notes.tsx';
import { cardWords } from './key-words.ts';
import { MemberTable } from './member-table.tsx';
import { PairPanel } from './pair-panel.tsx';
import { PairPolicies } from './pair-policies.tsx';
import { PanelHeader, Problem } from './panel-parts.tsx';
import { reachesBetween } from './reaches-between.ts';
import { type Described, useDescription } from './use-description.ts';

/** What there is to know about what is selected: a card, or an arrow. */
export function DetailsPanel() {
  const { select } = useView();
  return (
    <aside aria-label="Details" className="h-full overflow-x-clip overflow-y-auto bg-background p-4 wrap-anywhere">
      {select !== null && <Selected key={select} select={select} />}
    </aside>
  );
}

function Selected({ select }: { select: string }) {
  // Drawn in between what people do: at worst a moment old.
  const details = useDeferredValue(useStore(detailsStore));
  const live = useStore(connectionStore).phase === 'live';
  const described = useDescription(select);
  let content: ReactNode;
  if (details === null || (details === 'gone' && !live)) {
    content = (
      <div className="h-24">
        <Waiting>Looking it up</Waiting>
      </div>
    );
  } else if (details === 'gone') {
    content = <Gone select={select} described={described} />;
  } else if (details.kind === 'card') {
    content = <CardPanel details={details} described={described} />;
  } else {
    content = <PairPanel details={details} described={described} />;
  }
  return <div className="flex flex-col gap-4">{content}</div>;
}

/** What is not on the map: quiet for long, filtered away, or never there. What the server still holds is told all the same. */
function Gone({ select, described }: { select: string; described: Described }) {
  const { description, problem } = described;
  const clockAhead = useStore(clockAheadStore);
  const pair = parsePair(select);
  const name = pair === undefined ? cardWords(select) : `${cardWords(pair.source)} to ${cardWords(pair.destination)}`;
  return (
    <>
      {pair === undefined ? <Missing name={name} allowed={false} /> : <MissingPair {...pair} name={name} />}
      {pair !== undefined && <PairPolicies {...pair} />}
      {description !== null && <DropNotes description={description} clockAhead={clockAhead} />}
      {description !== null && pair === undefined && (
        <MemberTable kind="workload" description={description} clockAhead={clockAhead} />
      )}
      {problem !== '' && <Problem>{problem}</Problem>}
    </>
  );
}

function MissingPair({ source, destination, name }: { source: string; destination: string; name: string }) {
  const { map } = useView();
  const { report } = usePolicies();
  // The map draws an arrow for what a rule allows.
  const allowed = map.reach && report !== null && reachesBetween(report, source, destination).length > 0;
  return <Missing name={name} allowed={allowed} />;
}

function Missing({ name, allowed }: { name: string; allowed: boolean }) {
  return (
    <>
      <PanelHeader title={<span className="truncate">{name}</span>}>
        {allowed ? 'Allowed, never seen' : 'Not on the map'}
      </PanelHeader>
      <p className="text-sm text-dim">
        {allowed
          ? 'A rule of a policy allows it, and this view has seen nobody do it.'
          : 'This view has shown no flow of it lately. It comes back with its next one, unless a filter hides it.'}
      </p>
    </>
  );
}

import { Focus } from 'lucide-react';
import { memo } from 'react';
import { cardToken } from '#core/card/card-token.ts';
import { formatByteRate, formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import { formatAgo, formatMoment } from '../../format/time.ts';
import { plural } from '../../graph/card-words.ts';
import type { CardDetails } from '../../graph/details.ts';
import { forwardedShare, triesPerSecond } from '../../graph/summary.ts';
import { IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { useNow } from '../../ui/use-now.ts';
import { useView } from '../../view/view-store.ts';
import { focusCard, leaveFocus } from '../map/choose-card.ts';
import { addTokens } from './add-tokens.ts';
import { DropNotes } from './drop-notes.tsx';
import { EdgeTable } from './edge-table.tsx';
import { Labels } from './labels.tsx';
import { MemberTable } from './member-table.tsx';
import { NewMark } from './new-mark.tsx';
import { Figures, PanelHeader, Problem, TextButton } from './panel-parts.tsx';
import { RateChart } from './rate-chart.tsx';
import { ratesOf } from './rates.ts';
import { RequestFigures } from './request-figures.tsx';
import type { Described } from './use-description.ts';

/** What there is to know about one card. */
export const CardPanel = memo(function CardPanel(props: { details: CardDetails; described: Described }) {
  const { details, described } = props;
  const { card, received, sent, clockAhead } = details;
  const { description, problem } = described;
  const token = cardToken(card.key);
  const dropped = received.dropped + sent.dropped;
  const edges = [...details.connectsFrom, ...details.reaches].map(({ key }) => key);
  const again = received.retransmits + sent.retransmits;
  const toServers = received.bytes + sent.bytes;
  const back = received.replyBytes + sent.replyBytes;
  const asked = received.requests + received.answers > 0 ? received : sent;
  // Where bytes are told there are some, one way at least.
  const untold = toServers + back > 0 ? 0 : received.flows + sent.flows;
  return (
    <>
      <PanelHeader
        tools={<FocusButton card={card.key} />}
        title={
          <>
            <span className="line-clamp-3">{card.name}</span>
            {details.isNew && <NewMark since={details.knownSince} />}
          </>
        }
      >
        {subtitle(details)}
      </PanelHeader>
      <Labels labels={card.labels} identity={card.identity} />
      <Figures
        figures={[
          { name: 'Flows in', value: formatRate(received.flows) },
          { name: 'Flows out', value: formatRate(sent.flows) },
          { name: 'Passed', value: share(details), alarm: dropped > 0 },
          { name: 'TCP RTT', value: formatMicros(received.rttMicros || sent.rttMicros) },
        ]}
      />
      {asked.requests + asked.answers > 0 && <RequestFigures total={asked} />}
      <RateChart rates={ratesOf(description, new Set(edges))} of={card.name} />
      {description !== null && <DropNotes description={description} clockAhead={clockAhead} />}
      <EdgeTable
        title="Who connects"
        by="source"
        edges={details.connectsFrom}
        description={description}
        knownSince={details.knownSince}
        clockAhead={clockAhead}
        empty="Nobody has connected yet."
      />
      <EdgeTable
        title="Whom it reaches"
        by="destination"
        edges={details.reaches}
        description={description}
        knownSince={details.knownSince}
        clockAhead={clockAhead}
        empty="It has connected to nobody yet."
      />
      {description !== null && <MemberTable kind={card.kind} description={description} clockAhead={clockAhead} />}
      {problem !== '' && <Problem>{problem}</Problem>}
      <footer className="flex flex-col gap-1.5">
        <p className="numbers text-2xs text-faint">
          {formatRate(received.connections)} connections in, {formatRate(sent.connections)} out,{' '}
          {formatByteRate(toServers, untold)} to servers, {formatByteRate(back, untold)} back
          {again > 0 && `, ${plural(again, 'segment', 'segments')} sent again`}
        </p>
        <Seen firstSeen={card.firstSeen} lastSeen={card.lastSeen} clockAhead={clockAhead} />
        {token !== undefined && (
          <p>
            <TextButton onClick={() => addTokens(token)}>
              <span className="line-clamp-1">Show only {card.name}</span>
            </TextButton>
          </p>
        )}
      </footer>
    </>
  );
});

/** As two clicks on the card do. Where the map is of its neighbourhood already, back to the whole of it. */
function FocusButton({ card }: { card: string }) {
  const isFocus = useView().map.focus === card;
  return (
    <IconButton
      label={isFocus ? 'Show the whole map' : 'Focus on its neighbourhood'}
      aria-pressed={isFocus}
      onClick={() => (isFocus ? leaveFocus() : focusCard(card))}
      className={classNames('border-transparent bg-transparent', isFocus && 'text-accent-text')}
    >
      <Focus aria-hidden size={16} />
    </IconButton>
  );
}

export function Seen(props: { firstSeen: number; lastSeen: number; clockAhead: number }) {
  const now = useNow(5_000) + props.clockAhead;
  return (
    <p className="grid grid-cols-2 text-2xs text-faint">
      <span title={formatMoment(props.firstSeen)}>First seen {formatAgo(props.firstSeen, now)}</span>{' '}
      <span title={formatMoment(props.lastSeen)}>Last seen {formatAgo(props.lastSeen, now)}</span>
    </p>
  );
}

function subtitle({ card, sentence }: CardDetails): string {
  const parts = [card.workloadKind, card.namespace].filter((part) => part !== '');
  if (card.workloadKind === 'Service') return parts.join(' · ');
  if (card.kind !== 'workload') return [...parts, sentence].join(' · ');
  const nodes =
    card.nodes.length > 0
      ? ` on ${card.nodes.length < 3 ? card.nodes.join(', ') : plural(card.nodes.length, 'node', 'nodes')}`
      : '';
  return [...parts, `${plural(card.replicas || card.members, 'pod', 'pods')}${nodes}`].join(' · ');
}

function share({ received, sent }: CardDetails): string {
  const tries = triesPerSecond(received) + triesPerSecond(sent);
  const passed = [received, sent].reduce(
    (sum, each) => sum + triesPerSecond(each) * Math.max(0, forwardedShare(each)),
    0,
  );
  return tries === 0 ? '–' : formatShare(passed / tries);
}

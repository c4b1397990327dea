import { ArrowRight } from 'lucide-react';
import { memo } from 'react';
import { formatByteRate, formatBytes, formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import { plural } from '../../graph/card-words.ts';
import type { EndDetails, PairDetails } from '../../graph/details.ts';
import { plateOfFolded } from '../../graph/group.ts';
import { forwardedShare } from '../../graph/summary.ts';
import { changeView } from '../../view/view-store.ts';
import { Seen } from './card-panel.tsx';
import { DropNotes } from './drop-notes.tsx';
import { EdgeTable } from './edge-table.tsx';
import { LatestFlows } from './latest-flows.tsx';
import { NewMark } from './new-mark.tsx';
import { PairPolicies } from './pair-policies.tsx';
import { Figures, PanelHeader, Problem } from './panel-parts.tsx';
import { RateChart } from './rate-chart.tsx';
import { ratesOf, verdictCounts } from './rates.ts';
import { RequestFigures } from './request-figures.tsx';
import type { Described } from './use-description.ts';
import { VerdictSplit } from './verdict-split.tsx';

/** What there is to know about an arrow: everything that one card opens to another. */
export const PairPanel = memo(function PairPanel(props: { details: PairDetails; described: Described }) {
  const { details, described } = props;
  const { source, destination, total, edges, clockAhead } = details;
  const { description, problem } = described;
  const share = forwardedShare(total);
  const again = total.retransmits;
  const isFolded = [source, destination].some(({ key }) => plateOfFolded(key) !== undefined);
  return (
    <>
      <PanelHeader
        title={
          <>
            <End end={source} />
            <ArrowRight role="img" aria-label="to" size={16} className="shrink-0 text-dim" />
            <End end={destination} />
            {edges.every(({ isNew }) => isNew) && <NewMark since={details.knownSince} />}
          </>
        }
      >
        {namespaces(source, destination)}
      </PanelHeader>
      <Figures
        second
        figures={[
          { name: 'Flows', value: formatRate(total.flows) },
          {
            name: 'Bytes',
            value: formatByteRate(total.bytes + total.replyBytes, total.flows),
            title: `${formatBytes(total.bytes)}/s there, ${formatBytes(total.replyBytes)}/s back`,
          },
          { name: 'Passed', value: share < 0 ? '–' : formatShare(share), alarm: total.dropped > 0 },
          { name: 'TCP RTT', value: formatMicros(total.rttMicros) },
        ]}
      />
      <RequestFigures total={total} />
      <RateChart
        rates={ratesOf(
          description,
          edges.map(({ key }) => key),
        )}
        of={`${source.name} to ${destination.name}`}
      />
      {description !== null && <VerdictSplit counts={verdictCounts(description)} />}
      {description !== null && <DropNotes description={description} clockAhead={clockAhead} />}
      <PairPolicies source={source.key} destination={destination.key} />
      <EdgeTable
        title="Ports"
        by="port"
        edges={edges}
        description={description}
        knownSince={details.knownSince}
        clockAhead={clockAhead}
        empty="None was heard of."
      />
      {description !== null && !isFolded && <LatestFlows rows={description.latest} ports={edges.length} />}
      {problem !== '' && <Problem>{problem}</Problem>}
      <p className="numbers text-2xs text-faint">
        {formatRate(total.connections)} connections, {formatByteRate(total.bytes, total.flows)} there,{' '}
        {formatByteRate(total.replyBytes, total.flows)} back
        {again > 0 && `, ${plural(again, 'segment', 'segments')} sent again`}
      </p>
      <Seen
        firstSeen={Math.min(...edges.map(({ firstSeen }) => firstSeen))}
        lastSeen={total.lastSeen}
        clockAhead={clockAhead}
      />
    </>
  );
});

function End({ end }: { end: EndDetails }) {
  if (plateOfFolded(end.key) !== undefined) return <span className="truncate">{end.name}</span>;
  return (
    <button
      type="button"
      title={`Details of ${end.name}`}
      onClick={() => changeView({ select: end.key })}
      className="min-w-0 truncate underline-offset-2 hover:text-link hover:underline"
    >
      {end.name}
    </button>
  );
}

function namespaces(source: EndDetails, destination: EndDetails): string {
  const named = [source, destination].map(({ namespace }) => namespace).filter((namespace) => namespace !== '');
  return [...new Set(named)].join(' to ') || 'Outside of namespaces';
}

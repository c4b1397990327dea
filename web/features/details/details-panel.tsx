import { X } from 'lucide-react';
import { dropReasonText } from '#core/flow/drop-reason.ts';
import { formatBytes, formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import { plural } from '../../graph/card-words.ts';
import type { CardDetails, PeerDetails } from '../../graph/details.ts';
import { detailsStore } from '../../live/map-client.ts';
import { useStore } from '../../live/store.ts';
import { IconButton } from '../../ui/button.tsx';
import { Chip } from '../../ui/chip.tsx';
import { classNames } from '../../ui/class-names.ts';
import { changeView } from '../../view/view-store.ts';
import { Waiting } from '../status/notices.tsx';
import { PeerTable } from './peer-table.tsx';
import { Sparkline } from './sparkline.tsx';

/** What there is to know about the selected card. */
export function DetailsPanel() {
  const details = useStore(detailsStore);
  return (
    <aside aria-label="Details" className="h-full overflow-y-auto bg-background p-4">
      {details === null ? (
        <div className="h-24">
          <Waiting>Looking it up</Waiting>
        </div>
      ) : (
        <Card details={details} />
      )}
    </aside>
  );
}

function Card({ details }: { details: CardDetails }) {
  const { card, received, sent } = details;
  const drops = [...details.connectsFrom, ...details.reaches].filter(({ dropsPerMinute }) => dropsPerMinute > 0);
  return (
    <div className="flex flex-col gap-4">
      <header className="flex items-start gap-2">
        <div className="min-w-0 flex-1">
          <h2 className="truncate text-lg font-semibold">{card.name}</h2>
          <p className="text-sm text-dim">{subtitle(details)}</p>
        </div>
        <IconButton label="Close details" onClick={() => changeView({ select: null })}>
          <X aria-hidden size={16} />
        </IconButton>
      </header>
      <div className="flex flex-wrap gap-1.5">
        {card.labels.slice(0, 12).map((label) => (
          <Chip key={label} title={label}>
            {label.replace(/^k8s:/, '')}
          </Chip>
        ))}
        {card.identity > 0 && <Chip>identity {card.identity}</Chip>}
      </div>
      <dl className="grid grid-cols-4 divide-x divide-line overflow-hidden rounded-lg border border-line bg-card">
        <Tile name="Flows in" value={formatRate(received.flows)} />
        <Tile name="Flows out" value={formatRate(sent.flows)} />
        <Tile name="Passed" value={share(details)} alarm={received.dropped + sent.dropped > 0} />
        <Tile name="TCP RTT" value={formatMicros(received.rttMicros || sent.rttMicros)} />
      </dl>
      <Sparkline series={details.series} />
      <PeerTable title="Who connects" peers={details.connectsFrom} empty="Nobody has connected yet." />
      <PeerTable title="Whom it reaches" peers={details.reaches} empty="It has connected to nobody yet." />
      {drops.map((peer) => (
        <Drop key={`${peer.key} ${peer.port} ${details.reaches.includes(peer)}`} details={details} peer={peer} />
      ))}
      <p className="numbers text-2xs text-faint">
        {formatBytes(received.bytes + sent.bytes)}/s to servers, {formatBytes(received.replyBytes + sent.replyBytes)}/s
        back
        {received.retransmits + sent.retransmits > 0 &&
          `, ${received.retransmits + sent.retransmits} segments sent again`}
      </p>
    </div>
  );
}

function subtitle({ card, sentence }: CardDetails): string {
  const parts = [card.workloadKind, card.namespace].filter((part) => part !== '');
  if (card.kind !== 'workload') return [...parts, sentence].join(' · ');
  const nodes = card.nodes.length > 0 ? ` on ${plural(card.nodes.length, 'node', 'nodes')}` : '';
  return [...parts, `${plural(card.members, 'pod', 'pods')}${nodes}`].join(' · ');
}

function share({ received, sent }: CardDetails): string {
  const dropped = received.dropped + sent.dropped;
  const all = received.forwarded + sent.forwarded + received.audited + sent.audited + dropped;
  return all === 0 ? '–' : formatShare(1 - dropped / all);
}

function Tile({ name, value, alarm = false }: { name: string; value: string; alarm?: boolean }) {
  return (
    <div className="min-w-0 px-2 py-2">
      <dt className="truncate text-2xs text-faint">{name}</dt>
      <dd className={classNames('truncate text-sm font-semibold tabular-nums', alarm && 'text-dropped-text')}>
        {value}
      </dd>
    </div>
  );
}

/** What happened, why, and the next step. */
function Drop({ details, peer }: { details: CardDetails; peer: PeerDetails }) {
  const outgoing = details.reaches.includes(peer);
  const [from, to] = outgoing ? [details.card.name, peer.name] : [peer.name, details.card.name];
  return (
    <section className="rounded-lg border border-l-[3px] border-line border-l-dropped bg-card p-3">
      <h3 className="text-sm font-semibold">
        <span className="numbers">{peer.dropsPerMinute}</span> packets a minute from {from} to {to} are dropped
      </h3>
      <p className="mt-1 text-sm text-dim">
        {peer.dropReason > 0
          ? `${dropReasonText(peer.dropReason)}, on ${peer.port}.`
          : `The reason is not known. On ${peer.port}.`}
      </p>
      <button
        type="button"
        onClick={() => changeView({ verdict: 'dropped' })}
        className="mt-2 text-sm text-link underline-offset-2 hover:underline"
      >
        Show dropped flows
      </button>
    </section>
  );
}

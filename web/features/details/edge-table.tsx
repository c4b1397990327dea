import { formatByteRate, formatMicros, formatRate, formatShare } from '../../format/quantity.ts';
import { formatAgo, formatMoment } from '../../format/time.ts';
import { portWords } from '../../graph/card-words.ts';
import type { EdgeDetails } from '../../graph/details.ts';
import { answeredShare } from '../../graph/summary.ts';
import { classNames } from '../../ui/class-names.ts';
import { useNow } from '../../ui/use-now.ts';
import { pairKey } from '../../view/pair.ts';
import { changeView } from '../../view/view-store.ts';
import type { Description } from '../../worker/question.ts';
import { NewMark } from './new-mark.tsx';
import { RateChart } from './rate-chart.tsx';
import { ratesOf } from './rates.ts';

interface EdgeTableProps {
  readonly title: string;
  readonly edges: readonly EdgeDetails[];
  /** What tells the rows apart: the card at that end, or the port alone. */
  readonly by: 'source' | 'destination' | 'port';
  readonly description: Description | null;
  readonly knownSince: number;
  readonly clockAhead: number;
  readonly empty: string;
}

/** Edges with their rate over time, how much and how well. */
export function EdgeTable(props: EdgeTableProps) {
  const now = useNow(5_000) + props.clockAhead;
  return (
    <table className="w-full table-fixed border-collapse text-left">
      <caption className="pb-1 text-left text-xs text-dim">
        {props.title}
        {props.edges.length > 0 && (
          <span aria-hidden className="float-right text-2xs text-faint">
            rate · passed, bytes · RTT
          </span>
        )}
      </caption>
      <colgroup>
        <col />
        <col className="w-[17%]" />
        <col className="w-[21%]" />
        <col className="w-[18%]" />
      </colgroup>
      <thead className="sr-only">
        <tr>
          <th scope="col">
            {props.by === 'port' ? 'Port, seen first and last' : 'Workload and port, seen first and last'}
          </th>
          <th scope="col">Rate over time</th>
          <th scope="col">Flows and bytes per second</th>
          <th scope="col">Forwarded share and TCP round trip</th>
        </tr>
      </thead>
      <tbody>
        {props.edges.length === 0 && (
          <tr>
            <td colSpan={4} className="border-t border-line py-1.5 text-xs text-faint">
              {props.empty}
            </td>
          </tr>
        )}
        {props.edges.map((edge) => (
          <EdgeRow key={edge.key} edge={edge} {...props} now={now} />
        ))}
      </tbody>
    </table>
  );
}

function EdgeRow({ edge, by, description, knownSince, now }: EdgeTableProps & { edge: EdgeDetails; now: number }) {
  const words = portWords(edge.port, edge.protocol);
  const traffic = `from ${edge.source.name} to ${edge.destination.name}, ${words}`;
  const bytes = edge.bytes + edge.replyBytes;
  return (
    <tr className="border-t border-line align-top">
      <th scope="row" className="py-1.5 pr-2 font-normal">
        <div className="flex min-w-0 items-baseline gap-1 text-sm">
          {by === 'port' ? <span className="numbers truncate">{words}</span> : <Peer edge={edge} by={by} />}
          {edge.isNew && <NewMark since={knownSince} />}
        </div>
        {edge.services.length > 0 && <Through services={edge.services} />}
        <Seen edge={edge} now={now} port={by === 'port' ? 0 : edge.port} />
        {(edge.requests > 0 || edge.answers > 0) && <Requests edge={edge} />}
      </th>
      <td className="py-1.5 pr-2">
        <RateChart small rates={ratesOf(description, [edge.key])} of={traffic} />
      </td>
      <td className="numbers truncate py-1.5 text-xs">
        {by === 'port' ? (
          <span className="block text-text">{formatRate(edge.flows)}</span>
        ) : (
          <button
            type="button"
            title={`Show what goes ${traffic}`}
            aria-label={`${formatRate(edge.flows)}: show what goes ${traffic}`}
            onClick={() =>
              changeView({ select: pairKey({ source: edge.source.key, destination: edge.destination.key }) })
            }
            className="block text-text underline-offset-2 hover:text-link hover:underline"
          >
            {formatRate(edge.flows)}
          </button>
        )}
        <span className="block truncate text-2xs text-faint" title="To the server and back">
          {formatByteRate(bytes, edge.flows)}
        </span>
      </td>
      <td className="numbers truncate py-1.5 text-right text-xs">
        <span
          className={classNames(
            'block',
            edge.forwardedShare >= 0 && edge.forwardedShare < 1 ? 'text-dropped-text' : 'text-dim',
          )}
        >
          {edge.forwardedShare < 0 ? '–' : formatShare(edge.forwardedShare)}
        </span>
        <span className="block truncate text-2xs text-faint" title="TCP handshake round trip">
          {formatMicros(edge.rttMicros)}
        </span>
      </td>
    </tr>
  );
}

function Peer({ edge, by }: { edge: EdgeDetails; by: 'source' | 'destination' }) {
  const peer = edge[by];
  const where = peer.namespace === '' ? '' : ` in ${peer.namespace}`;
  return (
    <button
      type="button"
      title={`${peer.name}${where}, ${portWords(edge.port, edge.protocol)}`}
      onClick={() => changeView({ select: peer.key })}
      className="min-w-0 truncate text-left underline-offset-2 hover:text-link hover:underline"
    >
      {peer.name}
    </button>
  );
}

/** Of requests that a proxy tells of: how many, how well, how fast. */
function Requests({ edge }: { edge: EdgeDetails }) {
  const share = answeredShare(edge);
  return (
    <span
      title="Requests, answers without failures of the server, and how long 99 % of them took at most"
      className="numbers block truncate text-2xs text-faint"
    >
      {formatRate(edge.requests)}{' '}
      {share < 0 ? (
        'requests'
      ) : (
        <>
          <span className={edge.failures > 0 ? 'text-dropped-text' : undefined}>{formatShare(share)}</span>{' '}
          {formatMicros(edge.p99Micros)}
        </>
      )}
    </span>
  );
}

function Seen({ edge, now, port }: { edge: EdgeDetails; now: number; port: number }) {
  const first = formatAgo(edge.firstSeen, now);
  const last = formatAgo(edge.lastSeen, now);
  return (
    <span
      title={`First seen ${formatMoment(edge.firstSeen)}, last ${formatMoment(edge.lastSeen)}`}
      className="block truncate text-2xs text-faint"
    >
      {port > 0 && <span className="numbers">:{port} </span>}
      {last === 'now' ? (first === 'now' ? 'since just now' : `since ${first}`) : `${first} to ${last}`}
    </span>
  );
}

/** Which Services clients asked for: the way from one card to the other. */
function Through({ services }: { services: readonly string[] }) {
  return (
    <div className="truncate text-2xs text-faint">
      through{' '}
      {services.map((service, index) => (
        <button
          key={service}
          type="button"
          title={`Show Service ${service}`}
          onClick={() => changeView({ mode: 'services', services: { service } })}
          className="text-dim underline-offset-2 hover:text-link hover:underline"
        >
          {index > 0 && ', '}
          {/* The namespace is in the title: there is room for the name. */}
          {service.split('/').at(-1)}
        </button>
      ))}
    </div>
  );
}

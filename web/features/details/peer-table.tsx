import { formatRate, formatShare } from '../../format/quantity.ts';
import { formatAgo } from '../../format/time.ts';
import type { PeerDetails } from '../../graph/details.ts';
import { classNames } from '../../ui/class-names.ts';
import { useNow } from '../../ui/use-now.ts';
import { changeView } from '../../view/view-store.ts';

/** A peer counts as new this long. */
const NEW_MS = 2 * 60_000;

export function PeerTable({ title, peers, empty }: { title: string; peers: readonly PeerDetails[]; empty: string }) {
  const now = useNow(5_000);
  return (
    <table className="w-full table-fixed border-collapse text-left">
      <caption className="pb-1 text-left text-xs text-dim">{title}</caption>
      <colgroup>
        <col className="w-[48%]" />
        <col className="w-[18%]" />
        <col className="w-[17%]" />
        <col className="w-[17%]" />
      </colgroup>
      <thead className="sr-only">
        <tr>
          <th scope="col">Workload and port</th>
          <th scope="col">Rate</th>
          <th scope="col">Forwarded</th>
          <th scope="col">Last seen</th>
        </tr>
      </thead>
      <tbody>
        {peers.length === 0 && (
          <tr>
            <td colSpan={4} className="border-b border-line py-1.5 text-xs text-faint">
              {empty}
            </td>
          </tr>
        )}
        {peers.map((peer) => (
          <tr key={`${peer.key} ${peer.port}`} className="border-b border-line">
            <td className="truncate py-1.5 pr-2 text-sm">
              <button
                type="button"
                title={`${peer.name}${peer.namespace === '' ? '' : ` in ${peer.namespace}`}, ${peer.port}`}
                onClick={() => changeView({ select: peer.key })}
                className="max-w-full truncate text-left hover:text-link"
              >
                {peer.name} <span className="numbers text-2xs text-faint">:{peer.port.split(' ')[0]}</span>
                {now - peer.firstSeen < NEW_MS && peer.firstSeen > 0 && (
                  <span className="ml-1 text-2xs text-accent-text">first seen</span>
                )}
              </button>
            </td>
            <td className="numbers truncate py-1.5 text-xs text-dim">{formatRate(peer.flows)}</td>
            <td
              className={classNames(
                'numbers truncate py-1.5 text-xs',
                peer.forwardedShare >= 0 && peer.forwardedShare < 1 ? 'text-dropped-text' : 'text-dim',
              )}
            >
              {peer.forwardedShare < 0 ? '–' : formatShare(peer.forwardedShare)}
            </td>
            <td className="truncate py-1.5 text-right text-xs text-dim">{formatAgo(peer.lastSeen, now)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

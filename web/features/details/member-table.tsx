import { formatAgo } from '../../format/time.ts';
import { plural } from '../../graph/card-words.ts';
import type { CardKind } from '../../graph/model.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { useNow } from '../../ui/use-now.ts';
import type { Description } from '../../worker/question.ts';

const SHOWN = 50;

/** The pods of a workload, or the addresses of anything else. */
export function MemberTable(props: { kind: CardKind; description: Description; clockAhead: number }) {
  const { members, omittedMembers } = props.description;
  const now = useNow(5_000) + props.clockAhead;
  const workload = props.kind === 'workload';
  const shown = members.slice(0, SHOWN);
  const left = members.length - shown.length + omittedMembers;
  if (members.length === 0) return null;
  return (
    <div>
      <table className="w-full table-fixed border-collapse text-left">
        <caption className="pb-1 text-left text-xs text-dim">{workload ? 'Pods' : 'Addresses'}</caption>
        <colgroup>
          <col />
          <col className="w-[26%]" />
          <col className="w-[20%]" />
        </colgroup>
        <thead className="sr-only">
          <tr>
            <th scope="col">{workload ? 'Pod and address' : 'Address'}</th>
            <th scope="col">Node</th>
            <th scope="col">Last seen</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ name, address, node, names, lastSeen }) => (
            <tr key={name} className="border-t border-line align-top">
              <th scope="row" className="py-1 pr-2 font-normal">
                <span className="flex min-w-0 items-center gap-1 text-sm">
                  <span className="truncate" title={name}>
                    {name}
                  </span>
                  <CopyButton
                    label={`Copy ${name}`}
                    text={() => name}
                    className="-my-1.5 px-1! opacity-70 hover:opacity-100 focus-visible:opacity-100"
                  />
                </span>
                {(name !== address || names.length > 0) && (
                  <span className="numbers block truncate text-2xs text-faint" title={names.join(', ') || address}>
                    {name === address ? names.join(', ') : address}
                  </span>
                )}
              </th>
              <td className="truncate py-1 pr-2 text-xs leading-5 text-dim" title={node}>
                {node || '–'}
              </td>
              <td className="truncate py-1 text-right text-xs leading-5 text-dim">{formatAgo(lastSeen, now)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {left > 0 && <p className="pt-1 text-2xs text-faint">and {plural(left, 'other', 'others')}</p>}
    </div>
  );
}

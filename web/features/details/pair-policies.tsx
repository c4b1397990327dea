import { protocols } from '#core/flow/protocol.ts';
import { usePolicies } from '../../live/policy-store.ts';
import { showPolicy } from '../../view/view-store.ts';
import type { PolicyReach } from '../../worker/policy-report.ts';
import { TextButton } from './panel-parts.tsx';
import { reachesBetween } from './reaches-between.ts';

const SHOWN = 8;

/** Which rules of policies allow one card to reach another; nothing where none does. */
export function PairPolicies({ source, destination }: { source: string; destination: string }) {
  const { report } = usePolicies();
  const reaches = report === null ? [] : reachesBetween(report, source, destination);
  if (reaches.length === 0) return null;
  return (
    <section aria-label="Allowed by policy">
      <h3 className="pb-1 text-xs text-dim">Allowed by policy</h3>
      <ul>
        {reaches.slice(0, SHOWN).map((reach) => (
          <li
            key={`${reach.policy} ${reach.path} ${reach.protocol} ${reach.firstPort} ${reach.range}`}
            className="flex flex-wrap items-baseline gap-x-2 border-t border-line py-1.5 text-sm"
          >
            <TextButton onClick={() => showPolicy(reach.policy, reach.path)}>
              {reach.policy.replace(/^[^/]*\/\/?/, '')}
            </TextButton>
            <span className="text-dim">{portsOf(reach)}</span>
            {(reach.anybody || reach.range !== '') && (
              <span className="text-dim">{reach.anybody ? 'anybody' : reach.range}</span>
            )}
            {reach.audit && <span className="text-audit-text">until audit ends</span>}
            <span className="w-full font-mono text-2xs text-faint">{reach.path}</span>
          </li>
        ))}
      </ul>
      {reaches.length > SHOWN && <p className="text-2xs text-faint">and {reaches.length - SHOWN} other ports</p>}
    </section>
  );
}

function portsOf({ protocol, firstPort, lastPort }: PolicyReach): string {
  if (protocol === 0) return 'every port';
  const name = protocols.name(protocol);
  if (firstPort === 0 && lastPort === 65_535) return `every ${name} port`;
  return `${firstPort === lastPort ? firstPort : `${firstPort} to ${lastPort}`} ${name}`;
}

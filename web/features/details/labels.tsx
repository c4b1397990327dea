import { useState } from 'react';
import { addTokens } from './add-tokens.ts';

const SHOWN = 8;
const LOOK =
  'max-w-full truncate rounded-sm bg-chip px-1.5 font-mono text-2xs leading-[18px] text-text hover:text-link';

/** A card's labels and identity; a click filters by one. Those that Kubernetes and the CNI made come last. */
export function Labels({ labels, identity }: { labels: readonly string[]; identity: number }) {
  const [all, setAll] = useState(false);
  const mine = labels.filter((label) => !isMade(label.replace(/^k8s:/, '')));
  const fewest = Math.min(SHOWN, Math.max(mine.length, 1));
  const sorted = labels
    .map((label) => label.replace(/^k8s:/, ''))
    .sort((a, b) => Number(isMade(a)) - Number(isMade(b)));
  const shown = all ? sorted : sorted.slice(0, fewest);
  return (
    <ul aria-label="Labels and identity" className="flex flex-wrap gap-1.5">
      {shown.map((label) => (
        <li key={label} className="flex min-w-0 max-w-full">
          <button
            type="button"
            title={`Filter by ${label}`}
            onClick={() => addTokens(`label ${label}`)}
            className={LOOK}
          >
            {label}
          </button>
        </li>
      ))}
      {identity > 0 && (
        <li className="flex">
          <button
            type="button"
            title={`Filter by identity ${identity}`}
            onClick={() => addTokens(`identity=${identity}`)}
            className={LOOK}
          >
            identity {identity}
          </button>
        </li>
      )}
      {sorted.length > fewest && (
        <li>
          <button
            type="button"
            aria-expanded={all}
            onClick={() => setAll(!all)}
            className="text-2xs leading-[18px] text-dim underline-offset-2 hover:underline"
          >
            {all ? 'fewer' : `${sorted.length - fewest} more`}
          </button>
        </li>
      )}
    </ul>
  );
}

function isMade(label: string): boolean {
  return /^io\.(kubernetes|cilium)\./.test(label) || label.startsWith('kubernetes.io/');
}

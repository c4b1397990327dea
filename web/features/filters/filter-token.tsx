import { X } from 'lucide-react';
import { formatCount, formatRate } from '../../format/quantity.ts';
import { plural } from '../../graph/card-words.ts';
import { statusStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import type { HiddenCount } from '../../worker/protocol.ts';
import { MarkedToken } from './marked-token.tsx';
import { tokenError, whyUnobserved } from './token-check.ts';

/** One token of the filter: pressed, it is edited; what is wrong with it, and what it hides, is told. */
export function FilterToken(props: {
  token: string;
  hidden: HiddenCount | undefined;
  onEdit(): void;
  onRemove(): void;
}) {
  const { token, hidden } = props;
  const error = tokenError(token);
  const status = useStore(statusStore);
  const unobserved = status === null || status.tellsRequests ? undefined : whyUnobserved(token);
  const negated = /^\s*((from|to):)?\s*!/i.test(token);
  const said =
    error !== undefined
      ? `is not used: ${error.message}`
      : unobserved !== undefined
        ? `matches nothing: ${unobserved}`
        : hidden !== undefined
          ? `hides ${plural(hidden.flows, 'flow', 'flows')}, ${formatRate(hidden.flowsPerSecond)}`
          : '';
  return (
    <span
      title={said === '' ? undefined : `This filter ${said}`}
      className={classNames(
        'flex max-w-[min(100%,26rem)] shrink-0 items-center gap-1 rounded-sm border px-1.5 font-mono text-2xs leading-5 text-text',
        error !== undefined
          ? 'border-dropped bg-chip'
          : unobserved !== undefined
            ? 'border-dashed border-faint bg-chip'
            : negated
              ? 'border-accent bg-selected'
              : 'border-transparent bg-chip',
      )}
    >
      <button
        type="button"
        aria-label={`Edit filter ${token}`}
        onClick={props.onEdit}
        className="min-w-0 truncate hover:text-link"
      >
        {error === undefined ? token : <MarkedToken token={token} error={error} />}
      </button>
      {hidden !== undefined && (
        <span aria-hidden className="shrink-0 text-faint">
          {formatCount(hidden.flows)} hidden
        </span>
      )}
      {unobserved !== undefined && error === undefined && (
        <span aria-hidden className="shrink-0 text-faint">
          matches nothing
        </span>
      )}
      {said !== '' && (
        <span className="sr-only">
          {token} {said}
        </span>
      )}
      <button
        type="button"
        aria-label={`Remove filter ${token}`}
        onClick={props.onRemove}
        className="shrink-0 text-faint hover:text-text"
      >
        <X aria-hidden size={12} />
      </button>
    </span>
  );
}

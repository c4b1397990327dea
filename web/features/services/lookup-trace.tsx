import { Route } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { formatShare } from '../../format/quantity.ts';
import { ask } from '../../live/session-client.ts';
import { classNames } from '../../ui/class-names.ts';
import type { TraceReport } from '../../worker/service-report.ts';

const OUTCOMES: Readonly<Record<TraceReport['outcome'], string>> = {
  balanced: 'Balanced',
  refused: 'Refused: Service backend not found',
  unroutable: 'Dropped: Stale or unroutable IP',
  passed: 'No Service: it goes where it was sent',
};

/** Asks what a connection to an address would hit, and why. */
export function LookupTrace() {
  const [target, setTarget] = useState('');
  const [from, setFrom] = useState('');
  const [answer, setAnswer] = useState<TraceReport | string | null>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const read = readTarget(target.trim());
    if (read === undefined) {
      setAnswer('Give an address and a port, such as 10.96.0.10:53/UDP.');
      return;
    }
    const [namespace = '', pod = ''] = from.trim().split('/');
    try {
      setAnswer(await ask({ about: 'trace', ...read, namespace: pod === '' ? '' : namespace, pod }));
    } catch (error) {
      setAnswer(error instanceof Error ? error.message : String(error));
    }
  };
  const field =
    'h-8 min-w-0 rounded-md border border-line bg-card px-2.5 font-mono text-xs text-text outline-none placeholder:text-faint';
  return (
    <div className="shrink-0 border-b border-line px-4 py-2.5">
      <form onSubmit={submit} className="flex flex-wrap items-center gap-2 text-sm text-dim" aria-label="Lookup trace">
        <Route aria-hidden size={15} />
        <span>What would</span>
        <input
          aria-label="Address and port"
          placeholder="10.96.0.10:53/UDP"
          value={target}
          onChange={(event) => setTarget(event.target.value)}
          className={classNames(field, 'w-52')}
        />
        {/* Together: on a narrow page the second line begins with a word. */}
        <span className="flex min-w-0 items-center gap-2">
          <span>from</span>
          <input
            aria-label="Client pod"
            placeholder="namespace/pod (any node)"
            value={from}
            onChange={(event) => setFrom(event.target.value)}
            className={classNames(field, 'w-64')}
          />
          <span>hit?</span>
          <button
            type="submit"
            className="h-8 rounded-md border border-line bg-chip px-3 text-xs text-text hover:bg-hover"
          >
            Trace
          </button>
        </span>
      </form>
      {answer !== null && (
        <div role="status" className="mt-2 text-sm">
          {typeof answer === 'string' ? <p className="text-dropped-text">{answer}</p> : <Answer trace={answer} />}
        </div>
      )}
    </div>
  );
}

function Answer({ trace }: { trace: TraceReport }) {
  const { outcome, node, steps, candidates } = trace;
  const bad = outcome === 'refused' || outcome === 'unroutable';
  return (
    <div className="flex flex-col gap-1">
      <p className={classNames('font-semibold', bad ? 'text-dropped-text' : 'text-text')}>
        {OUTCOMES[outcome]} <span className="font-normal text-dim">on {node}</span>
      </p>
      <ol className="list-inside list-decimal text-xs text-dim">
        {steps.map((step) => (
          <li key={step}>{step}</li>
        ))}
      </ol>
      <ul className="flex flex-wrap gap-2 text-xs">
        {candidates.map(({ text, place, share }) => (
          <li key={text} className="rounded-md bg-chip px-2 py-1">
            <span className="font-mono">{text}</span> <span className="text-dim">{place}</span>{' '}
            <span className="numbers">{formatShare(share)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function readTarget(text: string): { address: string; port: number; protocol: string } | undefined {
  const [, v6, v4, port, protocol = 'TCP'] =
    /^(?:\[([0-9a-fA-F:.]{2,45})\]|([0-9.]{7,15})):(\d{1,5})(?:\/(TCP|UDP))?$/i.exec(text) ?? [];
  const address = v6 ?? v4;
  return address === undefined ? undefined : { address, port: Number(port), protocol: protocol.toUpperCase() };
}

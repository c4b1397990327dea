import { CSPProvider } from '@base-ui/react/csp-provider';
import { LoaderCircle, X } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { formatAgo, formatClockSeconds, formatMoment } from '../../format/time.ts';
import { secondStore } from '../../live/second.ts';
import { clockAheadStore } from '../../live/server-clock.ts';
import { connectionStore, describeFlow } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { IconButton } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Segmented } from '../../ui/segmented.tsx';
import { Verdict } from '../../ui/verdict.tsx';
import { settingsStore } from '../../view/settings.ts';
import type { FlowAnswer } from '../../worker/protocol.ts';
import type { FlowDetails, FlowFact } from '../../worker/shown-flow.ts';
import { FactMenu, FactValue, type PressedFact } from './fact-menu.tsx';

const SECTIONS: readonly { section: FlowFact['section']; title: string }[] = [
  { section: 'flow', title: 'Flow' },
  { section: 'request', title: 'Request' },
  { section: 'source', title: 'Source, which opened the connection' },
  { section: 'destination', title: 'Destination' },
  { section: 'traffic', title: 'Traffic since the last record' },
];

/** Everything about one flow, beside the table it was found in. */
export function FlowDrawer({ id, onClose }: { id: string; onClose(): void }) {
  const answer = useFlow(id);
  return (
    <CSPProvider disableStyleElements>
      <div
        role="dialog"
        aria-modal={false}
        aria-label="Flow"
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || event.defaultPrevented) return;
          event.stopPropagation();
          onClose();
        }}
        className="absolute inset-y-0 right-0 z-40 flex w-full flex-col wrap-anywhere sm:w-[420px] border-l border-line bg-background shadow-[var(--shadow)]"
      >
        <header className="flex shrink-0 items-center gap-2 border-b border-line py-2 pr-2 pl-4">
          <h2 className="min-w-0 flex-1 truncate text-base font-semibold">Flow</h2>
          <CopyButton label="Copy link" words text={() => location.href} />
          <IconButton label="Close flow" onClick={onClose}>
            <X aria-hidden size={16} />
          </IconButton>
        </header>
        <Answer answer={answer} />
      </div>
    </CSPProvider>
  );
}

/** What was shown stays this long, in milliseconds, while another flow is looked for: most are found at once. */
const STAYS_MS = 300;

/** Null while there is no answer. Asked again when the connection comes back: it may have been a server's moment. */
function useFlow(id: string): FlowAnswer | null {
  const [heard, setHeard] = useState<{ id: string; answer: FlowAnswer } | null>(null);
  const live = useStore(connectionStore).phase === 'live';
  const [missed, setMissed] = useState<string | null>(null);
  const isAnswered = heard?.id === id;
  const found = isAnswered && heard.answer.state !== 'failed';
  useEffect(() => {
    if (found) return;
    let stale = false;
    // While there is no connection the page may hold it still; asking says so if not.
    void describeFlow(id).then((answer) => {
      if (!stale && (live || answer.state === 'found')) setHeard({ id, answer });
    });
    return () => {
      stale = true;
    };
  }, [id, live, found]);
  useEffect(() => {
    if (isAnswered) return;
    const timer = setTimeout(() => setMissed(id), STAYS_MS);
    return () => clearTimeout(timer);
  }, [id, isAnswered]);
  return isAnswered || missed !== id ? (heard?.answer ?? null) : null;
}

function Answer({ answer }: { answer: FlowAnswer | null }) {
  if (answer === null) {
    return (
      <Say>
        <LoaderCircle aria-hidden size={16} className="animate-spin motion-reduce:animate-none" /> Looking for it
      </Say>
    );
  }
  switch (answer.state) {
    case 'found':
      return <Found details={answer.details} />;
    case 'failed':
      return <Say>{answer.message}</Say>;
    case 'gone':
      return (
        <Say>
          <span>
            <strong className="font-semibold text-text">This flow is no longer held.</strong>{' '}
            {answer.oldest === null
              ? 'The server holds no flows at the moment.'
              : `The server holds flows since ${formatClockSeconds(answer.oldest)}; newer ones have taken the place of what came before.`}
          </span>
        </Say>
      );
  }
}

function Say({ children }: { children: ReactNode }) {
  return (
    <p role="status" className="flex items-center gap-2 p-4 text-sm text-dim">
      {children}
    </p>
  );
}

type Face = 'fields' | 'json';

function Found({ details }: { details: FlowDetails }) {
  const [face, setFace] = useState<Face>('fields');
  const [pressed, setPressed] = useState<PressedFact | null>(null);
  const { row, json } = details;
  return (
    <>
      <div className="flex shrink-0 flex-col gap-2 border-b border-line px-4 py-3">
        <p className="text-sm">
          <strong className="font-semibold">{row.source.name}</strong> <span className="text-faint">to</span>{' '}
          <strong className="font-semibold">{row.destination.name}</strong>
          {row.port > 0 && <span className="numbers text-dim"> :{row.port}</span>}{' '}
          <span className="font-mono text-xs text-faint">{row.protocol}</span>
          {row.reply && <span className="text-faint"> (a reply)</span>}
        </p>
        <p className="text-xs">
          <Verdict verdict={row.verdict} /> {row.info !== '' && <span className="ml-1 text-dim">{row.info}</span>}
        </p>
        <When ms={row.time} />
        <div className="flex items-center justify-between">
          <Segmented<Face>
            label="Details as"
            segments={[
              { value: 'fields', label: 'Fields', name: 'Fields' },
              { value: 'json', label: 'JSON', name: 'JSON' },
            ]}
            value={face}
            onChange={setFace}
          />
          {face === 'json' && <CopyButton label="Copy JSON" words text={() => json} />}
        </div>
      </div>
      <section
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard
        tabIndex={0}
        aria-label={face === 'json' ? "The flow in Hubble's JSON" : 'Fields of the flow'}
        className="min-h-0 flex-1 overflow-auto focus-visible:-outline-offset-2"
      >
        {face === 'json' ? (
          <pre className="p-4 font-mono text-2xs">{json}</pre>
        ) : (
          SECTIONS.map(({ section, title }) => (
            <Section
              key={section}
              title={title}
              facts={details.facts.filter((fact) => fact.section === section)}
              pressed={pressed}
              onPress={setPressed}
            />
          ))
        )}
      </section>
      <FactMenu pressed={pressed} onClose={() => setPressed(null)} />
    </>
  );
}

/** In the time zone that was chosen; among the fields it stands in full, for comparing with logs. */
function When({ ms }: { ms: number }) {
  useStore(settingsStore);
  const ago = formatAgo(ms, useStore(secondStore) + useStore(clockAheadStore), 1);
  return (
    <p className="numbers text-xs text-dim">
      <time dateTime={new Date(ms).toISOString()}>{formatMoment(ms)}</time> · {ago}
    </p>
  );
}

function Section({ title, facts, pressed, onPress }: SectionProps) {
  if (facts.length === 0) return null;
  return (
    <section className="border-b border-line/60 px-4 py-3 last:border-b-0">
      <h3 className="mb-1 text-xs text-faint">{title}</h3>
      <dl className="grid grid-cols-[96px_minmax(0,1fr)] gap-x-2 text-xs">
        {facts.map((fact, index) => (
          <div key={`${fact.name} ${fact.text}`} className="col-span-2 grid grid-cols-subgrid items-start">
            <dt className="py-1 text-dim">
              <span className={facts[index - 1]?.name === fact.name ? 'sr-only' : undefined}>{fact.name}</span>
            </dt>
            <dd className="min-w-0">
              <FactValue fact={fact} pressed={pressed} onPress={onPress} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

interface SectionProps {
  readonly title: string;
  readonly facts: readonly FlowFact[];
  readonly pressed: PressedFact | null;
  onPress(pressed: PressedFact | null): void;
}

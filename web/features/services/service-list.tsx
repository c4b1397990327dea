import { useState } from 'react';
import { plural } from '../../graph/card-words.ts';
import { classNames } from '../../ui/class-names.ts';
import { FindField } from '../../ui/find-field.tsx';
import { changeServiceOptions } from '../../view/view-store.ts';
import type { ServiceFacts } from '../../worker/service-report.ts';
import { addressWords, portWords, readyCount, refuses } from './service-words.ts';

/** Services by namespace, each with its address and how many backends are ready. */
export function ServiceList({ services, current }: { services: readonly ServiceFacts[]; current: string | undefined }) {
  const [typed, setTyped] = useState('');
  const words = typed.trim().toLowerCase();
  const found = services.filter((service) => `${service.key} ${addressWords(service)}`.toLowerCase().includes(words));
  const byNamespace = Map.groupBy(found, ({ namespace }) => namespace);
  return (
    <div className="flex h-full flex-col">
      <FindField
        label="Find a Service"
        placeholder="Find a Service by name or address"
        typed={typed}
        onType={setTyped}
        found={plural(found.length, 'Service', 'Services')}
      />
      <nav aria-label="List of Services" className="min-h-0 flex-1 overflow-y-auto pb-4">
        {[...byNamespace].map(([namespace, own]) => (
          <section key={namespace} aria-label={namespace}>
            <h3 className="sticky top-0 z-10 border-b border-line bg-background px-4 py-1.5 text-xs font-semibold text-dim">
              {namespace} <span className="font-normal text-faint">{plural(own.length, 'Service', 'Services')}</span>
            </h3>
            <ul>
              {own.map((service) => (
                <Row key={service.key} service={service} current={service.key === current} />
              ))}
            </ul>
          </section>
        ))}
      </nav>
    </div>
  );
}

function Row({ service, current }: { service: ServiceFacts; current: boolean }) {
  const { frontends } = service;
  const ready = frontends.length === 0 ? undefined : Math.min(...frontends.map(readyCount));
  return (
    <li className="[contain-intrinsic-size:auto_56px] [content-visibility:auto]">
      <button
        type="button"
        aria-current={current ? 'true' : undefined}
        onClick={() => changeServiceOptions({ service: service.key })}
        className={classNames(
          'flex w-full flex-col gap-0.5 border-b border-line/60 px-4 py-2 text-left focus-visible:-outline-offset-2',
          current ? 'bg-selected' : 'hover:bg-hover',
        )}
      >
        <span className="flex w-full items-center gap-2 text-sm">
          <span className="min-w-0 truncate font-semibold">{service.name}</span>
          <span className="flex-1" />
          {ready !== undefined && (
            <span className={classNames('numbers text-xs', refuses(service) ? 'text-dropped-text' : 'text-dim')}>
              {ready === 0 ? 'none ready' : `${ready} ready`}
            </span>
          )}
        </span>
        <span className="flex w-full items-center gap-x-2 text-2xs text-faint">
          <span className="whitespace-nowrap">{service.type}</span>
          <span aria-hidden>·</span>
          <span className="truncate font-mono">{addressWords(service)}</span>
          <span aria-hidden>·</span>
          <span className="whitespace-nowrap">{portWords(service) || 'no address to balance'}</span>
        </span>
      </button>
    </li>
  );
}

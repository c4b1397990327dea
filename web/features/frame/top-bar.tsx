import { type ReactNode, Suspense } from 'react';
import { connectionStore } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { whoAmIStore } from '../../live/who-am-i.ts';
import { classNames } from '../../ui/class-names.ts';
import { ErrorEdge } from '../../ui/error-edge.tsx';
import { latePart } from '../../ui/late-part.ts';
import { LateFilterBar, LateSavedViews, LateShowMenu } from '../filters/late-filters.tsx';
import { NamespaceSelect } from '../filters/namespace-select.tsx';
import { VerdictControl } from '../filters/verdict-control.tsx';

// Most pages have nobody to name; with a popover and its parts it is no part of the first view.
const Account = latePart(() => import('./account.tsx').then(({ Account }) => Account));

export function TopBar() {
  return (
    <header className="flex min-h-[52px] shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-background px-3 py-2">
      <div className="flex items-center gap-3 pr-2 max-sm:pr-0">
        <Logo />
        <h1 className="text-base font-semibold max-md:sr-only">Waggle</h1>
      </div>
      <NamespaceSelect />
      <div className="flex min-w-0 flex-1 max-sm:order-last max-sm:basis-full">
        <Part>
          <LateFilterBar />
        </Part>
      </div>
      <span className="hidden flex-1 max-sm:block" />
      <VerdictControl />
      <Part instead={null}>
        <LateShowMenu />
        <LateSavedViews />
      </Part>
      <Live />
      <Session />
    </header>
  );
}

/** Without a part of the bar the page goes on. */
function Part({ instead = <Outdated />, children }: { instead?: ReactNode; children: ReactNode }) {
  return (
    <ErrorEdge part="The bar" instead={instead}>
      {children}
    </ErrorEdge>
  );
}

function Outdated() {
  return (
    <p role="alert" className="text-sm text-dim">
      The filter could not be loaded.{' '}
      <button type="button" onClick={() => location.reload()} className="text-link underline underline-offset-2">
        Load the page again
      </button>
    </p>
  );
}

function Session() {
  const who = useStore(whoAmIStore);
  return (
    who !== null && (
      <Suspense fallback={null}>
        <Part instead={null}>
          <Account who={who} />
        </Part>
      </Suspense>
    )
  );
}

function Logo() {
  return (
    <svg
      aria-hidden
      viewBox="0 0 24 24"
      className="size-[22px] fill-none stroke-accent stroke-2 [stroke-linecap:round] [stroke-linejoin:round]"
    >
      <path d="M12 2l8.7 5v10L12 22l-8.7-5V7z" />
      <path d="M7.5 13.5c1.5-4 3-4 4.5-1.5s3 2.5 4.5-1.5" />
    </svg>
  );
}

const WORDS = { live: 'Live', connecting: 'Connecting', waiting: 'Reconnecting', refused: 'Stopped' };

function Live() {
  const { phase } = useStore(connectionStore);
  return (
    <span
      title={phase === 'live' ? 'Flows appear as they happen' : undefined}
      className="flex h-8 items-center gap-2 rounded-md border border-line bg-card px-3 text-sm text-accent-text max-sm:px-2"
    >
      <span
        aria-hidden
        className={classNames('size-2 rounded-full', phase === 'live' ? 'bg-accent' : 'border border-accent')}
      />
      <span className="max-sm:sr-only">{WORDS[phase]}</span>
    </span>
  );
}

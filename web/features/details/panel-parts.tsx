import { TriangleAlert, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import { changeView } from '../../view/view-store.ts';

export function PanelHeader(props: {
  title: ReactNode;
  children: ReactNode;
  /** What can be done with it, beside what can be done with all. */
  tools?: ReactNode;
}) {
  const { title, children } = props;
  return (
    <header>
      <div className="flex items-start gap-1">
        <h2 className="flex min-h-8 min-w-0 flex-1 items-center gap-2 text-lg font-semibold">{title}</h2>
        {props.tools}
        <CopyButton label="Copy link to this" text={() => location.href} className="h-8" />
        <IconButton label="Close details" onClick={() => changeView({ select: null })}>
          <X aria-hidden size={16} />
        </IconButton>
      </div>
      <div className="text-sm text-dim">{children}</div>
    </header>
  );
}

export interface Figure {
  readonly name: string;
  readonly value: string;
  readonly alarm?: boolean;
  readonly title?: string;
}

/** Four numbers at a glance. `second`: the second of them is a longer one. */
export function Figures({ figures, second = false }: { figures: readonly Figure[]; second?: boolean }) {
  return (
    <dl
      className={classNames(
        'grid divide-x divide-line overflow-hidden rounded-lg border border-line bg-card',
        second ? 'grid-cols-[5fr_7fr_5fr_5fr]' : 'grid-cols-4',
      )}
    >
      {figures.map(({ name, value, alarm, title }) => (
        <div key={name} title={title} className="min-w-0 px-2 py-2">
          <dt className="truncate text-2xs text-faint">{name}</dt>
          <dd className={classNames('truncate text-sm font-semibold tabular-nums', alarm && 'text-dropped-text')}>
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Does something with what stands here; set like a link, as there are many. */
export function TextButton({ children, onClick }: { children: ReactNode; onClick(): void }) {
  return (
    <button type="button" onClick={onClick} className="text-left text-sm text-link underline-offset-2 hover:underline">
      {children}
    </button>
  );
}

export function Problem({ children }: { children: ReactNode }) {
  return (
    <p role="status" className="flex items-center gap-2 text-xs text-dim">
      <TriangleAlert aria-hidden size={14} className="shrink-0 text-accent-text" />
      {children}
    </p>
  );
}

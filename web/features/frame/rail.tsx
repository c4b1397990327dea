import { Hexagon, ListTree, Moon, Network, Shield, Sun, TableProperties } from 'lucide-react';
import type { ReactNode } from 'react';
import { useStore } from '../../live/store.ts';
import { themeStore } from '../../theme/theme.ts';
import { classNames } from '../../ui/class-names.ts';
import type { ViewMode } from '../../view/view.ts';
import { useView } from '../../view/view-store.ts';
import { frameAction } from './frame-actions.ts';

const MODES: readonly { mode: ViewMode; name: string; icon: ReactNode }[] = [
  { mode: 'map', name: 'Map', icon: <Hexagon aria-hidden size={18} strokeWidth={1.75} /> },
  { mode: 'table', name: 'Flow table', icon: <TableProperties aria-hidden size={18} strokeWidth={1.75} /> },
  { mode: 'list', name: 'List of workloads', icon: <ListTree aria-hidden size={18} strokeWidth={1.75} /> },
  { mode: 'policies', name: 'Policies', icon: <Shield aria-hidden size={18} strokeWidth={1.75} /> },
  { mode: 'services', name: 'Services', icon: <Network aria-hidden size={18} strokeWidth={1.75} /> },
];

/** What fills the page, and the theme. At the left; along the bottom on narrow pages. */
export function Rail() {
  const { mode } = useView();
  const theme = useStore(themeStore);
  return (
    <nav
      aria-label="Views"
      className="flex shrink-0 items-center gap-2 border-line bg-background p-2 max-sm:order-last max-sm:flex-row max-sm:border-t max-sm:py-1 sm:w-[52px] sm:flex-col sm:border-r"
    >
      {MODES.map(({ mode: each, name, icon }) => (
        <RailButton key={each} name={name} current={mode === each} onClick={frameAction(`view.${each}`).run}>
          {icon}
        </RailButton>
      ))}
      <span className="flex-1" />
      <RailButton name={theme === 'dark' ? 'Light theme' : 'Dark theme'} onClick={frameAction('theme').run}>
        {theme === 'dark' ? (
          <Sun aria-hidden size={18} strokeWidth={1.75} />
        ) : (
          <Moon aria-hidden size={18} strokeWidth={1.75} />
        )}
      </RailButton>
    </nav>
  );
}

function RailButton(props: { name: string; current?: boolean; onClick(): void; children: ReactNode }) {
  return (
    <button
      type="button"
      aria-label={props.name}
      title={props.name}
      aria-current={props.current ? 'page' : undefined}
      onClick={props.onClick}
      className={classNames(
        'flex size-9 items-center justify-center rounded-lg',
        props.current ? 'bg-chip text-accent-text' : 'text-dim hover:bg-hover hover:text-text',
      )}
    >
      {props.children}
    </button>
  );
}

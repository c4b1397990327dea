import { Shield } from 'lucide-react';
import { type ReactNode, Suspense, useState } from 'react';
import { sceneStore } from '../../live/map-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { latePart } from '../../ui/late-part.ts';
import { DEFAULT_MAP_OPTIONS, type MapOptions } from '../../view/map-options.ts';
import { changeMapOptions, useView } from '../../view/view-store.ts';
import { exportMap } from './export-map-file.ts';
import { FindField } from './find-field.tsx';
import { FocusBar } from './focus-bar.tsx';
import { toggleReach } from './map-actions.ts';
import type { MapCanvas } from './map-canvas.ts';
import { ToolButton } from './tool-button.tsx';
import { DISPLAY, EXPORT } from './tools.tsx';

const load = () => import('./display-panel.tsx');
const DisplayPanel = latePart(() => load().then(({ DisplayPanel }) => DisplayPanel));
const ExportPanel = latePart(() => load().then(({ ExportPanel }) => ExportPanel));

/** Above the map, or the list: what to look for, how it is shown, and taking it along. */
export function MapToolbar(props: {
  /** A card that was looked for is to be shown. */
  onReveal(key: string): void;
  /** What is drawn; missing where nothing is. */
  shown?: () => MapCanvas['shown'];
  /** Stands above what follows rather than over it. */
  inFlow?: boolean;
}) {
  const { map } = useView();
  const { shown } = props;
  return (
    <div
      className={classNames(
        'flex flex-wrap items-start justify-between gap-2',
        props.inFlow
          ? 'border-b border-line px-4 py-2'
          : 'pointer-events-none absolute inset-x-0 top-0 z-10 p-3 *:pointer-events-auto',
      )}
    >
      <div className="flex min-w-0 flex-wrap items-center gap-2">
        <FocusBar />
        <HiddenCards />
      </div>
      {/* biome-ignore lint/a11y/useSemanticElements: these are no fields of a form */}
      <div role="group" aria-label="Map tools" className="ml-auto flex items-start gap-1">
        <FindField onReveal={props.onReveal} />
        <ToolButton
          label={map.reach ? 'Show only what is seen' : 'Show what policies allow'}
          aria-pressed={map.reach}
          marked={map.reach}
          onClick={toggleReach}
        >
          <Shield aria-hidden size={15} />
        </ToolButton>
        <Later tool={DISPLAY} marked={!isUsual(map)}>
          <DisplayPanel />
        </Later>
        {shown !== undefined && (
          <Later tool={EXPORT}>
            <ExportPanel onExport={(format) => void exportMap(shown(), format)} />
          </Later>
        )}
      </div>
    </div>
  );
}

/** A button whose panel is loaded when it is first wanted. */
function Later({ tool, marked, children }: { tool: typeof DISPLAY; marked?: boolean; children: ReactNode }) {
  const [wanted, setWanted] = useState(false);
  const button = (
    <ToolButton
      label={tool.name}
      marked={marked}
      aria-haspopup="dialog"
      aria-expanded={false}
      onClick={() => setWanted(true)}
      onPointerEnter={() => void load().catch(() => {})}
      onFocus={() => void load().catch(() => {})}
    >
      {tool.icon}
    </ToolButton>
  );
  return wanted ? <Suspense fallback={button}>{children}</Suspense> : button;
}

/** What is left out is counted. */
function HiddenCards() {
  const { map } = useView();
  const hidden = useStore(sceneStore)?.scene.hiddenCards ?? 0;
  if (map.hide === '' || hidden === 0) return null;
  return (
    <p className="flex h-8 items-center gap-2 rounded-md border border-line bg-card px-2.5 text-xs text-dim">
      {hidden === 1 ? '1 card' : `${hidden} cards`} left out
      <button
        type="button"
        onClick={() => changeMapOptions({ hide: '' })}
        className="text-link underline-offset-2 hover:underline"
      >
        Show
      </button>
    </p>
  );
}

function isUsual({ group, nameLabel, quiet, hide, services, width }: MapOptions): boolean {
  const usual = DEFAULT_MAP_OPTIONS;
  return (
    group === usual.group &&
    nameLabel === usual.nameLabel &&
    quiet === usual.quiet &&
    hide === usual.hide &&
    width === usual.width &&
    !services
  );
}

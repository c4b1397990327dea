import { CSPProvider } from '@base-ui/react/csp-provider';
import { Popover } from '@base-ui/react/popover';
import { type ReactNode, useId } from 'react';
import { arrangementStore, foldPlates, unpinAll } from '../../live/arrangement.ts';
import { sceneStore } from '../../live/map-client.ts';
import { useStore } from '../../live/store.ts';
import { Button } from '../../ui/button.tsx';
import { classNames } from '../../ui/class-names.ts';
import { Segmented } from '../../ui/segmented.tsx';
import { type ArrowWidth, GROUP_BY, QUIET_TIMES, QUIET_WORDS, type QuietTime } from '../../view/map-options.ts';
import { changeMapOptions, useView } from '../../view/view-store.ts';
import { problemOf } from './find-field.tsx';
import { foldedPlates, GROUP_NAMES, openPlates } from './map-actions.ts';
import { ToolButton } from './tool-button.tsx';
import { DISPLAY, EXPORT } from './tools.tsx';

/** A button with its panel, both loaded when first wanted: it begins open. */
export function DisplayPanel() {
  return (
    <Panel name={DISPLAY.name} icon={DISPLAY.icon}>
      <Options />
    </Panel>
  );
}

export function ExportPanel({ onExport }: { onExport(format: 'png' | 'svg'): void }) {
  return (
    <Panel name={EXPORT.name} icon={EXPORT.icon}>
      <div className="flex flex-col gap-2">
        <Popover.Close render={<Button onClick={() => onExport('png')} />}>PNG picture</Popover.Close>
        <Popover.Close render={<Button onClick={() => onExport('svg')} />}>SVG drawing</Popover.Close>
        <p className="max-w-48 text-2xs text-dim">The whole map as it stands, in this theme.</p>
      </div>
    </Panel>
  );
}

function Panel({ name, icon, children }: { name: string; icon: ReactNode; children: ReactNode }) {
  return (
    // The content security policy allows no inline style elements.
    <CSPProvider disableStyleElements>
      <Popover.Root defaultOpen>
        <Popover.Trigger render={<ToolButton label={name}>{icon}</ToolButton>} />
        <Popover.Portal>
          <Popover.Positioner sideOffset={6} align="end" className="z-50">
            <Popover.Popup
              aria-label={name}
              className="max-h-[80vh] max-w-[calc(100vw-16px)] overflow-y-auto rounded-lg border border-line bg-card p-3 text-sm shadow-[var(--shadow)] transition-opacity duration-150 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0"
            >
              {children}
            </Popover.Popup>
          </Popover.Positioner>
        </Popover.Portal>
      </Popover.Root>
    </CSPProvider>
  );
}

function Options() {
  const { map } = useView();
  const scene = useStore(sceneStore)?.scene;
  const pins = Object.keys(useStore(arrangementStore).pins).length;
  const labels = scene?.namingLabels ?? [];
  const names = map.nameLabel !== '' && !labels.includes(map.nameLabel) ? [map.nameLabel, ...labels] : labels;
  const open = openPlates();
  const folded = foldedPlates();
  return (
    <div className="flex w-72 flex-col gap-3">
      <Row label="Group by">
        <Segmented
          label="Group by"
          value={map.group}
          segments={GROUP_BY.map((value) => ({ value, name: GROUP_NAMES[value], label: GROUP_NAMES[value] }))}
          onChange={(group) => changeMapOptions({ group })}
          className="[&>button]:flex-1 [&>button]:justify-center [&>button]:px-1"
        />
      </Row>
      <Choice
        label="Name cards by"
        value={map.nameLabel}
        choices={[['', 'name of the workload'], ...names.map((key) => [key, `label ${key}`] as const)]}
        onChange={(nameLabel) => changeMapOptions({ nameLabel })}
      />
      <Choice
        label="What is quiet leaves after"
        value={map.quiet}
        choices={QUIET_TIMES.map((value) => [value, QUIET_WORDS[value]] as const)}
        onChange={(quiet) => changeMapOptions({ quiet: quiet as QuietTime })}
      />
      <Choice
        label="Services"
        value={map.services ? '1' : ''}
        choices={[
          ['', 'arrows from clients to backends'],
          ['1', 'cards of their own between them'],
        ]}
        onChange={(value) => changeMapOptions({ services: value === '1' })}
      />
      <Choice
        label="Width of arrows"
        value={map.width}
        choices={[
          ['flows', 'flows per second'],
          ['bytes', 'bytes per second'],
        ]}
        onChange={(width) => changeMapOptions({ width: width as ArrowWidth })}
      />
      <HideField />
      <div className="flex flex-wrap gap-2 border-t border-line pt-3">
        <Button disabled={open.length === 0} onClick={() => foldPlates(open, true)}>
          Fold all
        </Button>
        <Button disabled={folded.length === 0} onClick={() => foldPlates(folded, false)}>
          Unfold all
        </Button>
        {pins > 0 && <Button onClick={unpinAll}>Let go of {pins === 1 ? '1 pin' : `${pins} pins`}</Button>}
      </div>
    </div>
  );
}

function HideField() {
  const { map } = useView();
  const id = useId();
  const help = useId();
  const problem = problemOf(map.hide);
  const hidden = useStore(sceneStore)?.scene.hiddenCards ?? 0;
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-xs text-dim">
        Leave out
      </label>
      <input
        id={id}
        value={map.hide}
        placeholder="ns=kube-system or kind=world"
        spellCheck={false}
        autoComplete="off"
        aria-invalid={problem !== undefined}
        aria-describedby={help}
        onChange={(event) => changeMapOptions({ hide: event.target.value }, 'replace')}
        className={classNames(
          'h-8 rounded-md border bg-background px-2 text-sm outline-none placeholder:text-faint focus:border-accent',
          problem === undefined ? 'border-line' : 'border-dropped',
        )}
      />
      <p id={help} className={classNames('text-2xs', problem === undefined ? 'text-dim' : 'text-dropped-text')}>
        {problem ??
          (map.hide === ''
            ? 'name, ns=, kind=, label:key=value, port=, verdict=, rate<1, ns!=, and, or'
            : `${hidden} ${hidden === 1 ? 'card' : 'cards'} left out`)}
      </p>
    </div>
  );
}

function Row({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div className="flex flex-col gap-1">
      <span aria-hidden className="text-xs text-dim">
        {label}
      </span>
      {children}
    </div>
  );
}

function Choice(props: {
  label: string;
  value: string;
  choices: readonly (readonly [value: string, name: string])[];
  onChange(value: string): void;
}) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-xs text-dim">
        {props.label}
      </label>
      <select
        id={id}
        value={props.value}
        onChange={(event) => props.onChange(event.target.value)}
        className="h-8 rounded-md border border-line bg-background px-2 text-sm"
      >
        {props.choices.map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
    </div>
  );
}

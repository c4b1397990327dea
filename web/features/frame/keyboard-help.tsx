import type { Keys } from '../../actions/keys.ts';
import { type ActionGroup, actionsStore } from '../../actions/registry.ts';
import { useStore } from '../../live/store.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { KeyCaps } from '../../ui/key-caps.tsx';
import { settingsStore } from '../../view/settings.ts';

interface Hint {
  readonly keys: readonly Keys[];
  readonly name: string;
}

/** Keys that belong to what has the focus, not to the page. */
const HINTS: Partial<Record<ActionGroup, readonly Hint[]>> = {
  Map: [
    { keys: ['arrows'], name: 'Go through cards and arrows' },
    { keys: ['home', 'end'], name: 'First and last of them' },
    { keys: ['enter'], name: 'Details of the card or arrow' },
    { keys: ['alt+arrows'], name: 'Move the card' },
    { keys: ['shift+arrows'], name: 'Move the map' },
    { keys: ['escape'], name: 'Let go of the selection, then of the focus' },
  ],
  'Flow table': [
    { keys: ['arrowup', 'arrowdown'], name: 'Go through rows, which hold still meanwhile' },
    { keys: ['pageup', 'pagedown'], name: 'A page up or down' },
    { keys: ['home', 'end'], name: 'First and last row' },
    { keys: ['enter'], name: 'Every field of the flow; on the name of a column, sort by it' },
    { keys: ['escape'], name: 'Close them' },
    { keys: ['alt+arrowleft', 'alt+arrowright'], name: 'Move a column, from its name' },
    { keys: ['shift+arrowleft', 'shift+arrowright'], name: 'Make it narrower or wider' },
  ],
  Filter: [
    { keys: ['arrowup', 'arrowdown'], name: 'Choose among what is offered' },
    { keys: ['tab'], name: 'Write what is offered first' },
    { keys: ['enter'], name: 'Take the filter' },
    { keys: ['backspace'], name: 'Edit the last filter again' },
  ],
};

const GROUPS: readonly ActionGroup[] = ['View', 'Map', 'Flow table', 'Filter', 'Page'];

export function KeyboardHelp({ onClose }: { onClose(): void }) {
  const actions = useStore(actionsStore);
  const { singleKeys } = useStore(settingsStore);
  const groups = GROUPS.map((group) => ({
    group,
    hints: [
      ...actions
        .filter((action) => action.group === group && action.keys !== undefined)
        .map(({ keys, name }): Hint => ({ keys: [keys!], name })),
      ...(HINTS[group] ?? []),
    ],
    // Of a part that is not on the page no key would do anything.
  })).filter(({ group }) => actions.some((action) => action.group === group));
  return (
    <Dialog title="Keys" onClose={onClose} className="!w-[min(720px,calc(100vw-24px))]">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <div tabIndex={0} className="min-h-0 columns-2 gap-8 overflow-y-auto px-4 pb-4 max-sm:columns-1">
        {groups.map(({ group, hints }) => (
          <section key={group} className="mb-4 break-inside-avoid">
            <h3 className="pb-1 text-xs font-semibold text-dim">{group}</h3>
            <dl>
              {hints.map(({ keys, name }) => (
                <div
                  key={name}
                  className="flex items-baseline justify-between gap-3 border-b border-line py-1 last:border-b-0"
                >
                  <dt className="text-sm">{name}</dt>
                  <dd className="flex gap-1">
                    {keys.map((each) => (
                      <KeyCaps key={each} keys={each} />
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      {!singleKeys && (
        <p className="border-t border-line px-4 py-2 text-xs text-dim">
          Keys without Ctrl or ⌘ are switched off in the settings.
        </p>
      )}
    </Dialog>
  );
}

import { CornerDownLeft, Search } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { actionsStore } from '../../actions/registry.ts';
import { sceneStore } from '../../live/map-client.ts';
import { ask, listNamespaces } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { KeyCaps } from '../../ui/key-caps.tsx';
import { changeView, showPolicy, viewStore } from '../../view/view-store.ts';
import type { PolicyFacts } from '../../worker/policy-report.ts';
import type { NamespaceSummary } from '../../worker/protocol.ts';
import { isValidToken } from '../filters/token-check.ts';
import { type PaletteItem, paletteGroups } from './palette-items.ts';

/** Goes to a workload or namespace, or does something, by a few letters of its name. */
export function Palette({ onClose }: { onClose(): void }) {
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const [namespaces, setNamespaces] = useState<readonly NamespaceSummary[]>([]);
  const [policies, setPolicies] = useState<readonly PolicyFacts[]>([]);
  const actions = useStore(actionsStore);
  const cards = useStore(sceneStore)?.scene.cards;
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let closed = false;
    // Without them the rest of the palette works.
    listNamespaces().then(
      (found) => closed || setNamespaces(found),
      () => {},
    );
    ask({ about: 'policies' }).then(
      (report) => closed || setPolicies(report.policies),
      () => {},
    );
    return () => {
      closed = true;
    };
  }, []);
  const groups = useMemo(
    () =>
      paletteGroups(typed, {
        actions,
        namespaces,
        policies,
        cards: cards ?? [],
        isFilter: (words) => /[=\s]/.test(words) && isValidToken(words),
        showNamespace: (name) => changeView({ namespaces: [name] }),
        showPolicy,
        selectCard: (key) => changeView({ select: key }),
        addFilter: (token) => changeView({ filter: [...new Set([...viewStore.get().view.filter, token])] }),
      }),
    [typed, actions, namespaces, policies, cards],
  );
  const items = groups.flatMap((group) => group.items);
  const current = Math.min(active, items.length - 1);
  const choose = (item: PaletteItem | undefined) => {
    if (item === undefined) return;
    onClose();
    // Whatever it opens or focuses comes after the focus has gone back.
    requestAnimationFrame(() => item.run());
  };
  const move = (to: number) => {
    if (items.length === 0) return;
    const next = (to + items.length) % items.length;
    setActive(next);
    list.current?.querySelectorAll('[role=option]')[next]?.scrollIntoView({ block: 'nearest' });
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return;
    if (event.key === 'ArrowDown') move(current + 1);
    else if (event.key === 'ArrowUp') move(current - 1);
    else if (event.key === 'Home' && event.ctrlKey) move(0);
    else if (event.key === 'End' && event.ctrlKey) move(items.length - 1);
    else if (event.key === 'Enter') choose(items[current]);
    else return;
    event.preventDefault();
  };
  let index = -1;
  return (
    <Dialog title="Find and do anything" bare onClose={onClose}>
      <div className="flex items-center gap-2 border-b border-line px-4">
        <Search aria-hidden size={16} className="shrink-0 text-dim" />
        <input
          role="combobox"
          aria-label="Find a workload, a namespace or an action"
          aria-expanded
          aria-controls={`${id}-list`}
          aria-activedescendant={items.length > 0 ? `${id}-${current}` : undefined}
          aria-autocomplete="list"
          autoComplete="off"
          spellCheck={false}
          placeholder="Find a workload, a namespace or an action"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
          className="h-12 min-w-0 flex-1 bg-transparent text-base outline-none placeholder:text-faint"
        />
        <KeyCaps keys="escape" />
      </div>
      <div ref={list} id={`${id}-list`} role="listbox" aria-label="Answers" className="min-h-0 overflow-y-auto p-2">
        {groups.map((group) => (
          // biome-ignore lint/a11y/useSemanticElements: options of a listbox are grouped like this
          <div key={group.name} role="group" aria-label={group.name}>
            <div aria-hidden className="px-2 pt-2 pb-1 text-2xs text-faint">
              {group.name}
            </div>
            {group.items.map((item) => {
              const at = ++index;
              return (
                // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the text field's
                // biome-ignore lint/a11y/useFocusableInteractive: the text field keeps the focus
                <div
                  key={item.id}
                  id={`${id}-${at}`}
                  role="option"
                  aria-selected={at === current}
                  onPointerMove={() => at !== current && setActive(at)}
                  onClick={() => choose(item)}
                  className={classNames(
                    'flex cursor-pointer items-center gap-2 rounded-md px-2 py-1.5 text-sm',
                    at === current && 'bg-selected',
                  )}
                >
                  <span className="min-w-0 truncate">{item.name}</span>
                  <span className="min-w-0 flex-1 truncate text-xs text-dim">{item.detail}</span>
                  {item.keys !== undefined && <KeyCaps keys={item.keys} />}
                  {at === current && <CornerDownLeft aria-hidden size={14} className="shrink-0 text-dim" />}
                </div>
              );
            })}
          </div>
        ))}
      </div>
      {items.length === 0 && (
        <p role="status" className="px-4 pb-4 text-sm text-dim">
          Nothing here is called “{typed.trim()}”.
        </p>
      )}
    </Dialog>
  );
}

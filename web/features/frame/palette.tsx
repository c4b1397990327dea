import { CornerDownLeft, Search } from 'lucide-react';
import { useEffect, useId, useMemo, useRef, useState } from 'react';
import { actionsStore } from '../../actions/registry.ts';
import { plateOfFolded } from '../../graph/group.ts';
import { foldPlate } from '../../live/arrangement.ts';
import { sceneStore } from '../../live/map-client.ts';
import { ask, listNamespaces } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { KeyCaps } from '../../ui/key-caps.tsx';
import { changeView, showPolicy, viewStore } from '../../view/view-store.ts';
import type { PolicedWorkload, PolicyFacts } from '../../worker/policy-report.ts';
import type { NamespaceSummary } from '../../worker/protocol.ts';
import { isValidToken } from '../filters/token-check.ts';
import { isNarrowed } from './frame-actions.ts';
import { type PaletteItem, paletteGroups } from './palette-items.ts';

const TYPING_MS = 70;

/** Goes to a workload or namespace, or does something, by a few letters of its name. */
export function Palette({ onClose }: { onClose(): void }) {
  const [typed, setTyped] = useState('');
  const [active, setActive] = useState(0);
  const [namespaces, setNamespaces] = useState<readonly NamespaceSummary[]>([]);
  const [policies, setPolicies] = useState<readonly PolicyFacts[]>([]);
  const [known, setKnown] = useState<readonly PolicedWorkload[]>([]);
  const workloads = useWorkloads(typed.trim().split(/\s+/)[0]);
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
      (report) => {
        if (closed) return;
        setPolicies(report.policies);
        setKnown(report.workloads);
      },
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
        workloads,
        isFilter: (words) => /[=\s]/.test(words) && isValidToken(words),
        showNamespace: (name) => changeView({ namespaces: [name] }),
        showPolicy,
        selectCard,
        showWorkload: (namespace, name) =>
          showWorkload(namespace, name, known.find((each) => each.namespace === namespace && each.name === name)?.key),
        addFilter: (token) => changeView({ filter: [...new Set([...viewStore.get().view.filter, token])] }),
      }),
    [typed, actions, namespaces, policies, known, workloads, cards],
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

/** Workloads of any namespace that have this in their name and talk, most first: `namespace/name`. */
function useWorkloads(typed: string): readonly string[] {
  const [found, setFound] = useState<readonly string[]>([]);
  useEffect(() => {
    if (typed === '') {
      setFound([]);
      return;
    }
    let late = false;
    const timer = setTimeout(() => {
      ask({ about: 'values', namespaces: [], filter: [], field: 'workload', side: 'any', typed }).then(
        (values) => late || setFound(values),
        () => {},
      );
    }, TYPING_MS);
    return () => {
      late = true;
      clearTimeout(timer);
    };
  }, [typed]);
  return found;
}

/** Where there is no map beside, the map; what is folded opens. */
function selectCard(key: string): void {
  const plate = plateOfFolded(key);
  const { mode } = viewStore.get().view;
  const shown = mode === 'policies' || mode === 'services' ? 'map' : mode;
  if (plate !== undefined) foldPlate(plate, false);
  changeView(plate === undefined ? { mode: shown, select: key } : { mode: shown });
}

/** Takes away what hides it; a card whose key is not known is asked for by name. */
function showWorkload(namespace: string, name: string, key: string | undefined): void {
  if (key !== undefined && !isNarrowed()) {
    selectCard(key);
    return;
  }
  const { namespaces, mode } = viewStore.get().view;
  changeView({
    mode: mode === 'policies' || mode === 'services' ? 'map' : mode,
    verdict: 'all',
    ...(key === undefined
      ? { namespaces: [], filter: [`workload=${namespace}/${name}`], select: null }
      : {
          namespaces: namespaces.length === 0 ? [] : [...new Set([...namespaces, namespace])].toSorted(),
          filter: [],
          select: key,
        }),
  });
}

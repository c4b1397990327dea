import { Combobox } from '@base-ui/react/combobox';
import { useQuery } from '@tanstack/react-query';
import { Check, ChevronDown } from 'lucide-react';
import { connectionStore, listNamespaces } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { changeView, useView } from '../../view/view-store.ts';

/** Namespaces on the map: one, several, or all. */
export function NamespaceSelect() {
  const { namespaces } = useView();
  const live = useStore(connectionStore).phase === 'live';
  const { data, error } = useQuery({
    queryKey: ['namespaces'],
    queryFn: listNamespaces,
    refetchInterval: live ? 10_000 : 3_000,
  });
  const pods = new Map<string, number>();
  for (const { name, pods: count } of data ?? []) pods.set(name, (pods.get(name) ?? 0) + count);
  // A namespace of the URL that does not exist stays in the list: it is part of the view and may come back.
  for (const name of namespaces) if (!pods.has(name)) pods.set(name, 0);
  const items = [...pods.keys()].sort();
  const [first, ...others] = namespaces;
  return (
    <Combobox.Root
      items={items}
      multiple
      value={[...namespaces]}
      onValueChange={(value) => changeView({ namespaces: value.toSorted() })}
    >
      <Combobox.Trigger
        aria-label={`Namespace: ${first === undefined ? 'all' : namespaces.join(', ')}`}
        className="flex h-8 min-w-0 shrink-0 items-center gap-2 rounded-md border border-line bg-card px-2.5 text-sm transition-colors duration-150 hover:bg-hover"
      >
        <span className="text-dim max-lg:hidden">Namespace</span>
        <span className="max-w-40 truncate text-text">{first ?? 'all'}</span>
        {others.length > 0 && <span className="text-dim">+{others.length}</span>}
        <ChevronDown aria-hidden size={14} className="text-dim" />
      </Combobox.Trigger>
      <Combobox.Portal>
        <Combobox.Positioner sideOffset={6} align="start" className="z-50">
          <Combobox.Popup
            aria-label="Namespaces"
            className="flex max-h-96 w-64 flex-col overflow-hidden rounded-lg border border-line bg-card shadow-[var(--shadow)] transition-opacity duration-150 data-[ending-style]:opacity-0 data-[starting-style]:opacity-0"
          >
            <Combobox.Input
              aria-label="Find a namespace"
              placeholder="Find a namespace"
              className="mx-2 mt-2 h-8 rounded-md border border-line bg-background px-2 text-sm outline-none placeholder:text-faint focus:border-accent"
            />
            <button
              type="button"
              aria-pressed={namespaces.length === 0}
              onClick={() => changeView({ namespaces: [] })}
              className="mx-1 mt-1 flex items-center gap-2 rounded-md px-2 py-1 text-left text-sm hover:bg-hover"
            >
              <Check
                aria-hidden
                size={14}
                className={classNames('text-accent-text', namespaces.length > 0 && 'invisible')}
              />
              All namespaces
            </button>
            <Combobox.Empty className="px-3 py-2 text-sm text-dim empty:hidden">
              {error === null ? 'No such namespace.' : error.message}
            </Combobox.Empty>
            <Combobox.List className="min-h-0 overflow-y-auto p-1">
              {(name: string) => (
                <Combobox.Item
                  key={name}
                  value={name}
                  className="flex cursor-pointer items-center gap-2 rounded-md px-2 py-1 text-sm data-[highlighted]:bg-hover"
                >
                  <span className="flex size-3.5 items-center">
                    <Combobox.ItemIndicator>
                      <Check aria-hidden size={14} className="text-accent-text" />
                    </Combobox.ItemIndicator>
                  </span>
                  <span className="min-w-0 flex-1 truncate">{name}</span>
                  <span className="numbers text-2xs text-faint">
                    {pods.get(name)} {pods.get(name) === 1 ? 'pod' : 'pods'}
                  </span>
                </Combobox.Item>
              )}
            </Combobox.List>
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}

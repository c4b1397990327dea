import { Combobox } from '@base-ui/react/combobox';
import { CSPProvider } from '@base-ui/react/csp-provider';
import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { Check } from 'lucide-react';
import { connectionStore, listNamespaces } from '../../live/session-client.ts';
import { useStore } from '../../live/store.ts';
import { classNames } from '../../ui/class-names.ts';
import { changeView, useView } from '../../view/view-store.ts';
import { NAMESPACE_BUTTON, NamespaceWords, namespaceLabel } from './namespace-button.tsx';

/** A list of thousands takes seconds to draw, and nobody reads it. */
const MOST_LISTED = 200;

const queries = new QueryClient({ defaultOptions: { queries: { retry: 1, staleTime: 5_000 } } });

export function NamespaceList() {
  return (
    // The content security policy allows no inline style elements.
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={queries}>
        <List />
      </QueryClientProvider>
    </CSPProvider>
  );
}

function List() {
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
  return (
    <Combobox.Root
      defaultOpen
      items={items}
      limit={MOST_LISTED}
      multiple
      value={[...namespaces]}
      onValueChange={(value) => changeView({ namespaces: value.toSorted() })}
    >
      <Combobox.Trigger aria-label={namespaceLabel(namespaces)} className={NAMESPACE_BUTTON}>
        <NamespaceWords namespaces={namespaces} />
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
              className="mx-2 mt-2 h-8 shrink-0 rounded-md border border-line bg-background px-2 text-sm outline-none placeholder:text-faint focus:border-accent"
            />
            <button
              type="button"
              aria-pressed={namespaces.length === 0}
              onClick={() => changeView({ namespaces: [] })}
              className="mx-1 mt-1 flex shrink-0 items-center gap-2 rounded-md px-2 py-1 text-left text-sm hover:bg-hover"
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
                  {/* A namespace that only flows have told of has pods that nobody counted. */}
                  {pods.get(name) !== 0 && (
                    <span className="numbers text-2xs text-faint">
                      {pods.get(name)} {pods.get(name) === 1 ? 'pod' : 'pods'}
                    </span>
                  )}
                </Combobox.Item>
              )}
            </Combobox.List>
            {items.length > MOST_LISTED && (
              <p className="shrink-0 border-t border-line px-3 py-2 text-2xs text-dim">
                At most {MOST_LISTED} of {items.length.toLocaleString('en')} are listed: type a part of the name.
              </p>
            )}
          </Combobox.Popup>
        </Combobox.Positioner>
      </Combobox.Portal>
    </Combobox.Root>
  );
}

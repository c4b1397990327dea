import { bestMatches } from '../../actions/match.ts';
import { type Action, isAvailable } from '../../actions/registry.ts';
import type { SceneCard } from '../../graph/scene.ts';
import type { PolicyFacts } from '../../worker/policy-report.ts';
import type { NamespaceSummary } from '../../worker/protocol.ts';

/** One line of the palette. */
export interface PaletteItem {
  readonly id: string;
  readonly name: string;
  /** Beside the name, dimmed. */
  readonly detail: string;
  readonly keys?: string;
  run(): void;
}

export interface PaletteGroup {
  readonly name: string;
  readonly items: readonly PaletteItem[];
}

export interface PaletteSources {
  readonly actions: readonly Action[];
  readonly namespaces: readonly NamespaceSummary[];
  readonly policies: readonly Pick<PolicyFacts, 'key' | 'kind' | 'namespace' | 'name'>[];
  readonly cards: readonly Pick<SceneCard, 'key' | 'title' | 'name' | 'namespace' | 'sentence'>[];
  /** Workloads that talk, whatever the view shows: `namespace/name`. */
  readonly workloads: readonly string[];
  /** Whether what was typed is a filter as it stands. */
  readonly isFilter: (typed: string) => boolean;
  readonly showNamespace: (name: string) => void;
  readonly showPolicy: (key: string) => void;
  readonly selectCard: (key: string) => void;
  /** Of one that has no card now: the view leaves it out, or it is in a folded plate. */
  readonly showWorkload: (namespace: string, name: string) => void;
  readonly addFilter: (token: string) => void;
}

const MOST = { workloads: 8, elsewhere: 6, namespaces: 6, policies: 6, actions: 12 };

/** What answers the words typed, in groups; groups without an answer are left out. */
export function paletteGroups(typed: string, sources: PaletteSources): PaletteGroup[] {
  const { actions, namespaces, cards, policies, workloads } = sources;
  const onMap = new Set(cards.map(({ namespace, name }) => `${namespace}/${name}`));
  const words = typed.trim();
  const groups: PaletteGroup[] = [
    {
      name: 'Filter',
      items: sources.isFilter(words)
        ? [{ id: 'filter', name: `Filter by ${words}`, detail: '', run: () => sources.addFilter(words) }]
        : [],
    },
    {
      name: 'Workloads',
      items: bestMatches(cards, words, ({ title, namespace }) => `${title} ${namespace}`, MOST.workloads).map(
        (card) => ({
          id: `card ${card.key}`,
          name: card.title,
          detail: [card.namespace, card.sentence].filter((part) => part !== '').join(' · '),
          run: () => sources.selectCard(card.key),
        }),
      ),
    },
    {
      name: 'Workloads that are not on the map now',
      items: bestMatches(
        workloads.filter((each) => !onMap.has(each)),
        words,
        (each) => each.split('/').toReversed().join(' '),
        MOST.elsewhere,
      ).map((each) => {
        const [namespace, name] = each.split('/');
        return {
          id: `workload ${each}`,
          name,
          detail: namespace,
          run: () => sources.showWorkload(namespace, name),
        };
      }),
    },
    {
      name: 'Namespaces',
      items: bestMatches(distinctNames(namespaces), words, ({ name }) => name, MOST.namespaces).map(
        ({ name, pods }) => ({
          id: `namespace ${name}`,
          name,
          // One that only flows have told of has pods that nobody counted.
          detail: pods === 0 ? '' : pods === 1 ? '1 pod' : `${pods} pods`,
          run: () => sources.showNamespace(name),
        }),
      ),
    },
    {
      name: 'Policies',
      // There may be many, and nobody looks for one without a word of its name.
      items: (words === ''
        ? []
        : bestMatches(policies, words, ({ name, namespace }) => `${name} ${namespace}`, MOST.policies)
      ).map(({ key, kind, name, namespace }) => ({
        id: `policy ${key}`,
        name,
        detail: [namespace, kind].filter((part) => part !== '').join(' · '),
        run: () => sources.showPolicy(key),
      })),
    },
    {
      name: 'Actions',
      items: bestMatches(
        actions.filter((action) => action.id !== 'palette' && isAvailable(action)),
        words,
        (action) => `${action.name} ${action.words ?? ''}`,
        words === '' ? actions.length : MOST.actions,
      ).map(({ id, name, group, keys, run }) => ({ id: `action ${id}`, name, detail: group, keys, run })),
    },
  ];
  return groups.filter(({ items }) => items.length > 0);
}

/** Namespaces of several clusters that share a name are one here, as in the filter. */
function distinctNames(namespaces: readonly NamespaceSummary[]): { name: string; pods: number }[] {
  const pods = new Map<string, number>();
  for (const { name, pods: count } of namespaces) pods.set(name, (pods.get(name) ?? 0) + count);
  return [...pods].map(([name, count]) => ({ name, pods: count }));
}

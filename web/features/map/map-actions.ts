import { registerActions } from '../../actions/registry.ts';
import { isBundle } from '../../graph/bundles.ts';
import { plateOfFolded } from '../../graph/group.ts';
import { arrangementStore, foldPlates } from '../../live/arrangement.ts';
import { sceneStore, tidyMap } from '../../live/map-client.ts';
import { GROUP_BY, type GroupBy } from '../../view/map-options.ts';
import { parsePair } from '../../view/pair.ts';
import { changeMapOptions, viewStore } from '../../view/view-store.ts';
import { focusCard, leaveFocus } from './choose-card.ts';
import { exportMap } from './export-map-file.ts';
import type { MapCanvas } from './map-canvas.ts';
import { togglePin } from './map-keys.ts';

export const GROUP_NAMES: Record<GroupBy, string> = {
  namespace: 'Namespace',
  workload: 'Workload',
  app: 'App',
  node: 'Node',
};

/** What can be done on the map, for palette, keys and keyboard help. Returns what takes it away again. */
export function registerMapActions(canvas: () => MapCanvas | null, findField: () => HTMLElement | null): () => void {
  const group = 'Map' as const;
  return registerActions([
    {
      id: 'map-find',
      group,
      name: 'Find on the map',
      keys: 'm',
      words: 'search highlight',
      run: () => findField()?.focus(),
    },
    {
      id: 'map-focus',
      group,
      name: 'Focus on the selected card',
      keys: 'f',
      words: 'neighbourhood around',
      available: () => selectedCard() !== null,
      run: () => focusCard(selectedCard()!),
    },
    {
      id: 'map-whole',
      group,
      name: 'Show the whole map again',
      words: 'leave focus',
      available: () => viewStore.get().view.map.focus !== null,
      run: leaveFocus,
    },
    {
      id: 'map-pin',
      group,
      name: 'Pin the selected card where it stands, or let it go',
      keys: 'p',
      available: () => selectedCard() !== null,
      run: () => togglePin(selectedCard()!),
    },
    { id: 'map-zoom-in', group, name: 'Zoom in', keys: '+', run: () => canvas()?.zoomBy(1.25) },
    { id: 'map-zoom-out', group, name: 'Zoom out', keys: '-', run: () => canvas()?.zoomBy(1 / 1.25) },
    { id: 'map-fit', group, name: 'Fit the whole map', keys: '0', run: () => canvas()?.fit() },
    {
      id: 'map-tidy',
      group,
      name: 'Tidy: lay the map out anew, let go of pins',
      run: () => {
        canvas()?.forgetViewport();
        tidyMap();
      },
    },
    {
      id: 'map-reach',
      group,
      name: 'Show what policies allow, or only what is seen',
      keys: 'o',
      words: 'policy reach rules allowed',
      run: toggleReach,
    },
    {
      id: 'map-services',
      group,
      name: 'Show Services between clients and backends, or only arrows',
      words: 'service load balancing',
      run: () => changeMapOptions({ services: !viewStore.get().view.map.services }),
    },
    { id: 'map-fold', group, name: 'Fold all groups up', run: () => foldPlates(openPlates(), true) },
    { id: 'map-unfold', group, name: 'Unfold all groups', run: () => foldPlates(foldedPlates(), false) },
    ...GROUP_BY.map((by) => ({
      id: `map-group-${by}`,
      group,
      name: `Group the map by ${GROUP_NAMES[by].toLowerCase()}`,
      available: () => viewStore.get().view.map.group !== by,
      run: () => changeMapOptions({ group: by }),
    })),
    ...(['png', 'svg'] as const).map((format) => ({
      id: `map-export-${format}`,
      group,
      name: `Export the map as ${format.toUpperCase()}`,
      words: 'download picture image',
      run: () => exportMap(canvas()?.shown ?? null, format),
    })),
  ]);
}

/** What policies allow is drawn beside what is seen, or no longer. */
export function toggleReach(): void {
  changeMapOptions({ reach: !viewStore.get().view.map.reach });
}

/** Plates that lie open on the map, and bundles of plates that do, by id. */
export function openPlates(): string[] {
  const plates = sceneStore.get()?.scene.plates.map(({ id }) => id) ?? [];
  return [...plates, ...arrangementStore.get().unfolded.filter(isBundle)];
}

export function foldedPlates(): string[] {
  return sceneStore.get()?.scene.cards.flatMap(({ key }) => plateOfFolded(key) ?? []) ?? [];
}

function selectedCard(): string | null {
  const { select } = viewStore.get().view;
  return select === null || parsePair(select) !== undefined ? null : select;
}

import type { SceneEdge } from '../graph/scene.ts';
import { sceneStore } from '../live/map-client.ts';
import { statusStore } from '../live/session-client.ts';
import { viewStore } from '../view/view-store.ts';
import { type DroppingEdge, DropWatch } from './drop-watch.ts';
import { logEvents } from './event-store.ts';
import { StatusWatch } from './status-watch.ts';

const LOOK_EVERY_MS = 1_000;

/** Begins to watch status and map. Returns what ends it. */
export function startEventLog(): () => void {
  const statuses = new StatusWatch();
  const drops = new DropWatch();
  const look = () => {
    const status = statusStore.get();
    if (status !== null) logEvents(statuses.next(status, Date.now()));
  };
  // What is so already is what the first change is measured by.
  look();
  const stopStatus = statusStore.subscribe(look);
  let { view } = viewStore.get();
  const stopView = viewStore.subscribe(() => {
    const next = viewStore.get().view;
    const same = ['namespaces', 'filter', 'verdict'].every((part) => next[part as 'filter'] === view[part as 'filter']);
    if (!same) drops.reset();
    view = next;
  });
  const timer = setInterval(() => logEvents(drops.next(droppingEdges(), Date.now())), LOOK_EVERY_MS);
  return () => {
    stopStatus();
    stopView();
    clearInterval(timer);
  };
}

function droppingEdges(): DroppingEdge[] {
  const state = sceneStore.get();
  if (state === null) return [];
  const titles = new Map(state.scene.cards.map(({ key, title }) => [key, title]));
  const words = ({ source, destinationTitle, words }: SceneEdge) =>
    `${titles.get(source) ?? 'elsewhere'} to ${destinationTitle} ${words}`;
  return state.scene.edges.flatMap((edge) => {
    const perMinute = state.edges.get(edge.key)?.dropsPerMinute ?? 0;
    return perMinute > 0 ? [{ words: words(edge), perMinute }] : [];
  });
}

import type { SceneEdge } from '../graph/scene.ts';
import { sceneStore } from '../live/map-client.ts';
import { statusStore } from '../live/session-client.ts';
import { createStore } from '../live/store.ts';
import { viewStore } from '../view/view-store.ts';
import { type DroppingEdge, DropWatch } from './drop-watch.ts';
import type { PageEvent } from './event.ts';
import { StatusWatch } from './status-watch.ts';

/** Events kept for the history. */
const MOST_EVENTS = 200;
const LOOK_EVERY_MS = 1_000;

export interface LoggedEvent extends PageEvent {
  /** Counts up from 1. */
  readonly id: number;
}

/** What has happened since the page was opened, newest first. */
export const eventsStore = createStore<readonly LoggedEvent[]>([]);
/** The greatest id that the history has shown. */
export const seenStore = createStore(0);
let lastId = 0;

function log(events: readonly PageEvent[]): void {
  if (events.length === 0) return;
  const logged = events.map((event) => ({ ...event, id: ++lastId }));
  eventsStore.set([...logged.reverse(), ...eventsStore.get()].slice(0, MOST_EVENTS));
}

export function markEventsSeen(): void {
  seenStore.set(lastId);
}

export function forgetEvents(): void {
  eventsStore.set([]);
}

/** Begins to watch status and map. Returns what ends it. */
export function startEventLog(): () => void {
  const statuses = new StatusWatch();
  const drops = new DropWatch();
  const stopStatus = statusStore.subscribe(() => {
    const status = statusStore.get();
    if (status !== null) log(statuses.next(status, Date.now()));
  });
  let { view } = viewStore.get();
  const stopView = viewStore.subscribe(() => {
    const next = viewStore.get().view;
    const same = ['namespaces', 'filter', 'verdict'].every((part) => next[part as 'filter'] === view[part as 'filter']);
    if (!same) drops.reset();
    view = next;
  });
  const timer = setInterval(() => log(drops.next(droppingEdges(), Date.now())), LOOK_EVERY_MS);
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

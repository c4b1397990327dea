import { createStore } from '../live/store.ts';
import type { PageEvent } from './event.ts';

/** Events kept for the history. */
const MOST_EVENTS = 200;

export interface LoggedEvent extends PageEvent {
  /** Counts up from 1. */
  readonly id: number;
}

/** What has happened since the page was opened, newest first. */
export const eventsStore = createStore<readonly LoggedEvent[]>([]);
/** The greatest id that the history has shown. */
export const seenStore = createStore(0);
let lastId = 0;

export function logEvents(events: readonly PageEvent[]): void {
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

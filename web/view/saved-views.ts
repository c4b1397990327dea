import { createStore } from '../live/store.ts';
import { recall, remember } from './remembered.ts';
import { parseView, printView } from './url.ts';

/** A view with a name. Its query part is all there is to a view, and what links carry. */
export interface SavedView {
  readonly name: string;
  readonly query: string;
}

const NAME = 'views';
export const MOST_VIEWS = 100;
export const MOST_NAME = 80;
const MOST_QUERY = 16_000;
const BAD_NAME = `A name has 1 to ${MOST_NAME} characters.`;

export const savedViewsStore = createStore<readonly SavedView[]>(readViews(recall(NAME)));

/** Of views saved in another tab. Returns what ends it. */
export function followSavedViews(): () => void {
  // What other tabs did while nobody listened.
  readAgain();
  const heard = ({ key }: StorageEvent) => {
    if (key === null || key.endsWith(`.${NAME}`)) readAgain();
  };
  addEventListener('storage', heard);
  return () => removeEventListener('storage', heard);
}

function readAgain(): void {
  savedViewsStore.set(readViews(recall(NAME)));
}

/** What was remembered, by whatever version of the page; what cannot be used is left out. */
export function readViews(text: string | null): SavedView[] {
  let stored: unknown = [];
  try {
    stored = JSON.parse(text ?? '[]');
  } catch {
    // As if there were none.
  }
  if (!Array.isArray(stored)) return [];
  const views = stored.flatMap((each: Partial<Record<keyof SavedView, unknown>> | null) =>
    typeof each?.name === 'string' && typeof each.query === 'string' ? (usable(each.name, each.query) ?? []) : [],
  );
  return merged([], views);
}

const NOT_KEPT = 'This browser keeps nothing for this page: it is there until the page is closed.';

/** Saves a view; one of the same name is replaced. Returns why not, where it cannot, or not for long. */
export function saveView(name: string, query: string): string | undefined {
  const view = usable(name, query);
  if (view === undefined) return BAD_NAME;
  readAgain();
  const views = savedViewsStore.get();
  if (views.length >= MOST_VIEWS && !views.some((each) => each.name === view.name)) {
    return `There is room for ${MOST_VIEWS} views: remove one first.`;
  }
  return put(merged(views, [view])) ? undefined : NOT_KEPT;
}

export function removeView(name: string): void {
  readAgain();
  put(savedViewsStore.get().filter((each) => each.name !== name));
}

/** Gives a view another name, which no other has. Returns why not, where it cannot. */
export function renameView(before: string, name: string): string | undefined {
  readAgain();
  const views = savedViewsStore.get();
  const view = views.find((each) => each.name === before);
  const renamed = view && usable(name, view.query);
  if (renamed === undefined) return view === undefined ? `There is no view ${before} any more.` : BAD_NAME;
  if (renamed.name === before) return undefined;
  if (views.some((each) => each.name === renamed.name)) return `There is a view ${renamed.name} already.`;
  const others = views.filter((each) => each !== view);
  return put(merged(others, [renamed])) ? undefined : NOT_KEPT;
}

/** One view a line: its link, and its name before it. */
export function exportViews(views: readonly SavedView[], page: string): string {
  return views.map(({ name, query }) => `${name} ${page}${query}`).join('\n');
}

/** Reads what `exportViews` wrote, or links alone. Only what follows a link's question mark counts. */
export function importViews(text: string): { views: SavedView[]; problems: string[] } {
  const views: SavedView[] = [];
  const problems: string[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    const [, name, link] = /^\s*(.*?)\s*((?:https?:\/\/|\?)\S*)\s*$/.exec(line) ?? [];
    const at = link?.indexOf('?') ?? -1;
    const view = link === undefined ? undefined : usable(name || `Imported ${index + 1}`, at < 0 ? '' : link.slice(at));
    if (view === undefined) problems.push(`Line ${index + 1} is no link to a view: ${line.trim().slice(0, 60)}`);
    else if (views.length >= MOST_VIEWS) {
      problems.push(`Only the first ${MOST_VIEWS} views were read.`);
      break;
    } else views.push(view);
  }
  return { views, problems };
}

/** Adds views to those there are; those of the same name are replaced. */
export function addViews(views: readonly SavedView[]): void {
  readAgain();
  put(merged(savedViewsStore.get(), views));
}

/** Undefined for what cannot be a view's name or query. */
function usable(name: string, query: string): SavedView | undefined {
  const trimmed = name.trim();
  if (trimmed === '' || trimmed.length > MOST_NAME || query.length > MOST_QUERY) return undefined;
  // What makes no sense, or is not of the view, does not survive being read and written again.
  return { name: trimmed, query: printView(parseView(query).view) };
}

function merged(views: readonly SavedView[], more: readonly SavedView[]): SavedView[] {
  const byName = new Map(views.map((view) => [view.name, view]));
  for (const view of more) byName.set(view.name, view);
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1)).slice(0, MOST_VIEWS);
}

/** Whether they are there again after a reload. */
function put(views: readonly SavedView[]): boolean {
  savedViewsStore.set(views);
  return remember(NAME, JSON.stringify(views));
}

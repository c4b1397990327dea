import { isBundle, standsFor } from '../graph/bundles.ts';
import { recall, remember } from '../view/remembered.ts';
import type { View } from '../view/view.ts';
import { viewStore } from '../view/view-store.ts';
import { type Arrangement, NO_ARRANGEMENT } from '../worker/map-protocol.ts';
import { createStore } from './store.ts';

const NAME = 'map.arrangements';
/** Views whose arrangement is remembered; the one that was changed longest ago goes first. */
const MOST_VIEWS = 40;
const MOST_PINS = 2_000;

/** Where a person put cards, and what they folded, in the view that is shown. Remembered per view. */
export const arrangementStore = createStore<Arrangement>(NO_ARRANGEMENT);
let shown: string | undefined;

/** Follows the view: each has an arrangement of its own. Returns the function that ends it. */
export function followArrangements(): () => void {
  const follow = () => {
    const key = viewKey(viewStore.get().view);
    if (key === shown) return;
    shown = key;
    arrangementStore.set(readAll()[key] ?? NO_ARRANGEMENT);
  };
  follow();
  return viewStore.subscribe(follow);
}

/**
 * Shows a plate or a bundle as one card, or as what it holds. A plate that nobody opened, as it cannot be folded itself, goes back
 * into its bundle.
 */
export function foldPlate(id: string, fold: boolean): void {
  const { folded, unfolded, pins } = arrangementStore.get();
  const bundle = fold && !unfolded.includes(id) && unfolded.find((each) => isBundle(each) && standsFor(each, id));
  const plate = bundle || id;
  const without = (list: readonly string[]) => list.filter((each) => each !== plate);
  change({
    folded: fold ? [...without(folded), plate] : without(folded),
    unfolded: fold ? without(unfolded) : [...without(unfolded), plate],
    pins,
  });
}

export function foldPlates(plates: readonly string[], fold: boolean): void {
  const { folded, unfolded, pins } = arrangementStore.get();
  const [into, from] = fold ? [folded, unfolded] : [unfolded, folded];
  const joined = [...new Set([...into, ...plates])];
  const rest = from.filter((each) => !plates.includes(each));
  change(fold ? { folded: joined, unfolded: rest, pins } : { folded: rest, unfolded: joined, pins });
}

/** Cards stand where they were put until they are let go; what was put somewhere last stands last, and others give way to it. */
export function pinCards(places: Readonly<Record<string, readonly [column: number, y: number]>>): void {
  const { pins, ...folds } = arrangementStore.get();
  const others = Object.entries(pins).filter(([key]) => !(key in places));
  change({ ...folds, pins: Object.fromEntries([...others, ...Object.entries(places)].slice(-MOST_PINS)) });
}

export function unpinCard(key: string): void {
  const { pins, ...folds } = arrangementStore.get();
  const { [key]: _, ...rest } = pins;
  change({ ...folds, pins: rest });
}

export function unpinAll(): void {
  change({ ...arrangementStore.get(), pins: {} });
}

function change(next: Arrangement): void {
  arrangementStore.set(next);
  if (shown === undefined) return;
  const { [shown]: _, ...others } = readAll();
  const isPlain = next.folded.length + next.unfolded.length + Object.keys(next.pins).length === 0;
  // What was changed last stands last.
  const all = Object.entries(isPlain ? others : { ...others, [shown]: next });
  remember(NAME, JSON.stringify(Object.fromEntries(all.slice(-MOST_VIEWS))));
}

function readAll(): Record<string, Arrangement> {
  try {
    const stored: unknown = JSON.parse(recall(NAME) ?? '{}');
    if (typeof stored !== 'object' || stored === null) return {};
    return Object.fromEntries(Object.entries(stored).filter(([, each]) => isArrangement(each)));
  } catch {
    return {};
  }
}

function isArrangement(value: unknown): value is Arrangement {
  if (typeof value !== 'object' || value === null) return false;
  const { folded, unfolded, pins } = value as Partial<Record<keyof Arrangement, unknown>>;
  const isNames = (list: unknown) => Array.isArray(list) && list.every((each) => typeof each === 'string');
  return (
    isNames(folded) &&
    isNames(unfolded) &&
    typeof pins === 'object' &&
    pins !== null &&
    Object.values(pins).every(
      (pin) => Array.isArray(pin) && pin.length === 2 && pin.every((part) => Number.isFinite(part)),
    )
  );
}

/** Equal for views that show the same cards in the same groups. */
function viewKey({ namespaces, filter, verdict, map }: View): string {
  return JSON.stringify([[...namespaces].sort(), [...filter].sort(), verdict, map.group, map.focus]);
}

import { memoised } from '#core/filter/endpoint-predicate.ts';
import { REPLY } from '#core/flow/direction.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { type Pair, parsePair } from '../view/pair.ts';
import type { PageWindow } from './page-window.ts';
import type { Selection } from './protocol.ts';
import { belongs } from './selection.ts';

/** Whether the row in a slot is one of the selection's; every row is where there is none. */
export function rowMatcher(
  window: Pick<FlowWindow, 'columns' | 'endpoints'>,
  selection: Selection | null,
): (slot: number) => boolean {
  if (selection === null) return () => true;
  const { columns } = window;
  const pair = parsePair(selection.key);
  if (pair !== undefined) return pairMatcher(window, pair);
  const matches = memoised(window.endpoints, (endpoint) => belongs(endpoint, selection));
  return (slot) => matches(columns.source[slot]) || matches(columns.destination[slot]);
}

/** Rows of connections that one card opens to another, their replies too. */
function pairMatcher(window: Pick<FlowWindow, 'columns' | 'endpoints'>, pair: Pair): (slot: number) => boolean {
  const isSource = memoised(window.endpoints, (endpoint) => belongs(endpoint, { key: pair.source }));
  const isDestination = memoised(window.endpoints, (endpoint) => belongs(endpoint, { key: pair.destination }));
  const { columns } = window;
  return (slot) => {
    const source = columns.source[slot];
    const destination = columns.destination[slot];
    const reply = columns.reply[slot];
    return (
      (reply !== REPLY.REPLY && isSource(source) && isDestination(destination)) ||
      (reply !== REPLY.ORIGINAL && isSource(destination) && isDestination(source))
    );
  };
}

/** Counts a selection's rows as they come, from a position on. */
export class ArrivalCount {
  readonly #window: PageWindow;
  readonly #matches: ((slot: number) => boolean) | undefined;
  #from = 0;
  #seen = 0;
  #count = 0;

  constructor(window: PageWindow, selection: Selection | null) {
    this.#window = window;
    this.#matches = selection === null ? undefined : rowMatcher(window, selection);
  }

  since(position: number): number {
    const window = this.#window;
    if (this.#matches === undefined) return window.end - position;
    if (position !== this.#from) {
      this.#from = position;
      this.#seen = position;
      this.#count = 0;
    }
    for (let at = Math.max(this.#seen, window.start); at < window.end; at++) {
      if (this.#matches(window.slot(at))) this.#count++;
    }
    this.#seen = window.end;
    return this.#count;
  }
}

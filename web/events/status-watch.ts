import { formatCount } from '../format/quantity.ts';
import type { NodeSummary, StatusSummary } from '../worker/protocol.ts';
import type { PageEvent } from './event.ts';

/** Losses are told at most this often. */
const LOSSES_EVERY_MS = 30_000;

/** Finds in successive states of the server what is worth telling: nodes that go and come back, flows that are lost. */
export class StatusWatch {
  readonly #gone = new Set<string>();
  #known = new Map<string, NodeSummary['state']>();
  #lost: ReadonlyMap<string, number> | undefined;
  #lossesToldAt = Number.NEGATIVE_INFINITY;

  next(status: StatusSummary, now: number): PageEvent[] {
    return [...this.#nodes(status.nodes, now), ...this.#losses(status, now)];
  }

  #nodes(nodes: readonly NodeSummary[], at: number): PageEvent[] {
    const events: PageEvent[] = [];
    for (const { name, state, message } of nodes) {
      if (state === 'unavailable' && this.#known.get(name) === 'connected') {
        this.#gone.add(name);
        events.push({ at, tone: 'bad', title: `Node ${name} went away`, text: message });
      } else if (state === 'connected' && this.#gone.delete(name)) {
        events.push({ at, tone: 'good', title: `Node ${name} is back`, text: '' });
      }
    }
    // While it connects again, it still is what it was before.
    const before = this.#known;
    this.#known = new Map(
      nodes.map(({ name, state }) => [name, state === 'connecting' ? (before.get(name) ?? state) : state]),
    );
    return events;
  }

  #losses({ losses }: StatusSummary, at: number): PageEvent[] {
    const counts = new Map(losses.map(({ where, count }) => [where, count]));
    const before = this.#lost;
    // What was lost before anybody looked is no news.
    if (before === undefined) {
      this.#lost = counts;
      return [];
    }
    if (at - this.#lossesToldAt < LOSSES_EVERY_MS) return [];
    const grown = losses
      .map(({ where, count }) => ({ where, count: count - (before.get(where) ?? 0) }))
      .filter(({ count }) => count > 0);
    // Smaller counts mean that the server began anew.
    this.#lost = counts;
    if (grown.length === 0) return [];
    this.#lossesToldAt = at;
    const sum = grown.reduce((total, { count }) => total + count, 0);
    const flows = sum === 1 ? 'flow was' : 'flows were';
    const text = grown.map(({ where, count }) => `${where}: ${formatCount(count)}`).join(', ');
    return [{ at, tone: 'bad', title: `${formatCount(sum)} ${flows} lost on the way here`, text }];
  }
}

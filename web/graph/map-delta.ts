import { unpackStats } from './edge-stats.ts';
import type { MapModel, ModelCard, ModelEdge } from './model.ts';

/** An edge on its way between workers: `id` stands for it in packed statistics, for as long as the page lives. */
export interface NumberedEdge extends ModelEdge {
  readonly id: number;
}

/** A change of the map. Applied in order: snapshot, removals, cards, edges, statistics. */
export interface MapDelta {
  /** Forget everything first. */
  readonly snapshot: boolean;
  readonly cards: readonly ModelCard[];
  readonly edges: readonly NumberedEdge[];
  readonly stats: Float64Array<ArrayBuffer>;
  readonly removedCards: readonly string[];
  readonly removedEdges: readonly number[];
  readonly omittedCards: number;
  readonly omittedEdges: number;
  /** The server's clock, milliseconds since 1970; 0 = not told. */
  readonly time: number;
  /** Of the server, in snapshots; 0 = it cannot tell. */
  readonly knownSince: number;
}

/** The receiving end: a model kept by deltas. */
export class MapModelReceiver implements MapModel {
  readonly cards = new Map<string, ModelCard>();
  readonly edges = new Map<string, NumberedEdge>();
  readonly #byId = new Map<number, NumberedEdge>();
  omittedCards = 0;
  omittedEdges = 0;
  /** How far the server's clock is ahead of this machine's, in milliseconds. */
  clockAhead = 0;
  knownSince = 0;

  /** Returns whether cards or edges came or went; statistics alone do not move anything. */
  apply(delta: MapDelta): boolean {
    if (delta.time > 0) this.clockAhead = delta.time - Date.now();
    const keysBefore = delta.snapshot ? this.#structure() : '';
    if (delta.snapshot) {
      this.cards.clear();
      this.edges.clear();
      this.#byId.clear();
      this.knownSince = delta.knownSince;
    }
    for (const key of delta.removedCards) this.cards.delete(key);
    for (const id of delta.removedEdges) {
      const edge = this.#byId.get(id);
      if (edge !== undefined) this.edges.delete(edge.key);
      this.#byId.delete(id);
    }
    for (const card of delta.cards) this.cards.set(card.key, card);
    for (const edge of delta.edges) {
      this.edges.set(edge.key, edge);
      this.#byId.set(edge.id, edge);
    }
    unpackStats(delta.stats, (id, stats) => {
      const edge = this.#byId.get(id);
      if (edge !== undefined) Object.assign(edge.stats, stats);
    });
    this.omittedCards = delta.omittedCards;
    this.omittedEdges = delta.omittedEdges;
    if (delta.snapshot) return keysBefore !== this.#structure();
    return delta.cards.length + delta.edges.length + delta.removedCards.length + delta.removedEdges.length > 0;
  }

  #structure(): string {
    return `${[...this.cards.keys()].sort().join('\n')}\n\n${[...this.edges.keys()].sort().join('\n')}`;
  }
}

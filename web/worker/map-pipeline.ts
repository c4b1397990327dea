import { cardDetails } from '../graph/details.ts';
import { type FoldChoice, Folding } from '../graph/folding.ts';
import { groupGraph } from '../graph/group.ts';
import type { Standing } from '../graph/layout.ts';
import { freshLayout } from '../graph/layout.ts';
import { updateLayout } from '../graph/layout-incremental.ts';
import { type DetailedGraph, levelOfDetail } from '../graph/level-of-detail.ts';
import { changedNumbers, type LiveNumbers, liveNumbers } from '../graph/live.ts';
import { MapModelReceiver } from '../graph/map-delta.ts';
import { HISTORY_STEP_MS, RateHistory } from '../graph/rate-history.ts';
import { buildScene } from '../graph/scene.ts';
import { visibleGraph } from '../graph/visible.ts';
import type { MapEvent } from './map-protocol.ts';
import type { MapMessage } from './protocol.ts';
import { Throttle } from './throttle.ts';

/** Data redraws of the map: at most five a second. */
const REDRAW_INTERVAL_MS = 200;
const DETAILS_INTERVAL_MS = 500;
/** Arrows leave the map after this much silence. The server forgets them later or sooner by its own setting. */
const QUIET_AFTER_MS = 5 * 60_000;

const REGROUP_AFTER_MS = 5_000;
const SCATTERED_SHARE = 0.6;

/** From the session's deltas to what a tab draws. Owns the layout's memory: where cards stood. */
export class MapPipeline {
  readonly #emit: (event: MapEvent) => void;
  #model = new MapModelReceiver();
  readonly #history = new RateHistory();
  #layout = new Map<string, Standing>();
  #choice: FoldChoice = { folded: new Set(), unfolded: new Set() };
  readonly #folding = new Folding();
  #selected: string | null = null;
  #viewChanged = false;
  #graph: DetailedGraph | undefined;
  #graphAt = 0;
  #signature: string | undefined;
  #live: LiveNumbers = { cards: new Map(), edges: new Map() };
  readonly #redraw = new Throttle(REDRAW_INTERVAL_MS, () => this.#run());
  readonly #details = new Throttle(DETAILS_INTERVAL_MS, () => this.#sendDetails());
  readonly #clock: ReturnType<typeof setInterval>;

  constructor(emit: (event: MapEvent) => void) {
    this.#emit = emit;
    this.#clock = setInterval(() => {
      this.#history.sample(this.#model);
      this.#details.request();
    }, HISTORY_STEP_MS);
  }

  receive(message: MapMessage): void {
    if (message.type === 'reset') {
      this.#model = new MapModelReceiver();
      this.#history.clear();
      this.#viewChanged = true;
      this.#signature = undefined;
      this.#graph = undefined;
      this.#emit({ type: 'cleared' });
      return;
    }
    if (this.#model.apply(message.delta)) this.#graph = undefined;
    this.#redraw.request();
    if (this.#selected !== null) this.#details.request();
  }

  select(key: string | null): void {
    this.#selected = key;
    this.#sendDetails();
  }

  fold(choice: FoldChoice): void {
    this.#choice = choice;
    this.#graph = undefined;
    this.#redraw.request();
  }

  tidy(): void {
    this.#layout = new Map();
    this.#signature = undefined;
    this.#redraw.request();
  }

  close(): void {
    clearInterval(this.#clock);
    this.#redraw.stop();
    this.#details.stop();
  }

  #run(): void {
    const graph = this.#currentGraph();
    const live = liveNumbers(graph);
    const { omittedCards, omittedEdges } = this.#model;
    const signature = structureOf(graph, omittedCards, omittedEdges);
    if (signature !== this.#signature) {
      const started = performance.now();
      if (graph.cards.length > 0) this.#layout = this.#nextLayout(graph);
      const scene = buildScene(graph, this.#layout, { omittedCards, omittedEdges });
      const layoutMs = performance.now() - started;
      this.#emit({ type: 'scene', scene, cards: [...live.cards], edges: [...live.edges], layoutMs });
      this.#signature = signature;
    } else {
      const cards = changedNumbers(this.#live.cards, live.cards);
      const edges = changedNumbers(this.#live.edges, live.edges);
      if (cards.length + edges.length > 0) this.#emit({ type: 'live', cards, edges });
    }
    this.#live = live;
  }

  /** The stages run when something came or went, and now and then because what is quiet leaves. */
  #currentGraph(): DetailedGraph {
    const now = Date.now();
    if (this.#graph === undefined || now - this.#graphAt > REGROUP_AFTER_MS) {
      const visible = visibleGraph(this.#model, { now, quietAfterMs: QUIET_AFTER_MS });
      this.#graph = levelOfDetail(groupGraph(visible, { folded: this.#folding.decide(visible, this.#choice) }));
      this.#graphAt = now;
    }
    return this.#graph;
  }

  /** What stood stays, unless a new view shows so much less that it would stand scattered. */
  #nextLayout(graph: DetailedGraph): Map<string, Standing> {
    const scattered = this.#viewChanged && graph.cards.length < this.#layout.size * SCATTERED_SHARE;
    this.#viewChanged = false;
    return this.#layout.size === 0 || scattered ? freshLayout(graph) : updateLayout(graph, this.#layout);
  }

  #sendDetails(): void {
    if (this.#selected === null) return;
    const details = cardDetails(this.#model, this.#history, this.#selected) ?? null;
    this.#emit({ type: 'details', key: this.#selected, details });
  }
}

/** Equal for graphs of which the same is drawn, numbers aside. */
function structureOf(graph: DetailedGraph, omittedCards: number, omittedEdges: number): string {
  const cards = graph.cards.map(
    ({ key, card, folded, doors }) =>
      `${key} ${card.members} ${folded} ${card.labels.length} ${doors.map(({ port, protocol }) => `${port}/${protocol}`)}`,
  );
  const edges = graph.edges.map(({ key, members }) => `${key} ${members.length}`);
  const counts = [graph.mergedEdges, graph.hiddenEdges, omittedCards, omittedEdges];
  return `${cards.join('\n')}\n\n${edges.join('\n')}\n\n${counts}`;
}

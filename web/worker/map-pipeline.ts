import { cardDetails, pairDetails } from '../graph/details.ts';
import { type Expression, parseExpression } from '../graph/expression.ts';
import { Folding } from '../graph/folding.ts';
import { groupGraph } from '../graph/group.ts';
import type { Standing } from '../graph/layout.ts';
import { freshLayout } from '../graph/layout.ts';
import { isKept, updateLayout } from '../graph/layout-incremental.ts';
import { type DetailedGraph, levelOfDetail } from '../graph/level-of-detail.ts';
import { type LiveNumbers, liveNumbers } from '../graph/live.ts';
import { MapModelReceiver } from '../graph/map-delta.ts';
import type { MapModel } from '../graph/model.ts';
import { applyPins, type Pins } from '../graph/pins.ts';
import { namingLabels } from '../graph/plates.ts';
import { markReach, type ReachView, withReach } from '../graph/reach.ts';
import { buildScene } from '../graph/scene.ts';
import { withServices } from '../graph/service-cards.ts';
import { Stood } from '../graph/stood.ts';
import { visibleGraph } from '../graph/visible.ts';
import { DEFAULT_MAP_OPTIONS, type MapOptions, quietMs } from '../view/map-options.ts';
import { parsePair } from '../view/pair.ts';
import { type Arrangement, type MapEvent, type MapRoom, NO_ARRANGEMENT } from './map-protocol.ts';
import { MapSender } from './map-sender.ts';
import type { MapMessage } from './protocol.ts';
import type { PolicyCounts } from './question.ts';
import { Throttle } from './throttle.ts';

/** Data redraws of the map: at most five a second. */
const REDRAW_INTERVAL_MS = 200;
const DETAILS_INTERVAL_MS = 500;
const REGROUP_AFTER_MS = 5_000;
/** A large map takes in newcomers this seldom: each makes a new picture of all of it. */
const LARGE_REGROUP_MS = 2_000;
const LARGE_CARDS = 150;
/** What is looked for may depend on the traffic: it is looked for anew this often. */
const FIND_AGAIN_MS = 2_000;
const CLOCK_MS = 2_000;
const SCATTERED_SHARE = 0.6;

/** From the session's deltas to what a tab draws. Owns the layout's memory: where cards stood. */
export class MapPipeline {
  readonly #emit: (event: MapEvent) => void;
  readonly #sender: MapSender;
  #model = new MapModelReceiver();
  /** Whether the model holds what the view shows: until then there is nothing to say. */
  #known = false;
  #layout = new Map<string, Standing>();
  #stood = new Stood();
  /** How the whole map was laid out when a neighbourhood was looked at. */
  #whole: { readonly layout: Map<string, Standing>; readonly stood: Stood } | undefined;
  #options: MapOptions = DEFAULT_MAP_OPTIONS;
  /** What stands does not move for it. */
  room: MapRoom | undefined;
  #arrangement: Arrangement = NO_ARRANGEMENT;
  #pins: Pins = new Map();
  #hiddenCards = 0;
  #reach: ReachView | undefined;
  #policed: PolicyCounts | undefined;
  readonly #folding = new Folding();
  #selected: string | null = null;
  #viewChanged = false;
  #graph: DetailedGraph | undefined;
  #graphAt = 0;
  /** Something came or went since the graph was made. */
  #stale = false;
  #structure: { readonly graph: DetailedGraph; readonly words: string } | undefined;
  /** Of the scene that was told last; undefined = the next is told whatever it shows. */
  #drawn: { readonly words: string; readonly counts: string } | undefined;
  readonly #redraw = new Throttle(REDRAW_INTERVAL_MS, () => this.#run());
  readonly #details = new Throttle(DETAILS_INTERVAL_MS, () => this.#sendDetails());
  readonly #clock: ReturnType<typeof setInterval>;

  constructor(emit: (event: MapEvent) => void) {
    this.#emit = emit;
    this.#sender = new MapSender(emit);
    this.#clock = setInterval(() => {
      this.#details.request();
      // What is quiet fades and leaves without a word from the server.
      this.#redraw.request();
    }, CLOCK_MS);
  }

  receive(message: MapMessage): void {
    if (message.type === 'reset') {
      this.#model = new MapModelReceiver();
      this.#known = false;
      this.#viewChanged = true;
      this.#drawn = undefined;
      this.#graph = undefined;
      this.#emit({ type: 'cleared' });
      return;
    }
    this.#known = true;
    if (this.#model.apply(message.delta)) this.#stale = true;
    this.#redraw.request();
    if (this.#selected !== null) this.#details.request();
  }

  select(key: string | null): void {
    this.#selected = key;
    this.#sendDetails();
  }

  /** Another focus or grouping shows another graph; what stays stands still. */
  setOptions(options: MapOptions): void {
    this.#viewChanged ||= options.focus !== this.#options.focus || options.hide !== this.#options.hide;
    const { focus } = this.#options;
    if (focus === null && options.focus !== null) this.#whole = { layout: this.#layout, stood: this.#stood };
    if (focus !== null && options.focus === null && this.#whole !== undefined) {
      ({ layout: this.#layout, stood: this.#stood } = this.#whole);
      this.#whole = undefined;
    }
    if (options.group !== this.#options.group) this.#layAnew();
    this.#options = options;
    this.#graph = undefined;
    this.#drawn = undefined;
    this.#redraw.request();
  }

  /** What policies allow, to be shown beside what is seen. */
  setReach(reach: ReachView | undefined): void {
    this.#reach = reach;
    this.#graph = undefined;
    this.#redraw.request();
  }

  /** What policies come to on each plate. */
  setPoliced(policed: PolicyCounts): void {
    this.#policed = policed;
    this.#drawn = undefined;
    this.#redraw.request();
  }

  arrange(arrangement: Arrangement): void {
    this.#arrangement = arrangement;
    this.#pins = new Map(Object.entries(arrangement.pins).map(([key, [column, y]]) => [key, { column, y }]));
    this.#graph = undefined;
    this.#drawn = undefined;
    this.#redraw.request();
  }

  tidy(): void {
    this.#layAnew();
    this.#drawn = undefined;
    this.#redraw.request();
  }

  /** Tells one who hears of the map from now on what is drawn now. */
  repeat(emit: (event: MapEvent) => void): void {
    this.#sender.repeat(emit);
  }

  close(): void {
    clearInterval(this.#clock);
    this.#redraw.stop();
    this.#details.stop();
  }

  #run(): void {
    if (!this.#known) return;
    const graph = this.#currentGraph();
    const live = this.#numbers(graph);
    const { omittedCards, omittedEdges } = this.#model;
    const round = this.#options.find === '' ? 0 : Math.floor(Date.now() / FIND_AGAIN_MS);
    // Its structure is written once per graph: it is long, and numbers come more often than graphs.
    if (this.#structure?.graph !== graph) this.#structure = { graph, words: structureOf(graph) };
    const { words } = this.#structure;
    const counts = `${omittedCards} ${omittedEdges} ${round}`;
    if (words !== this.#drawn?.words || counts !== this.#drawn.counts) {
      const started = performance.now();
      if (graph.cards.length > 0) this.#layout = this.#nextLayout(graph);
      const find = expressionOf(this.#options.find, this.#options.nameLabel);
      const scene = buildScene(graph, this.#layout, {
        by: this.#options.group,
        nameLabel: this.#options.nameLabel,
        find,
        pinned: new Set(this.#pins.keys()),
        policed: this.#policed,
        namingLabels: namingLabels(this.#model.cards.values()),
        hiddenCards: this.#hiddenCards,
        omittedCards,
        omittedEdges,
      });
      const layoutMs = performance.now() - started;
      this.#sender.scene(scene, live, layoutMs);
      this.#drawn = { words, counts };
    } else {
      this.#sender.live(live);
    }
  }

  #numbers(graph: DetailedGraph): LiveNumbers {
    const { quiet, width } = this.#options;
    const live = liveNumbers(graph, { now: this.#now(), quietAfterMs: quietMs(quiet) }, width === 'bytes');
    return this.#reach === undefined ? live : { ...live, edges: markReach(graph, live.edges, this.#reach) };
  }

  /** The stages run when something came or went, and now and then because what is quiet leaves. */
  #currentGraph(): DetailedGraph {
    const now = Date.now();
    const patience = !this.#stale
      ? REGROUP_AFTER_MS
      : (this.#graph?.cards.length ?? 0) > LARGE_CARDS
        ? LARGE_REGROUP_MS
        : 0;
    if (this.#graph === undefined || now - this.#graphAt >= patience) {
      this.#stale = false;
      const { group, focus, hops, hide, quiet, nameLabel } = this.#options;
      const visible = visibleGraph(this.#shown(this.#reach), {
        now: this.#now(),
        quietAfterMs: quietMs(quiet),
        hide: expressionOf(hide, nameLabel),
        focus: focus === null ? undefined : { key: focus, hops },
      });
      const { folded, unfolded } = this.#arrangement;
      const choice = { folded: new Set(folded), unfolded: new Set(unfolded) };
      this.#graph = levelOfDetail(
        groupGraph(visible, { by: group, folded: this.#folding.decide(visible, group, choice, this.room?.cards) }),
      );
      this.#hiddenCards = visible.hiddenCards;
      this.#graphAt = now;
    }
    return this.#graph;
  }

  /** What stood stays, unless a new view shows so much less that it would stand scattered. */
  #nextLayout(detailed: DetailedGraph): Map<string, Standing> {
    const graph = { ...detailed, room: this.room && { aspect: this.room.aspect, narrow: this.room.narrow } };
    const scattered = this.#viewChanged && graph.cards.length < this.#layout.size * SCATTERED_SHARE;
    this.#viewChanged = false;
    const before = this.#layout;
    const back = this.#stood.placesFor(graph, before);
    const goesOn = before.size > 0 && !scattered && isKept(graph, new Map([...before, ...back]));
    const layout = goesOn ? updateLayout(graph, before, back) : freshLayout(graph);
    if (goesOn) this.#stood.note(before, layout);
    else this.#stood = new Stood();
    applyPins(graph, layout, this.#pins);
    return layout;
  }

  #layAnew(): void {
    this.#layout = new Map();
    this.#stood = new Stood();
    this.#whole = undefined;
  }

  /** What is known and what rules allow, with the Services between where they are asked for. */
  #shown(reach?: ReachView): MapModel {
    const model = reach === undefined ? this.#model : withReach(this.#model, reach);
    return this.#options.services ? withServices(model) : model;
  }

  /** By the server's clock. */
  #now(): number {
    return Date.now() + this.#model.clockAhead;
  }

  #sendDetails(): void {
    if (this.#selected === null || !this.#known) return;
    const pair = parsePair(this.#selected);
    const details =
      pair === undefined
        ? cardDetails(this.#shown(), this.#selected, this.#now())
        : pairDetails(this.#shown(), pair, this.#options.group, this.#now());
    this.#emit({ type: 'details', key: this.#selected, details: details ?? null });
  }
}

/** What is written wrongly is marked where it was typed; here it stands for nothing. */
function expressionOf(text: string, nameLabel: string): Expression | undefined {
  const parsed = parseExpression(text, nameLabel);
  return parsed === undefined || 'problem' in parsed ? undefined : parsed;
}

/** Equal for graphs of which the same is drawn, numbers aside. */
function structureOf(graph: DetailedGraph): string {
  const cards = graph.cards.map(
    ({ key, card, folded, doors }) =>
      `${key} ${card.members} ${card.replicas} ${card.nodes.length} ${folded} ${card.labels} ${doors.map(({ port, protocol }) => `${port}/${protocol}`)}`,
  );
  const edges = graph.edges.map(({ key, members }) => `${key} ${members.length}`);
  return `${cards.join('\n')}\n\n${edges.join('\n')}\n\n${graph.mergedEdges} ${graph.hiddenEdges}`;
}

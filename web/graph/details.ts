import { bundleTitle, isBundle, standsFor } from './bundles.ts';
import { cardSentence } from './card-words.ts';
import { plateOfFolded } from './group.ts';
import { type EdgeVerdict, edgeVerdict, type MapModel, type ModelCard, type ModelEdge } from './model.ts';
import { type PlateKind, plateOf } from './plates.ts';
import { forwardedShare, type Summary, summarize } from './summary.ts';

/** What goes on between two cards on one port. */
export interface EdgeDetails {
  /** As `edgeKey` makes it. */
  readonly key: string;
  readonly port: number;
  readonly protocol: number;
  readonly source: EndDetails;
  readonly destination: EndDetails;
  readonly verdict: EdgeVerdict;
  /** Per second. */
  readonly flows: number;
  readonly connections: number;
  readonly bytes: number;
  readonly replyBytes: number;
  readonly rttMicros: number;
  readonly retransmits: number;
  /** Where proxies tell of requests: per second; of the last 10 s; microseconds from request to answer, 0 = not known. */
  readonly requests: number;
  readonly answers: number;
  readonly failures: number;
  readonly p50Micros: number;
  readonly p99Micros: number;
  /** Share of connections that got through; -1 without recent flows. */
  readonly forwardedShare: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Services that clients came through: `namespace/name`. */
  readonly services: readonly string[];
  /** Never seen before: see `isNew`. */
  readonly isNew: boolean;
}

/** A card, as far as it is named at the end of an edge. */
export interface EndDetails {
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
}

export interface CardDetails {
  readonly kind: 'card';
  readonly card: ModelCard;
  readonly sentence: string;
  readonly isNew: boolean;
  readonly received: Summary;
  readonly sent: Summary;
  readonly connectsFrom: readonly EdgeDetails[];
  readonly reaches: readonly EdgeDetails[];
  /** Since when the server knows who talks to whom, by its clock; 0 = it cannot tell. */
  readonly knownSince: number;
  /** How far the server's clock is ahead of this machine's, in milliseconds. */
  readonly clockAhead: number;
}

/** Everything that one card opens to another: an arrow of the map. */
export interface PairDetails {
  readonly kind: 'pair';
  readonly source: EndDetails;
  readonly destination: EndDetails;
  readonly total: Summary;
  readonly edges: readonly EdgeDetails[];
  readonly knownSince: number;
  readonly clockAhead: number;
}

export type Details = CardDetails | PairDetails;

const MOST_EDGES = 100;
/** What came up that soon after the server began to look may well have been there before. */
const SETTLING_MS = 60_000;
/** How long a thing is called new. */
const NEW_MS = 10 * 60_000;

/** Whether something was never seen before. Times by the server's clock; `knownSince` 0 = the server cannot tell. */
export function isNew(firstSeen: number, knownSince: number, now: number): boolean {
  return knownSince > 0 && firstSeen > knownSince + SETTLING_MS && now - firstSeen < NEW_MS;
}

/** Everything the panel says about one card; undefined when it is not on the map. */
export function cardDetails(model: MapModel, key: string, now: number): CardDetails | undefined {
  const card = model.cards.get(key);
  if (card === undefined) return undefined;
  const into: ModelEdge[] = [];
  const out: ModelEdge[] = [];
  for (const edge of model.edges.values()) {
    if (edge.destination === key) into.push(edge);
    if (edge.source === key) out.push(edge);
  }
  return {
    kind: 'card',
    card,
    sentence: cardSentence({ card, folded: 1 }),
    isNew: isNew(card.firstSeen, model.knownSince, now),
    received: summarize(into),
    sent: summarize(out),
    connectsFrom: edgeDetails(model, into, now),
    reaches: edgeDetails(model, out, now),
    knownSince: model.knownSince,
    clockAhead: model.clockAhead,
  };
}

/** The same about an arrow between two cards, either of which may be a folded plate; undefined when there is none. */
export function pairDetails(
  model: MapModel,
  pair: { readonly source: string; readonly destination: string },
  by: PlateKind,
  now: number,
): PairDetails | undefined {
  const isSource = memberOf(pair.source, by);
  const isDestination = memberOf(pair.destination, by);
  const edges: ModelEdge[] = [];
  for (const edge of model.edges.values()) {
    const source = model.cards.get(edge.source);
    const destination = model.cards.get(edge.destination);
    if (source === undefined || destination === undefined) continue;
    if (isSource(source) && isDestination(destination)) edges.push(edge);
  }
  if (edges.length === 0) return undefined;
  return {
    kind: 'pair',
    source: pairEnd(model, pair.source, edges[0].source, by),
    destination: pairEnd(model, pair.destination, edges[0].destination, by),
    total: summarize(edges),
    edges: edgeDetails(model, edges, now),
    knownSince: model.knownSince,
    clockAhead: model.clockAhead,
  };
}

function memberOf(key: string, by: PlateKind): (card: ModelCard) => boolean {
  const plate = plateOfFolded(key);
  return plate === undefined ? (card) => card.key === key : (card) => standsFor(plate, plateOf(card, by).id);
}

function pairEnd(model: MapModel, key: string, member: string, by: PlateKind): EndDetails {
  const card = model.cards.get(member)!;
  const plate = plateOfFolded(key);
  if (plate === undefined) return end(card);
  return { key, name: isBundle(plate) ? bundleTitle(plate) : plateOf(card, by).title, namespace: '' };
}

function end({ key, name, namespace }: ModelCard): EndDetails {
  return { key, name, namespace };
}

function edgeDetails(model: MapModel, edges: readonly ModelEdge[], now: number): EdgeDetails[] {
  return edges
    .flatMap((edge) => {
      const source = model.cards.get(edge.source);
      const destination = model.cards.get(edge.destination);
      if (source === undefined || destination === undefined) return [];
      const { stats, key, port, protocol, firstSeen } = edge;
      return [
        {
          key,
          port,
          protocol,
          source: end(source),
          destination: end(destination),
          verdict: edgeVerdict(stats),
          flows: stats.flows,
          connections: stats.connections,
          bytes: stats.bytes,
          replyBytes: stats.replyBytes,
          rttMicros: stats.rttMicros,
          retransmits: stats.retransmits,
          requests: stats.requests,
          answers: stats.answers,
          failures: stats.failures,
          p50Micros: stats.p50Micros,
          p99Micros: stats.p99Micros,
          forwardedShare: forwardedShare(stats),
          firstSeen,
          lastSeen: stats.lastSeen,
          services: edge.services ?? [],
          isNew: isNew(firstSeen, model.knownSince, now),
        },
      ];
    })
    .sort((a, b) => b.flows - a.flows || (a.key < b.key ? -1 : 1))
    .slice(0, MOST_EDGES);
}

import { cardSentence, portWords } from './card-words.ts';
import type { MapModel, ModelCard, ModelEdge } from './model.ts';
import type { RateHistory, RateSeries } from './rate-history.ts';
import { dropsPerMinute, type Summary, summarize } from './summary.ts';

/** A card on the other end, and what goes on with it. */
export interface PeerDetails {
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
  /** `:3306 TCP` of the side that is connected to. */
  readonly port: string;
  readonly flows: number;
  readonly connections: number;
  readonly bytes: number;
  readonly rttMicros: number;
  /** Share forwarded; -1 without recent flows. */
  readonly forwardedShare: number;
  readonly dropsPerMinute: number;
  readonly dropReason: number;
  readonly firstSeen: number;
  readonly lastSeen: number;
}

export interface CardDetails {
  readonly card: ModelCard;
  readonly sentence: string;
  readonly received: Summary;
  readonly sent: Summary;
  readonly connectsFrom: readonly PeerDetails[];
  readonly reaches: readonly PeerDetails[];
  readonly series: RateSeries;
}

/** Everything the panel says about one card; undefined when it is not on the map. */
export function cardDetails(model: MapModel, history: RateHistory, key: string): CardDetails | undefined {
  const card = model.cards.get(key);
  if (card === undefined) return undefined;
  const into: ModelEdge[] = [];
  const out: ModelEdge[] = [];
  for (const edge of model.edges.values()) {
    if (edge.destination === key) into.push(edge);
    if (edge.source === key) out.push(edge);
  }
  return {
    card,
    sentence: cardSentence({ card, folded: 1 }),
    received: summarize(into),
    sent: summarize(out),
    connectsFrom: peers(model, into, (edge) => edge.source),
    reaches: peers(model, out, (edge) => edge.destination),
    series: history.of(key),
  };
}

function peers(model: MapModel, edges: readonly ModelEdge[], other: (edge: ModelEdge) => string): PeerDetails[] {
  return edges
    .flatMap((edge) => {
      const card = model.cards.get(other(edge));
      if (card === undefined) return [];
      const summary = summarize([edge]);
      const all = summary.forwarded + summary.dropped + summary.audited;
      return [
        {
          key: card.key,
          name: card.name,
          namespace: card.namespace,
          port: portWords(edge.port, edge.protocol),
          flows: summary.flows,
          connections: summary.connections,
          bytes: summary.bytes + summary.replyBytes,
          rttMicros: summary.rttMicros,
          forwardedShare: all > 0 ? 1 - summary.dropped / all : -1,
          dropsPerMinute: dropsPerMinute(summary),
          dropReason: summary.dropReason,
          firstSeen: edge.firstSeen,
          lastSeen: summary.lastSeen,
        },
      ];
    })
    .sort((a, b) => b.flows - a.flows || (a.name < b.name ? -1 : 1))
    .slice(0, 100);
}

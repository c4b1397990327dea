import { create } from '@bufbuild/protobuf';
import type { FlowColumns } from '#core/flow/columns.ts';
import { REPLY } from '#core/flow/direction.ts';
import { hasPorts } from '#core/flow/protocol.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { type EdgeSeries, EdgeSeriesSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { droppedPackets } from '../live-map/dropped-packets.ts';
import { observedByServer } from '../live-map/orientation.ts';
import type { CardNumbers } from './card-numbers.ts';

/** Three minutes. */
export const STEPS = 60;
export const STEP_MS = 3_000;
const MOST_SERIES = 500;
/** Edges counted at all. */
const MOST_EDGES = 20_000;

interface Counts {
  readonly forwarded: Uint32Array;
  readonly audited: Uint32Array;
  readonly opened: Uint32Array;
  flows: number;
}

interface Series {
  readonly client: number;
  readonly server: number;
  readonly port: number;
  readonly protocol: number;
  /** As the end that was connected to tells it; the other end's word counts where that one is silent. */
  readonly atServer: Counts;
  readonly atClient: Counts;
  dropsAtServer: number;
  /** What one end drops, the other never sees. */
  readonly dropped: Uint32Array;
  drops: number;
}

/** Flows over time, per edge. */
export class SeriesTally {
  readonly #cards: CardNumbers;
  readonly #startMs: number;
  readonly #series = new Map<string, Series>();

  constructor(cards: CardNumbers, startMs: number) {
    this.#cards = cards;
    this.#startMs = startMs;
  }

  /** `back`: the packet travels from the server to the client. */
  add(columns: FlowColumns, row: number, client: number, server: number, back: boolean, timeMs: number): void {
    const step = Math.floor((timeMs - this.#startMs) / STEP_MS);
    if (step < 0 || step >= STEPS) return;
    const protocol = columns.protocol[row];
    const port = !hasPorts(protocol) ? 0 : back ? columns.sourcePort[row] : columns.destinationPort[row];
    const series = this.#seriesOf(client, server, port, protocol);
    if (series === undefined) return;
    const verdict = columns.verdict[row];
    if (verdict === VERDICT.DROPPED || verdict === VERDICT.ERROR) {
      const packets = droppedPackets(columns, row);
      series.dropped[step] += packets;
      series.drops += packets;
      if (observedByServer(columns, row, back)) series.dropsAtServer += packets;
      return;
    }
    const counts = observedByServer(columns, row, back) ? series.atServer : series.atClient;
    counts[verdict === VERDICT.AUDIT ? 'audited' : 'forwarded'][step]++;
    if (columns.trigger[row] === TRIGGER.FIRST_PACKET && columns.reply[row] === REPLY.ORIGINAL) counts.opened[step]++;
    counts.flows++;
  }

  /** The busiest first, without the first so many steps. */
  messages(from: number): EdgeSeries[] {
    return [...this.#series.values()]
      .map((series) => ({ series, counts: isServerHeard(series) ? series.atServer : series.atClient }))
      .sort((a, b) => b.counts.flows + b.series.drops - a.counts.flows - a.series.drops)
      .slice(0, MOST_SERIES)
      .map(({ series, counts }) => {
        const { forwarded, audited } = merged(counts, counts === series.atServer ? series.atClient : series.atServer);
        return create(EdgeSeriesSchema, {
          source: this.#cards.key(series.client),
          destination: this.#cards.key(series.server),
          port: series.port,
          protocol: series.protocol,
          forwarded: forwarded.slice(from),
          dropped: [...series.dropped].slice(from),
          audited: audited.slice(from),
          opened: [...counts.opened].slice(from),
        });
      });
  }

  #seriesOf(client: number, server: number, port: number, protocol: number): Series | undefined {
    const key = `${client} ${server} ${port} ${protocol}`;
    let series = this.#series.get(key);
    if (series === undefined && this.#series.size < MOST_EDGES) {
      series = {
        client,
        server,
        port,
        protocol,
        atServer: counts(),
        atClient: counts(),
        dropped: new Uint32Array(STEPS),
        drops: 0,
        dropsAtServer: 0,
      };
      this.#series.set(key, series);
    }
    return series;
  }
}

/** Where it drops all of it, too: what the client's end saw leave did not arrive. */
function isServerHeard({ atServer, dropsAtServer }: Series): boolean {
  return atServer.flows + dropsAtServer > 0;
}

function counts(): Counts {
  const steps = () => new Uint32Array(STEPS);
  return { forwarded: steps(), audited: steps(), opened: steps(), flows: 0 };
}

/** Either end may be the one that audits: a flow that one of them audits is no plainly forwarded one. */
function merged(told: Counts, other: Counts): { forwarded: number[]; audited: number[] } {
  const all = Array.from(told.forwarded, (forwarded, step) => forwarded + told.audited[step]);
  const audited = all.map((flows, step) => Math.min(flows, Math.max(told.audited[step], other.audited[step])));
  return { forwarded: all.map((flows, step) => flows - audited[step]), audited };
}

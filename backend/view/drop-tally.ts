import { create } from '@bufbuild/protobuf';
import type { FlowColumns } from '#core/flow/columns.ts';
import { decisionMessage } from '#core/flow/decision-message.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { decisionKey, NO_DECISION, type PolicyDecision } from '#core/flow/policy-decision.ts';
import { hasPorts } from '#core/flow/protocol.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { type DropCount, DropCountSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { droppedPackets } from '../live-map/dropped-packets.ts';
import { timestamp } from '../timestamp.ts';
import type { CardNumbers } from './card-numbers.ts';

const MOST_DROPS = 200;
/** Kinds of drops counted at all. */
const MOST_KINDS = 5_000;

interface Drops {
  readonly client: number;
  readonly server: number;
  readonly port: number;
  readonly protocol: number;
  readonly reason: number;
  readonly policy: number;
  decision: PolicyDecision;
  count: number;
  firstMs: number;
  lastMs: number;
  node: number;
  direction: number;
}

/** Dropped packets by edge, reason and policy decision. Rows come newest first. */
export class DropTally {
  readonly #cards: CardNumbers;
  readonly #window: FlowWindow;
  readonly #all = new Map<string, Drops>();
  /** By numbers that are good only until other rows come into the window. */
  readonly #current = new Map<string, Drops>();

  constructor(cards: CardNumbers, window: FlowWindow) {
    this.#cards = cards;
    this.#window = window;
  }

  add(columns: FlowColumns, row: number, client: number, server: number, back: boolean, timeMs: number): void {
    const verdict = columns.verdict[row];
    if (verdict !== VERDICT.DROPPED && verdict !== VERDICT.ERROR) return;
    const protocol = columns.protocol[row];
    const port = !hasPorts(protocol) ? 0 : back ? columns.sourcePort[row] : columns.destinationPort[row];
    const reason = columns.dropReason[row];
    const policy = columns.policy[row];
    const key = `${client} ${server} ${port} ${protocol} ${reason} ${policy}`;
    const known = this.#current.get(key);
    const packets = droppedPackets(columns, row);
    if (known === undefined) {
      if (this.#current.size >= MOST_KINDS) return;
      const decision = NO_DECISION;
      const seen = { decision, count: packets, firstMs: timeMs, lastMs: timeMs };
      const where = { node: columns.node[row], direction: columns.direction[row] };
      this.#current.set(key, { client, server, port, protocol, reason, policy, ...seen, ...where });
      return;
    }
    known.count += packets;
    known.firstMs = Math.min(known.firstMs, timeMs);
    if (timeMs <= known.lastMs) return;
    known.lastMs = timeMs;
    known.node = columns.node[row];
    known.direction = columns.direction[row];
  }

  /** Before other rows may come: looks up what the numbers of decisions stand for while they do. */
  settle(): void {
    for (const drops of this.#current.values()) {
      drops.decision = this.#window.decisions.get(drops.policy);
      const { client, server, port, protocol, reason } = drops;
      const key = `${client} ${server} ${port} ${protocol} ${reason} ${decisionKey(drops.decision)}`;
      const known = this.#all.get(key);
      if (known === undefined) {
        if (this.#all.size < MOST_KINDS) this.#all.set(key, drops);
        continue;
      }
      known.count += drops.count;
      known.firstMs = Math.min(known.firstMs, drops.firstMs);
      if (drops.lastMs <= known.lastMs) continue;
      known.lastMs = drops.lastMs;
      known.node = drops.node;
      known.direction = drops.direction;
    }
    this.#current.clear();
  }

  /** The most frequent first. */
  messages(): DropCount[] {
    return [...this.#all.values()]
      .sort((a, b) => b.count - a.count || b.lastMs - a.lastMs)
      .slice(0, MOST_DROPS)
      .map((drops) =>
        create(DropCountSchema, {
          source: this.#cards.key(drops.client),
          destination: this.#cards.key(drops.server),
          port: drops.port,
          protocol: drops.protocol,
          reason: drops.reason,
          count: drops.count,
          first: timestamp(drops.firstMs),
          last: timestamp(drops.lastMs),
          node: this.#window.nodes[drops.node].node,
          direction: drops.direction,
          policy: drops.policy === 0 ? undefined : decisionMessage(drops.decision),
        }),
      );
  }
}

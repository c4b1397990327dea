import { BatchDecoder } from '#core/flow/batch.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import type { Cursor, FlowBatch } from '#proto/gen/waggle/v1/flow_pb.ts';
import type { Card, Edge, EdgeStats, MapUpdate, ViewUpdate } from '#proto/gen/waggle/v1/view_pb.ts';

/** Keeps what a view's updates say, as the page does. */
export class ViewReader {
  readonly window = new FlowWindow(200_000);
  readonly #decoder = new BatchDecoder(this.window);
  readonly cards = new Map<number, Card>();
  readonly edges = new Map<number, Edge>();
  cursor: Cursor | undefined;
  lost = 0n;
  snapshots = 0;
  rotated = false;
  /** Flows hidden, by token. */
  hidden: Record<string, number> = {};

  take(update: ViewUpdate): void {
    if (update.map !== undefined) this.#map(update.map);
    if (update.flows !== undefined) this.takeBatch(update.flows);
    if (update.hidden !== undefined) {
      this.hidden = Object.fromEntries(update.hidden.tokens.map(({ token, flows }) => [token, Number(flows)]));
    }
    this.rotated ||= update.rotate;
  }

  takeBatch(batch: FlowBatch): void {
    const { rows, columns } = this.#decoder.decode(batch);
    for (let row = 0; row < rows; row++) this.window.push(columns, row);
    for (const { count } of batch.losses) this.lost += count;
    this.cursor = batch.cursor;
  }

  /** `node-1#7` for each flow, in the order in which they came. */
  get flows(): string[] {
    const { columns, nodes, end } = this.window;
    return Array.from({ length: end }, (_, row) => `${nodes[columns.node[row]].node}#${columns.sequence[row]}`);
  }

  /** `web → maindb:3306` for each edge. */
  get arrows(): string[] {
    return [...this.edges.values()]
      .map(({ source, destination, port }) => `${this.#name(source)} → ${this.#name(destination)}:${port}`)
      .sort();
  }

  statsOf(arrow: string): EdgeStats | undefined {
    return this.edges
      .values()
      .find((edge) => `${this.#name(edge.source)} → ${this.#name(edge.destination)}:${edge.port}` === arrow)?.stats;
  }

  #name(card: number): string {
    return this.cards.get(card)?.name ?? `card ${card}?`;
  }

  #map(update: MapUpdate): void {
    if (update.snapshot) {
      this.snapshots++;
      this.cards.clear();
      this.edges.clear();
    }
    for (const card of update.cards) this.cards.set(card.id, card);
    for (const edge of update.edges) this.edges.set(edge.id, edge);
    for (const stats of update.stats) this.edges.get(stats.edge)!.stats = stats;
    for (const id of update.removedEdges) this.edges.delete(id);
    for (const id of update.removedCards) this.cards.delete(id);
  }
}

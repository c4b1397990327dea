import { allocateColumns, type FlowColumns } from '#core/flow/columns.ts';
import { isLayer7, layer7Number } from '#core/flow/layer7.ts';
import { writeFlowRow } from '#core/hubble/flow-row.ts';
import { redactFlow } from '#core/redaction/redact-flow.ts';
import type { Redaction } from '#core/redaction/redaction.ts';
import type { Flow } from '#proto/gen/flow/flow_pb.ts';
import type { IngestInto } from '../relay/ingest.ts';
import type { MergeSource } from '../relay/merge-queue.ts';
import type { AskedNames } from './asked-names.ts';
import type { FollowedNode } from './followed-nodes.ts';
import type { PodPlaces } from './pod-places.ts';

/** Rows handed over together: a message of Hubble's is one flow. */
const ROWS_PER_CHUNK = 512;
const FLUSH_MS = 20;
/** A stream that has named more of either is begun anew, which lets go of those no flow refers to any more. */
const MOST_ENDPOINTS = 100_000;
const MOST_DECISIONS = 10_000;

/** The flows of one stream of Hubble's on their way into the relay, as rows. */
export class FlowStream {
  readonly #into: IngestInto;
  readonly #redaction: Redaction;
  readonly #places: PodPlaces;
  readonly #names: AskedNames;
  readonly #source: MergeSource;
  readonly #timer: NodeJS.Timeout;
  // Held until the stream ends: rows that wait to be merged refer to them.
  readonly #endpoints = new Set<number>();
  readonly #decisions = new Set<number>();
  // Rows that wait to be handed over.
  #columns: FlowColumns = allocateColumns(ROWS_PER_CHUNK);
  #rows = 0;
  #requests = 0;

  constructor(into: IngestInto, redaction: Redaction, places: PodPlaces, names: AskedNames) {
    this.#into = into;
    this.#redaction = redaction;
    this.#places = places;
    this.#names = names;
    this.#source = into.merge.addSource();
    this.#timer = setInterval(() => this.#flush(), FLUSH_MS);
  }

  /** Whether it holds on to so much that it should be ended and begun anew. */
  get isFull(): boolean {
    return this.#endpoints.size > MOST_ENDPOINTS || this.#decisions.size > MOST_DECISIONS;
  }

  receive(message: Flow, node: FollowedNode): void {
    const { window } = this.#into;
    const columns = this.#columns;
    const row = this.#rows;
    // What is not to be told is not kept.
    const flow = this.#names.named(redactFlow({ ...message, uuid: '' }, this.#redaction));
    writeFlowRow(flow, node.boot, ++node.sequence, columns, row, window);
    this.#places.place(columns, row, node.boot.node, window.endpoints);
    for (const number of [columns.source[row], columns.destination[row]]) {
      if (this.#endpoints.has(number)) continue;
      this.#endpoints.add(number);
      window.endpoints.retain(number);
    }
    const decision = columns.policy[row];
    if (decision !== 0 && !this.#decisions.has(decision)) {
      this.#decisions.add(decision);
      window.decisions.retain(decision);
    }
    if (isLayer7(columns.observation[row])) {
      window.layer7.retain(layer7Number(columns, row));
      this.#into.requests.add(1);
      this.#requests++;
    }
    this.#into.lastSequence[columns.node[row]] = node.sequence;
    node.lastHeardMs = Date.now();
    node.rate.add(1);
    this.#into.rate.add(1);
    if (++this.#rows === ROWS_PER_CHUNK) this.#flush();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#flush();
    this.#source.close();
    const { endpoints, decisions } = this.#into.window;
    for (const number of this.#endpoints) endpoints.release(number);
    for (const number of this.#decisions) decisions.release(number);
  }

  #flush(): void {
    if (this.#rows === 0) return;
    const columns = this.#columns;
    const rows = this.#rows;
    const requests = this.#requests > 0;
    this.#columns = allocateColumns(ROWS_PER_CHUNK);
    this.#rows = 0;
    this.#requests = 0;
    this.#source.push(columns, 0, rows, requests);
    if (!requests) return;
    const { layer7 } = this.#into.window;
    for (let row = 0; row < rows; row++) layer7.release(layer7Number(columns, row));
  }
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { copyRow } from '#core/flow/columns.ts';
import type { EntryStore } from '#core/flow/entry-store.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { isLayer7, type Layer7 } from '#core/flow/layer7.ts';
import type { PolicyDecision } from '#core/flow/policy-decision.ts';
import { NodeState, type NodeStatus } from '#proto/gen/waggle/v1/flow_pb.ts';
import { grown } from '../live-map/grown.ts';
import type { LossLedger } from '../relay/loss-ledger.ts';
import type { FollowedStatus, MergedFlows, RowsListener } from '../relay/merged-flows.ts';
import { RateMeter } from '../relay/rate-meter.ts';
import { isHiddenEnd, type Visibility } from './visibility.ts';

/** Rows looked at without a pause. */
const SLICE_ROWS = 16_384;
/** Flows held for those who may not see everything: 4 MiB. */
const MOST_VISIBLE_FLOWS = 65_536;

/**
 * The part of the relay's flows that some people may see, as a window of its own: flows that have an end in one of their
 * namespaces, with everything hidden taken off already. Whoever answers from this window cannot tell what it does not hold:
 * this is the one place where it is decided what is seen.
 */
export class VisibleFlows implements MergedFlows {
  readonly window: FlowWindow;
  readonly losses: LossLedger;
  readonly rate = new RateMeter();
  readonly requests = new RateMeter();
  readonly #from: MergedFlows;
  readonly #visibility: Visibility;
  readonly #endpoints: Translation<Parameters<Visibility['endpoint']>[0]>;
  readonly #decisions: Translation<PolicyDecision>;
  readonly #decisionsElsewhere: Translation<PolicyDecision>;
  readonly #requests: Translation<Layer7>;
  readonly #requestsOfHidden: Translation<Layer7>;
  readonly #listeners = new Set<RowsListener>();
  readonly #leave: () => void;
  /** By the relay's node number: this window's. */
  readonly #nodes: number[] = [];
  /** By this window's node number: the relay's. */
  readonly #nodesThere: number[] = [];
  /** By this window's node number: from which sequence on everything visible is held. */
  readonly #heldSince: number[] = [];
  /** The relay's position of the next row to be looked at. */
  #position: number;
  #catchingUp = true;
  #closed = false;
  /** Resolves when it has what the relay held at first. */
  readonly ready: Promise<void>;

  constructor(from: MergedFlows, visibility: Visibility, capacity = MOST_VISIBLE_FLOWS) {
    this.#from = from;
    this.#visibility = visibility;
    this.losses = from.losses;
    this.window = new FlowWindow(Math.min(capacity, from.window.capacity));
    const sees = ({ cluster, namespace }: { cluster: string; namespace: string }) =>
      visibility.sees(cluster, namespace);
    this.#endpoints = new Translation(
      from.window.endpoints,
      this.window.endpoints,
      (e) => visibility.endpoint(e),
      sees,
    );
    const decisions = (isOwn: boolean) =>
      new Translation(from.window.decisions, this.window.decisions, (d) => visibility.decision(d, isOwn));
    this.#decisions = decisions(true);
    this.#decisionsElsewhere = decisions(false);
    const requests = (hidesEnd: boolean) =>
      new Translation(from.window.layer7, this.window.layer7, (request) => visibility.request(request, hidesEnd));
    this.#requests = requests(false);
    this.#requestsOfHidden = requests(true);
    this.#position = from.window.start;
    this.#leave = from.onRows((_, to) => {
      if (!this.#catchingUp) this.#takeUntil(to);
    });
    this.ready = this.#catchUp();
  }

  get nodesVersion(): number {
    return this.#from.nodesVersion;
  }

  onRows(listener: RowsListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  nodes(): NodeStatus[] {
    return this.#from.nodes().map(withoutNames);
  }

  followed(): FollowedStatus[] {
    return this.#from.followed().map((each) => ({ ...each, status: withoutNames(each.status) }));
  }

  observes(cluster: string, node: string): boolean {
    return this.#from.observes(cluster, node);
  }

  sequenceAtEnd(node: number): number {
    return this.#from.sequenceAtEnd(this.#nodesThere[node]);
  }

  /** Sequences that are missing here are mostly those of flows that may not be seen. */
  heldSince(node: number): number {
    return this.#heldSince[node];
  }

  get visibility(): Visibility {
    return this.#visibility;
  }

  close(): void {
    this.#closed = true;
    this.#leave();
    this.#listeners.clear();
  }

  async #catchUp(): Promise<void> {
    const { window } = this.#from;
    // Who is to hear of the rows is there first.
    await nextTurn();
    while (!this.#closed && this.#position < window.end) {
      this.#takeUntil(Math.min(window.end, Math.max(this.#position, window.start) + SLICE_ROWS));
      await nextTurn();
    }
    this.#catchingUp = false;
  }

  #takeUntil(to: number): void {
    const { window } = this.#from;
    const { columns } = window;
    const before = this.window.end;
    for (let position = Math.max(this.#position, window.start); position < to; position++) {
      const row = window.slot(position);
      const node = columns.node[row];
      if (this.#nodes[node] === undefined) this.#addNode(node, columns.sequence[row]);
      const [source, destination] = [columns.source[row], columns.destination[row]];
      if (!this.#endpoints.sees(source) && !this.#endpoints.sees(destination)) continue;
      this.#push(row);
    }
    this.#position = to;
    const { end } = this.window;
    if (end === before) return;
    this.rate.add(end - before);
    for (const listener of this.#listeners) listener(before, end);
  }

  #push(row: number): void {
    const { columns } = this.#from.window;
    const mine = this.window.columns;
    // Named before the overwritten row lets go: the translation holds on to what it named.
    const source = this.#endpoints.number(columns.source[row]);
    const destination = this.#endpoints.number(columns.destination[row]);
    const policy = columns.policy[row] === 0 ? 0 : this.#decisionsAt(columns.node[row]).number(columns.policy[row]);
    let request = 0;
    if (isLayer7(columns.observation[row])) {
      const hidesEnd = [source, destination].some((end) => isHiddenEnd(this.window.endpoints.get(end)));
      request = (hidesEnd ? this.#requestsOfHidden : this.#requests).number(columns.packetsReply[row]);
    }
    const { end, capacity } = this.window;
    const slot = this.window.claim();
    if (end >= capacity) this.#heldSince[mine.node[slot]] = mine.sequence[slot] + 1;
    copyRow(columns, row, mine, slot);
    mine.node[slot] = this.#nodes[columns.node[row]];
    mine.source[slot] = source;
    mine.destination[slot] = destination;
    mine.policy[slot] = policy;
    if (isLayer7(mine.observation[slot])) {
      mine.packetsReply[slot] = request;
      this.requests.add(1);
    }
    this.window.commit(slot);
  }

  /** Policies of another cluster are another's, also in a namespace of the same name. */
  #decisionsAt(node: number): Translation<PolicyDecision> {
    const isOwn = this.#visibility.isOwn(this.#from.window.nodes[node].cluster);
    return isOwn ? this.#decisions : this.#decisionsElsewhere;
  }

  #addNode(there: number, sequence: number): void {
    const here = this.window.nodeNumber(this.#from.window.nodes[there]);
    this.#nodes[there] = here;
    this.#nodesThere[here] = there;
    this.#heldSince[here] = sequence;
  }
}

/** What is degraded on a node is told with names of pods, policies and Services, of whatever namespace. */
function withoutNames(status: NodeStatus): NodeStatus {
  if (status.state !== NodeState.CONNECTED || status.message === '') return status;
  return { ...status, message: 'degraded; who may see all namespaces is told why' };
}

/** Numbers of one store as numbers of another, whose entries it holds for as long as the first gives them no other meaning. */
class Translation<T> {
  readonly #from: EntryStore<T>;
  readonly #to: EntryStore<T>;
  readonly #translate: (entry: T) => T;
  readonly #isSeen: (entry: T) => boolean;
  // By number: the number there (plus one; 0 = not named yet), whether it is seen, and the generation (plus one) of both.
  #number = new Uint32Array(1024);
  #seen = new Uint8Array(1024);
  #generation = new Float64Array(1024);

  constructor(
    from: EntryStore<T>,
    to: EntryStore<T>,
    translate: (entry: T) => T,
    isSeen: (entry: T) => boolean = () => true,
  ) {
    this.#from = from;
    this.#to = to;
    this.#translate = translate;
    this.#isSeen = isSeen;
  }

  sees(number: number): boolean {
    this.#look(number);
    return this.#seen[number] === 1;
  }

  number(number: number): number {
    this.#look(number);
    if (this.#number[number] === 0) {
      const there = this.#to.intern(this.#translate(this.#from.get(number)));
      if (there !== 0) this.#to.retain(there);
      this.#number[number] = there + 1;
    }
    return this.#number[number] - 1;
  }

  #look(number: number): void {
    if (number >= this.#number.length) {
      const length = Math.max(number + 1, this.#from.bound, this.#number.length * 2);
      this.#number = grown(this.#number, length);
      this.#seen = grown(this.#seen, length);
      this.#generation = grown(this.#generation, length);
    }
    const generation = this.#from.generation(number) + 1;
    if (this.#generation[number] === generation) return;
    if (this.#number[number] > 1) this.#to.release(this.#number[number] - 1);
    this.#number[number] = 0;
    this.#generation[number] = generation;
    this.#seen[number] = this.#isSeen(this.#from.get(number)) ? 1 : 0;
  }
}

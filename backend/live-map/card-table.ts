import { type CardName, cardName, WORLD_NAME } from '#core/card/card-name.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import type { EndpointStore } from '#core/flow/endpoint-store.ts';
import { DistinctCount } from './distinct-count.ts';
import { grown } from './grown.ts';

/** A pod, or an address, of a card. */
interface Member {
  readonly key: string;
  readonly card: Card;
  readonly index: number;
  labels: readonly string[];
  node: string;
}

export interface Card {
  readonly index: number;
  /** Unique within the map, never reused. */
  readonly id: number;
  readonly name: CardName;
  readonly members: Map<string, Member>;
  /** Version of the map at which it came, and at which something about it last changed. */
  readonly createdVersion: number;
  changedVersion: number;
  firstSeenMs: number;
  /** What `lastSeenMs` was when the card was last told. */
  toldSeenMs: number;
  /** Pods by the cluster's state when the card was last told; 0 = not known. */
  replicas: number;
}

/** No card: the map is at its limit. */
export const NO_CARD = -1;

/** Names that parts of the world have: what comes beyond is the world as a whole. */
const MOST_WORLD_NAMES = 100;
/** Addresses counted per card. */
const MOST_MEMBERS = 4096;
/** Members whose labels are compared to find the common ones. */
const LABELLED_MEMBERS = 64;

/**
 * Who talks, found by endpoint number: a flow costs array reads. The strings of an endpoint are looked at once, until its
 * number stands for another one or something was forgotten.
 */
export class CardTable {
  readonly #endpoints: EndpointStore;
  readonly #limit: number;
  readonly #perNode: boolean;
  #worldNames = 0;
  readonly cards: (Card | undefined)[] = [];
  readonly #byKey = new Map<string, Card>();
  readonly #freeCards: number[] = [];
  readonly #freeMembers: number[] = [];
  readonly #members: (Member | undefined)[] = [];
  readonly omitted = new DistinctCount();
  #nextId = 1;
  lastSeenMs = new Float64Array(256);
  #memberSeenMs = new Float64Array(256);
  // By endpoint number: what it was resolved to, and for which generation (plus one; 0 = not yet).
  #card = new Int32Array(256);
  #member = new Int32Array(256);
  #podNode = new Int32Array(256);
  #generation = new Float64Array(256);
  /** Nodes on which pods live, by the number in `podNodeOf`. */
  readonly podNodes: { readonly cluster: string; readonly node: string }[] = [];
  readonly #podNodeNumbers = new Map<string, number>();

  constructor(endpoints: EndpointStore, limit: number, perNode: boolean) {
    this.#endpoints = endpoints;
    this.#limit = limit;
    this.#perNode = perNode;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Index of the endpoint's card, made if need be; NO_CARD when there is no room. Counts as hearing of it. */
  cardOf(number: number, seenMs: number, version: number): number {
    if (number >= this.#card.length) this.#growEndpoints(number);
    if (this.#generation[number] !== this.#endpoints.generation(number) + 1) this.#resolve(number, seenMs, version);
    const card = this.#card[number];
    if (card === NO_CARD) {
      this.omitted.add(number);
      return NO_CARD;
    }
    if (seenMs > this.lastSeenMs[card]) this.lastSeenMs[card] = seenMs;
    const member = this.#member[number];
    if (member >= 0 && seenMs > this.#memberSeenMs[member]) this.#memberSeenMs[member] = seenMs;
    return card;
  }

  /** Number of the node whose agent would observe this endpoint; -1 for what no agent observes. After `cardOf`. */
  podNodeOf(number: number): number {
    return this.#podNode[number];
  }

  labelsOf(card: Card): string[] {
    let common: readonly string[] | undefined;
    let compared = 0;
    for (const member of card.members.values()) {
      if (compared++ === LABELLED_MEMBERS) break;
      common = common === undefined ? member.labels : common.filter((label) => member.labels.includes(label));
    }
    return [...(common ?? [])];
  }

  nodesOf(card: Card): string[] {
    const nodes = new Set<string>();
    for (const { node } of card.members.values()) if (node !== '') nodes.add(node);
    return [...nodes].sort();
  }

  /** Forgets members and cards that were last heard of before then. Returns the ids of the cards that went. */
  forget(beforeMs: number, version: number): number[] {
    const gone: number[] = [];
    let forgot = false;
    for (const member of this.#members) {
      if (member === undefined || this.#memberSeenMs[member.index] >= beforeMs) continue;
      member.card.members.delete(member.key);
      member.card.changedVersion = version;
      this.#members[member.index] = undefined;
      this.#freeMembers.push(member.index);
      forgot = true;
    }
    for (const card of this.cards) {
      if (card === undefined || this.lastSeenMs[card.index] >= beforeMs) continue;
      for (const member of card.members.values()) {
        this.#members[member.index] = undefined;
        this.#freeMembers.push(member.index);
      }
      this.cards[card.index] = undefined;
      this.#byKey.delete(card.name.key);
      if (isNamedWorld(card.name)) this.#worldNames--;
      this.#freeCards.push(card.index);
      gone.push(card.id);
      forgot = true;
    }
    // Endpoints that did not fit may fit now; those that went must not be found under their old numbers.
    if (forgot) this.#generation.fill(0);
    this.omitted.roll();
    return gone;
  }

  #resolve(number: number, seenMs: number, version: number): void {
    const endpoint = this.#endpoints.get(number);
    this.#generation[number] = this.#endpoints.generation(number) + 1;
    this.#podNode[number] = endpoint.pod !== '' && endpoint.node !== '' ? this.#podNodeNumber(endpoint) : -1;
    const name = this.#nameOf(endpoint);
    const card = this.#byKey.get(name.key) ?? this.#add(name, seenMs, version);
    this.#card[number] = card?.index ?? NO_CARD;
    this.#member[number] = card === undefined ? -1 : this.#join(card, endpoint, seenMs, version);
  }

  #nameOf(endpoint: Endpoint): CardName {
    const name = cardName(endpoint, { perNode: this.#perNode });
    const isFull = isNamedWorld(name) && this.#worldNames >= MOST_WORLD_NAMES && !this.#byKey.has(name.key);
    return isFull ? WORLD_NAME : name;
  }

  #add(name: CardName, seenMs: number, version: number): Card | undefined {
    if (this.size >= this.#limit) return undefined;
    const index = this.#freeCards.pop() ?? this.cards.length;
    const card: Card = {
      index,
      id: this.#nextId++,
      name,
      members: new Map(),
      createdVersion: version,
      changedVersion: version,
      firstSeenMs: seenMs,
      toldSeenMs: seenMs,
      replicas: 0,
    };
    this.cards[index] = card;
    if (isNamedWorld(name)) this.#worldNames++;
    this.#byKey.set(name.key, card);
    if (index >= this.lastSeenMs.length) this.lastSeenMs = grown(this.lastSeenMs, index + 1);
    this.lastSeenMs[index] = seenMs;
    return card;
  }

  #join(card: Card, endpoint: Endpoint, seenMs: number, version: number): number {
    const key = endpoint.pod === '' ? endpoint.address : endpoint.pod;
    let member = card.members.get(key);
    if (member === undefined) {
      if (card.members.size >= MOST_MEMBERS) return -1;
      const index = this.#freeMembers.pop() ?? this.#members.length;
      member = { key, card, index, labels: endpoint.labels, node: endpoint.node };
      this.#members[index] = member;
      card.members.set(key, member);
      if (index >= this.#memberSeenMs.length) this.#memberSeenMs = grown(this.#memberSeenMs, index + 1);
      this.#memberSeenMs[index] = seenMs;
      card.changedVersion = version;
    } else if (seenMs >= this.#memberSeenMs[member.index]) {
      const labels = endpoint.labels;
      if (labels.length > 0 && labels.join() !== member.labels.join()) {
        member.labels = labels;
        card.changedVersion = version;
      }
      if (endpoint.node !== '' && endpoint.node !== member.node) {
        member.node = endpoint.node;
        card.changedVersion = version;
      }
    }
    return member.index;
  }

  #podNodeNumber({ cluster, node }: Endpoint): number {
    const key = `${cluster}/${node}`;
    let number = this.#podNodeNumbers.get(key);
    if (number === undefined) {
      number = this.podNodes.push({ cluster, node }) - 1;
      this.#podNodeNumbers.set(key, number);
    }
    return number;
  }

  #growEndpoints(number: number): void {
    const length = Math.max(number + 1, this.#endpoints.bound);
    this.#card = grown(this.#card, length);
    this.#member = grown(this.#member, length);
    this.#podNode = grown(this.#podNode, length);
    this.#generation = grown(this.#generation, length);
  }
}

function isNamedWorld(name: CardName): boolean {
  return name.kind === 'world' && name.key !== WORLD_NAME.key;
}

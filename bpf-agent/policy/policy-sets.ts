import { LoaderError } from '../loader/loader-error.ts';
import type { EndpointPolicy } from '../maps/endpoints.ts';
import type { PolicyMap, PolicyRangeMap } from '../maps/policies.ts';
import { type SetContent, type SetEntry, sameEntry } from './set-content.ts';

/** What is no longer in use is deleted after this long, in milliseconds: no program can be in the middle of it then. */
const GRACE_MS = 1_000;

interface Live {
  readonly set: number;
  content: SetContent;
  /** Entries about identities that nobody has any more, to be deleted soon. */
  leaving: readonly SetEntry[];
}

/** What a change may do in place depends on who can be met. */
export interface PeerLife {
  /** Addresses are mapped to this peer number at this moment. */
  mapped(peer: number): boolean;
  /** They are, or are about to be. */
  exists(peer: number): boolean;
}

interface Retired {
  readonly at: number;
  /** A set that must not go while an endpoint has it; 0 = does not matter. */
  readonly set: number;
  readonly remove: () => void;
}

export interface PolicyMaps {
  readonly policies: PolicyMap;
  readonly policyRanges: PolicyRangeMap;
}

/**
 * The policy sets in the kernel, one per identity of this node's pods. A changed policy is a new set under a new number,
 * complete before an endpoint is given it; only entries about peers that nobody has yet, or any more, come and go in
 * place. So no packet ever meets half a policy.
 */
export class PolicySets {
  readonly #maps: PolicyMaps;
  readonly #live = new Map<number, Live>();
  #retired: Retired[] = [];
  #next: number;

  /** @param inUse set numbers that endpoints have from an earlier agent */
  constructor(maps: PolicyMaps, inUse: Iterable<number>, nowMs = performance.now()) {
    this.#maps = maps;
    const old = this.#leftovers();
    this.#next = Math.max(0, ...old.keys(), ...inUse) + 1;
    for (const [set, remove] of old) this.#retired.push({ at: nowMs + GRACE_MS, set, remove });
  }

  /**
   * Makes the identity's pods have this content, complete when it returns.
   * @throws LoaderError when the map is full; then the identity has what it had
   */
  put(identity: number, content: SetContent, peers: PeerLife): Omit<EndpointPolicy, 'guarded'> {
    const live = this.#live.get(identity);
    if (live === undefined || !this.#change(live, content, peers)) {
      const set = this.#next++;
      this.#fill(set, content);
      if (live !== undefined) this.#retire(live.set, live.content);
      this.#live.set(identity, { set, content, leaving: [] });
    }
    return this.policy(identity)!;
  }

  /** What the identity's pods are under; undefined when it never had a set. */
  policy(identity: number): Omit<EndpointPolicy, 'guarded'> | undefined {
    const live = this.#live.get(identity);
    if (live === undefined) return undefined;
    const { set, content } = live;
    const { enforced, audited, ranges } = content;
    return { set, enforced, audited, ranges: ranges.size > 0, closed: false };
  }

  /** Lets go of the sets of identities that no pod of this node has. */
  keepOnly(identities: ReadonlySet<number>): void {
    for (const [identity, { set, content }] of this.#live) {
      if (identities.has(identity)) continue;
      this.#retire(set, content);
      this.#live.delete(identity);
    }
  }

  /** Deletes what has been out of use for long enough. To be called now and then. */
  sweep(setsInUse: ReadonlySet<number>, nowMs = performance.now()): void {
    const due = this.#retired.filter(({ at, set }) => at <= nowMs && !setsInUse.has(set));
    if (due.length === 0) return;
    this.#retired = this.#retired.filter((retired) => !due.includes(retired));
    for (const { remove } of due) remove();
  }

  /** Entries of all sets in use. */
  get size(): number {
    let size = 0;
    for (const { content, leaving } of this.#live.values()) size += content.entries.size + leaving.length;
    return size;
  }

  /** Reason ids of every entry. */
  *rules(): Generator<number> {
    for (const { content } of this.#live.values()) for (const { value } of content.entries.values()) yield value.rule;
  }

  /** In place where that shows no packet anything between. Returns false where it would. */
  #change(live: Live, content: SetContent, peers: PeerLife): boolean {
    const { content: before, set, leaving } = live;
    const sameWays =
      JSON.stringify([before.enforced, before.audited]) === JSON.stringify([content.enforced, content.audited]);
    if (!sameWays || !sameKeys(before.ranges, content.ranges)) return false;
    // Its old entries still stand.
    if (leaving.some(({ key }) => peers.exists(key.peer))) return false;
    const added: SetEntry[] = [];
    for (const [text, entry] of content.entries) {
      const old = before.entries.get(text);
      if (old !== undefined && sameEntry(old, entry)) continue;
      if (old !== undefined || peers.mapped(entry.key.peer)) return false;
      added.push(entry);
    }
    const gone: SetEntry[] = [];
    for (const [text, entry] of before.entries) {
      if (content.entries.has(text)) continue;
      if (peers.exists(entry.key.peer)) return false;
      gone.push(entry);
    }
    this.#add(set, added);
    live.content = content;
    if (gone.length > 0) {
      live.leaving = [...leaving, ...gone];
      const remove = (): void => {
        for (const { key } of gone) this.#maps.policies.delete({ set, ...key });
        live.leaving = live.leaving.filter((entry) => !gone.includes(entry));
      };
      this.#retired.push({ at: performance.now() + GRACE_MS, set: 0, remove });
    }
    return true;
  }

  /** All or none: entries about peers that nobody has would be half a policy to the one who comes. */
  #add(set: number, entries: readonly SetEntry[]): void {
    const done: SetEntry[] = [];
    try {
      for (const entry of entries) {
        this.#maps.policies.set({ set, ...entry.key }, entry.value);
        done.push(entry);
      }
    } catch (error) {
      if (error instanceof LoaderError) for (const { key } of done) this.#maps.policies.delete({ set, ...key });
      throw error;
    }
  }

  #fill(set: number, content: SetContent): void {
    try {
      for (const { key, number } of content.ranges.values()) this.#maps.policyRanges.set({ set, ...key }, number);
      for (const { key, value } of content.entries.values()) this.#maps.policies.set({ set, ...key }, value);
    } catch (error) {
      if (error instanceof LoaderError) this.#delete(set, content);
      throw error;
    }
  }

  #retire(set: number, content: SetContent): void {
    this.#retired.push({ at: performance.now() + GRACE_MS, set, remove: () => this.#delete(set, content) });
  }

  #delete(set: number, { entries, ranges }: SetContent): void {
    for (const { key } of entries.values()) this.#maps.policies.delete({ set, ...key });
    for (const { key } of ranges.values()) this.#maps.policyRanges.delete({ set, ...key });
  }

  /** Sets of an earlier agent: what removes each. */
  #leftovers(): Map<number, () => void> {
    const { policies, policyRanges } = this.#maps;
    const sets = new Map<number, (() => void)[]>();
    const note = (set: number, remove: () => void): void => {
      const removals = sets.get(set);
      if (removals === undefined) sets.set(set, [remove]);
      else removals.push(remove);
    };
    for (const key of policies.keys()) note(key.set, () => policies.delete(key));
    for (const key of policyRanges.keys()) note(key.set, () => policyRanges.delete(key));
    return new Map(
      [...sets].map(([set, removals]) => [
        set,
        () => {
          for (const remove of removals) remove();
        },
      ]),
    );
  }
}

function sameKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  if (a.size !== b.size) return false;
  for (const key of a.keys()) if (!b.has(key)) return false;
  return true;
}

import { isWorld, RESERVED_IDENTITY } from '../identity/reserved.ts';
import { cidrHas } from '../ip/cidr.ts';
import { type ConnectionVerdict, evaluateConnection, type Party } from './connection.ts';
import type { PolicyDirection, ResolvedRule } from './endpoint-rules.ts';
import type { CidrMatch, PolicySection, PortMatch, Rule } from './policy.ts';
import type { PolicyEngine } from './policy-engine.ts';
import type { RuleReference } from './reference.ts';

/** One of those between whom policies decide: a pod that stands for a workload. */
export interface ReachEnd {
  /** Whatever the caller tells it by. */
  readonly key: string;
  readonly party: Party;
}

/** What stands for those who are no workloads. */
export interface Outside {
  /** Key of everybody outside the cluster; for a rule about everybody it stands for all. */
  readonly world: string;
  /** Key of the nodes that are not a pod's own: its own one is hardly ever kept out. */
  readonly nodes: string;
  /** Whether an address is inside the cluster, and so none of the world's. */
  isInside(address: Uint8Array): boolean;
}

/** Somebody may reach somebody, because a rule says so. */
export interface Reach {
  readonly source: string;
  readonly destination: string;
  /** IP protocol number; 0 = every one. */
  readonly protocol: number;
  /** Destination ports, ICMP types; 0..65,535 = all of them. */
  readonly first: number;
  readonly last: number;
  /** `AUDIT`: until audited policies are enforced. Denied ones are left out: one end's rule is not enough. */
  readonly verdict: Exclude<ConnectionVerdict, 'DROPPED'>;
  readonly rule: RuleReference;
  /** The rule is about everybody, pods included. */
  readonly anybody: boolean;
  /** The range of addresses that the rule names, where it is the reason; else empty. */
  readonly range: string;
}

export interface ReachList {
  readonly reaches: readonly Reach[];
  /** Whether there is more than was asked for. */
  readonly more: boolean;
}

interface Peer extends ReachEnd, Pick<Reach, 'anybody' | 'range'> {}

/** How many pairs are tried for each that is listed at most. */
const TRIES = 4;
/** How many addresses are compared with ranges for each pair that is tried at most. */
const COMPARISONS = 64;

const EVERY_PORT = { protocol: 0, first: 0, last: 65_535 } as const;

/**
 * Who may reach whom by the rules there are. What no policy closes is reached by everybody and is not listed. Of a range of
 * addresses one that the rule is about stands for all.
 *
 * @param most at most so many; the work is bounded by it too
 */
export function reachOf(engine: PolicyEngine, ends: readonly ReachEnd[], outside: Outside, most: number): ReachList {
  const peers = new Peers(engine, ends, outside, most * TRIES * COMPARISONS);
  const found = new Map<string, Reach>();
  let tried = 0;
  for (const { sections } of engine.policies) {
    for (const section of sections) {
      const subjects = peers.pods(engine.index.members(section.subject).list);
      if (subjects.length === 0) continue;
      for (const { direction, rule } of allowRules(section)) {
        const resolved = engine.resolved(rule);
        const own = peers.of(resolved);
        if (own === undefined) return { reaches: [...found.values()], more: true };
        for (const subject of subjects) {
          for (const peer of own) {
            if (subject.key === peer.key) continue;
            // Each try is a decision; rules that repeat each other could make many for few results.
            if (found.size >= most || ++tried > most * TRIES) return { reaches: [...found.values()], more: true };
            for (const reach of reachesBy(engine, resolved, direction, subject, peer)) {
              const { source, destination, protocol, first, last, range } = reach;
              const key = `${source} ${destination} ${protocol} ${first} ${last} ${range}`;
              if (!found.has(key)) found.set(key, reach);
            }
          }
        }
      }
    }
  }
  return { reaches: [...found.values()], more: false };
}

/** Whom rules are about. */
class Peers {
  readonly #engine: PolicyEngine;
  readonly #ends: readonly ReachEnd[];
  readonly #byIdentity: ReadonlyMap<number, readonly ReachEnd[]>;
  readonly #outside: Outside;
  #comparisons: number;

  constructor(engine: PolicyEngine, ends: readonly ReachEnd[], outside: Outside, comparisons: number) {
    this.#engine = engine;
    this.#ends = ends;
    this.#byIdentity = Map.groupBy(ends, ({ party }) => party.identity);
    this.#outside = outside;
    this.#comparisons = comparisons;
  }

  /** @param indexes of identities in the engine */
  pods(indexes: readonly number[]): ReachEnd[] {
    return indexes.flatMap((index) => this.#byIdentity.get(this.#engine.index.numbers[index]!) ?? []);
  }

  /** Undefined when too much has been compared. */
  of({ everybody, members, cidrs }: ResolvedRule): Peer[] | undefined {
    if (everybody) return [this.#world(undefined, { anybody: true, range: '' })];
    const named = { anybody: false, range: '' };
    const peers = new Map<string, Peer>();
    for (const index of members?.list ?? []) {
      const identity = this.#engine.index.numbers[index]!;
      for (const end of this.#byIdentity.get(identity) ?? []) peers.set(end.key, { ...end, ...named });
      if (isWorld(identity)) peers.set(this.#outside.world, this.#world(undefined, named));
      if (identity === RESERVED_IDENTITY['remote-node']) {
        const party = { identity, address: undefined, node: '' };
        peers.set(this.#outside.nodes, { key: this.#outside.nodes, party, ...named });
      }
    }
    for (const match of cidrs) {
      const range = match.cidr.text;
      if (match.cluster) {
        this.#comparisons -= this.#ends.length;
        if (this.#comparisons < 0) return undefined;
        for (const end of this.#ends) {
          const { address } = end.party;
          if (!peers.has(end.key) && address !== undefined && isIn(match, address)) {
            peers.set(end.key, { ...end, anybody: false, range });
          }
        }
      }
      const address = this.#addressOutside(match);
      if (address !== undefined)
        peers.set(`${this.#outside.world} ${range}`, this.#world(address, { anybody: false, range }));
    }
    return [...peers.values()];
  }

  #world(address: Uint8Array | undefined, more: Pick<Peer, 'anybody' | 'range'>): Peer {
    return { key: this.#outside.world, party: { identity: RESERVED_IDENTITY.world, address, node: '' }, ...more };
  }

  /** The first or the last address of a range, whichever the rule is about; undefined where neither is of the world. */
  #addressOutside(match: CidrMatch): Uint8Array | undefined {
    const { bytes, length } = match.cidr;
    const last = bytes.map((byte, index) => byte | (0xff >> Math.min(8, Math.max(0, length - 8 * index))));
    return [bytes, last].find((address) => isIn(match, address) && !this.#outside.isInside(address));
  }
}

function isIn({ cidr, except }: CidrMatch, address: Uint8Array): boolean {
  return cidrHas(cidr, address) && !except.some((excepted) => cidrHas(excepted, address));
}

function allowRules(section: PolicySection): { direction: PolicyDirection; rule: Rule }[] {
  return (['ingress', 'egress'] as const).flatMap((direction) =>
    section[direction].rules.filter(({ deny }) => !deny).map((rule) => ({ direction, rule })),
  );
}

function reachesBy(
  engine: PolicyEngine,
  { rule, ports }: ResolvedRule,
  direction: PolicyDirection,
  subject: ReachEnd,
  peer: Peer,
): Reach[] {
  const [source, destination] = direction === 'ingress' ? [peer, subject] : [subject, peer];
  const ranges = ports === undefined ? [EVERY_PORT] : ports.flatMap((port) => rangesOf(engine, port, destination));
  return ranges.flatMap(({ protocol, first, last }): Reach[] => {
    const connection = { source: source.party, destination: destination.party, protocol, port: first };
    const { verdict } = evaluateConnection(engine, connection);
    if (verdict === 'DROPPED') return [];
    const between = { source: source.key, destination: destination.key };
    const { anybody, range } = peer;
    return [{ ...between, protocol, first, last, verdict, rule: rule.reference, anybody, range }];
  });
}

function rangesOf(
  engine: PolicyEngine,
  port: PortMatch,
  destination: ReachEnd,
): Omit<PortMatch & { kind: 'range' }, 'kind'>[] {
  if (port.kind === 'range') return [port];
  const index = engine.index.indexOf(destination.party.identity);
  const numbers = index === undefined ? [] : engine.index.namedPort(index, port.protocol, port.name);
  return numbers.map((number) => ({ protocol: port.protocol, first: number, last: number }));
}

import { DIRECTION } from '../flow/direction.ts';
import { RESERVED_IDENTITY } from '../identity/reserved.ts';
import { type CidrIdentities, matchedRanges, OF_CLUSTER } from './cidr-identity.ts';
import type { DirectionPolicy, PolicyDirection, ResolvedRule } from './endpoint-rules.ts';
import type { IdentityIndex } from './identity-index.ts';
import type { PolicyEngine } from './policy-engine.ts';
import { ANY_PEER, type CompiledPolicy, LAYER, type PolicyEntry, PRECEDENCE, VERDICT_OF_ENTRY } from './policy-map.ts';
import { EVERY_TRANSPORT, keyBits, rangeKeys, type TransportKey, widerKey } from './port-prefix.ts';
import { allows, type Reason } from './reason.ts';

/** What may hold for a key; of several for one key the least rank does. */
interface Candidate {
  readonly rank: number;
  readonly precedence: number;
  readonly reason: Reason;
}

/** By peer, then by protocol and port. */
type Table = Map<number, Map<TransportKey, Candidate>>;

interface RuleKeys {
  /** Keys of its numbered ports. */
  readonly transports: readonly TransportKey[];
  readonly named: boolean;
  /** Peers that are identities, and peers that are ranges. */
  readonly identities: readonly number[];
  readonly ranges: readonly number[];
}

/**
 * Turns an engine's rules into policy maps. Needs every range that the engine's rules name to have a CIDR identity; more than
 * those do no harm, so one table can serve the policies of before and after a change.
 */
export class PolicyCompiler {
  readonly #engine: PolicyEngine;
  readonly #cidrs: CidrIdentities;
  readonly #keys = new Map<ResolvedRule, RuleKeys>();

  constructor(engine: PolicyEngine, cidrs: CidrIdentities) {
    this.#engine = engine;
    this.#cidrs = cidrs;
  }

  /** The policy map of every endpoint with this identity. An identity that is no pod's is not policed. */
  compile(identity: number): CompiledPolicy {
    const entries: PolicyEntry[] = [];
    const subject = this.#engine.index.indexOf(identity);
    const enforces = { ingress: false, egress: false };
    const audits = { ingress: false, egress: false };
    for (const direction of ['ingress', 'egress'] as const) {
      const number = direction === 'ingress' ? DIRECTION.INGRESS : DIRECTION.EGRESS;
      const endpoint = subject === undefined ? undefined : this.#engine.endpoint(direction, subject);
      if (subject === undefined || endpoint === undefined) continue;
      const { enforced, audited } = endpoint;
      enforces[direction] = !isOpen(enforced);
      this.#layer(LAYER.enforced, number, this.#table(enforced, direction, subject), entries);
      if (audited === undefined) continue;
      audits[direction] = true;
      this.#layer(LAYER.audited, number, this.#table(audited, direction, subject), entries);
    }
    return { identity, entries, enforces, audits };
  }

  #table(policy: DirectionPolicy, direction: PolicyDirection, subject: number): Table {
    const table: Table = new Map();
    const { denies, allows: allowing } = policy;
    for (const [rank, rule] of denies.entries()) {
      this.#add(table, rule, { rank, precedence: PRECEDENCE.deny, reason: rule.reason }, direction, subject);
    }
    for (const [order, rule] of allowing.entries()) {
      const rank = denies.length + order;
      this.#add(table, rule, { rank, precedence: PRECEDENCE.allow, reason: rule.reason }, direction, subject);
    }
    const last = denies.length + allowing.length;
    const { ownNode, fallback } = policy;
    if (ownNode.kind !== 'no-policy') {
      const precedence = allows(ownNode) ? PRECEDENCE.allow : PRECEDENCE.fallback;
      put(table, RESERVED_IDENTITY.host, EVERY_TRANSPORT, { rank: last, precedence, reason: ownNode });
    }
    const rest: Candidate = { rank: last + 1, precedence: PRECEDENCE.fallback, reason: fallback };
    put(table, ANY_PEER, EVERY_TRANSPORT, rest);
    return table;
  }

  #add(table: Table, rule: ResolvedRule, candidate: Candidate, direction: PolicyDirection, subject: number): void {
    const { transports, named, identities, ranges } = this.#keysOf(rule);
    const { index } = this.#engine;
    let everywhere = transports;
    if (named && direction === 'ingress') everywhere = [...transports, ...namedKeys(rule, index, subject)];
    for (const peer of identities) putAll(table, peer, everywhere, candidate);
    for (const peer of ranges) putAll(table, peer, everywhere, candidate);
    if (rule.everybody) putAll(table, ANY_PEER, everywhere, candidate);
    if (!named || direction === 'ingress') return;
    // Egress: a port's name is what each destination's pods call it.
    const destinations = rule.everybody ? index.numbers.keys() : (rule.members?.list ?? []);
    for (const member of destinations) {
      putAll(table, index.numbers[member]!, namedKeys(rule, index, member), candidate);
    }
  }

  #keysOf(rule: ResolvedRule): RuleKeys {
    let keys = this.#keys.get(rule);
    if (keys === undefined) {
      keys = this.#ruleKeys(rule);
      this.#keys.set(rule, keys);
    }
    return keys;
  }

  #ruleKeys({ ports, members, cidrs }: ResolvedRule): RuleKeys {
    const transports =
      ports === undefined
        ? [EVERY_TRANSPORT]
        : ports.flatMap((port) => (port.kind === 'range' ? rangeKeys(port.protocol, port.first, port.last) : []));
    const ranges = cidrs.flatMap((match) => {
      const numbers = matchedRanges(match, this.#cidrs);
      return match.cluster ? [...numbers, ...numbers.map((number) => number | OF_CLUSTER)] : numbers;
    });
    return {
      transports,
      named: ports?.some(({ kind }) => kind === 'named') ?? false,
      identities: members?.list.map((member) => this.#engine.index.numbers[member]!) ?? [],
      ranges,
    };
  }

  /**
   * The longest prefix hides every shorter one, so each key gets the best of what covers it; a key that says no more than
   * the next wider one is left out.
   */
  #layer(layer: number, direction: number, table: Table, into: PolicyEntry[]): void {
    for (const [peer, transports] of table) {
      const keys = [...transports.keys()];
      // Fewer bits first: a key's wider ones are settled before it.
      if (keys.length > 1) keys.sort((a, b) => keyBits(a) - keyBits(b));
      for (const transport of keys) {
        const candidate = transports.get(transport)!;
        const wider = keys.length > 1 ? nextWider(transports, transport) : undefined;
        if (wider !== undefined && wider.rank <= candidate.rank) {
          transports.delete(transport);
          continue;
        }
        const { precedence, reason } = candidate;
        const denied = layer === LAYER.audited ? VERDICT_OF_ENTRY.audit : VERDICT_OF_ENTRY.deny;
        const verdict = allows(reason) ? VERDICT_OF_ENTRY.allow : denied;
        into.push({ layer, direction, peer, transport, verdict, precedence, reason });
      }
    }
  }
}

/** True where nothing is ever denied, so that looking up would be in vain. */
function isOpen({ denies, fallback }: DirectionPolicy): boolean {
  return denies.length === 0 && fallback.kind === 'no-policy';
}

function nextWider(transports: ReadonlyMap<TransportKey, Candidate>, key: TransportKey): Candidate | undefined {
  for (let wider = widerKey(key); wider !== undefined; wider = widerKey(wider)) {
    const found = transports.get(wider);
    if (found !== undefined) return found;
  }
  return undefined;
}

function namedKeys({ ports, rule }: ResolvedRule, index: IdentityIndex, destination: number): TransportKey[] {
  const anyPort = rule.deny && index.isUnmanaged(destination);
  return (ports ?? []).flatMap((port) => {
    if (port.kind !== 'named') return [];
    if (anyPort) return rangeKeys(port.protocol, 0, 65_535);
    return index
      .namedPort(destination, port.protocol, port.name)
      .flatMap((number) => rangeKeys(port.protocol, number, number));
  });
}

function putAll(table: Table, peer: number, transports: readonly TransportKey[], candidate: Candidate): void {
  for (const transport of transports) put(table, peer, transport, candidate);
}

function put(table: Table, peer: number, transport: TransportKey, candidate: Candidate): void {
  let transports = table.get(peer);
  if (transports === undefined) {
    transports = new Map();
    table.set(peer, transports);
  }
  const known = transports.get(transport);
  if (known === undefined || candidate.rank < known.rank) transports.set(transport, candidate);
}

import { type ConnectionVerdict, evaluateConnection, type Party } from './connection.ts';
import type { PolicyDirection, ResolvedRule } from './endpoint-rules.ts';
import type { PolicySection, PortMatch, Rule } from './policy.ts';
import type { PolicyEngine } from './policy-engine.ts';
import type { RuleReference } from './reference.ts';

/** One of those between whom policies decide: a pod that stands for a workload. */
export interface ReachEnd {
  /** Whatever the caller tells it by. */
  readonly key: string;
  readonly party: Party;
}

/** Somebody may reach somebody, because a rule names both. */
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
}

export interface ReachList {
  readonly reaches: readonly Reach[];
  /** Whether there is more than was asked for. */
  readonly more: boolean;
}

/** How many pairs are tried for each that is listed at most. */
const TRIES = 4;

const EVERY_PORT = { protocol: 0, first: 0, last: 65_535 } as const;

/**
 * Who may reach whom by the rules there are. What no policy closes is reached by everybody and is not listed, nor is what a
 * rule opens to everybody, or to addresses: that is not about two workloads.
 *
 * @param most at most so many; the work is bounded by it too
 */
export function reachOf(engine: PolicyEngine, ends: readonly ReachEnd[], most: number): ReachList {
  const byIdentity = Map.groupBy(ends, ({ party }) => party.identity);
  const endsOf = (indexes: readonly number[]) =>
    indexes.flatMap((index) => byIdentity.get(engine.index.numbers[index]!) ?? []);
  const found = new Map<string, Reach>();
  let tried = 0;
  for (const { sections } of engine.policies) {
    for (const section of sections) {
      const subjects = endsOf(engine.index.members(section.subject).list);
      for (const { direction, rule } of allowRules(section)) {
        const resolved = engine.resolved(rule);
        const peers = resolved.everybody ? [] : endsOf(resolved.members?.list ?? []);
        for (const subject of subjects) {
          for (const peer of peers) {
            if (subject.key === peer.key) continue;
            // Each try is a decision; rules that repeat each other could make many for few results.
            if (found.size >= most || ++tried > most * TRIES) return { reaches: [...found.values()], more: true };
            const [source, destination] = direction === 'ingress' ? [peer, subject] : [subject, peer];
            for (const reach of reachesBy(engine, resolved, source, destination)) {
              const key = `${reach.source} ${reach.destination} ${reach.protocol} ${reach.first} ${reach.last}`;
              if (!found.has(key)) found.set(key, reach);
            }
          }
        }
      }
    }
  }
  return { reaches: [...found.values()], more: false };
}

function allowRules(section: PolicySection): { direction: PolicyDirection; rule: Rule }[] {
  return (['ingress', 'egress'] as const).flatMap((direction) =>
    section[direction].rules.filter(({ deny }) => !deny).map((rule) => ({ direction, rule })),
  );
}

function reachesBy(engine: PolicyEngine, { rule, ports }: ResolvedRule, source: ReachEnd, destination: ReachEnd) {
  const ranges = ports === undefined ? [EVERY_PORT] : ports.flatMap((port) => rangesOf(engine, port, destination));
  return ranges.flatMap(({ protocol, first, last }): Reach[] => {
    const connection = { source: source.party, destination: destination.party, protocol, port: first };
    const { verdict } = evaluateConnection(engine, connection);
    if (verdict === 'DROPPED') return [];
    const between = { source: source.key, destination: destination.key };
    return [{ ...between, protocol, first, last, verdict, rule: rule.reference }];
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

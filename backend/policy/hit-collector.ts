import { type Timestamp, timestampMs } from '@bufbuild/protobuf/wkt';
import { referenceText } from '#core/flow/decision-text.ts';
import { directions } from '#core/flow/direction.ts';
import { AgentService, type ListRuleHitsResponse, RuleEffect } from '#proto/gen/waggle/v1/agent_pb.ts';
import { AgentClients, type SilentAgent } from '../relay/agent-clients.ts';
import type { PeerTarget } from '../relay/peer-target.ts';

/** An answer is good for this long: many pages ask, agents are asked once. */
const FRESH_MS = 1_000;
const DEADLINE_MS = 1_500;

export interface Hits {
  /** Connections allowed, or packets denied. */
  readonly hits: number;
  readonly packets: number;
  /** Milliseconds since 1970. */
  readonly lastMs: number;
}

/** What every node's rules have done, together. */
export interface CollectedHits {
  /** By `kind namespace/name path`; what a policy's default deny had a part in by {@link defaultDenyKey}. */
  readonly byRule: ReadonlyMap<string, Hits>;
  /** Milliseconds since 1970: hits are complete since then; undefined when no agent answered. */
  readonly sinceMs: number | undefined;
  readonly silent: readonly SilentAgent[];
  /** Nodes that enforce nothing, by their agent's setting. */
  readonly auditing: readonly string[];
}

/** A default deny has no rule of its own: it counts for its policies as a whole. @param direction as in flows */
export function defaultDenyKey(policy: string, direction: number): string {
  return `${policy}, ${directions.name(direction)}`;
}

/** Asks the agents of all nodes how often their rules have decided. */
export class HitCollector {
  readonly #agents = new AgentClients(AgentService);
  #answer: { readonly atMs: number; readonly hits: Promise<CollectedHits> } | undefined;

  /** These agents and no others. */
  follow(targets: readonly PeerTarget[]): void {
    this.#agents.follow(targets);
  }

  collect(): Promise<CollectedHits> {
    const now = performance.now();
    if (this.#answer === undefined || now - this.#answer.atMs > FRESH_MS) {
      this.#answer = { atMs: now, hits: this.#ask() };
    }
    return this.#answer.hits;
  }

  close(): void {
    this.follow([]);
  }

  async #ask(): Promise<CollectedHits> {
    const sum = new HitSum();
    sum.silent = await this.#agents.askAll(
      (client) => client.listRuleHits({}, { deadlineMs: DEADLINE_MS }),
      (answer, node) => sum.add(node, answer),
    );
    sum.auditing.sort();
    return sum;
  }
}

class HitSum implements CollectedHits {
  readonly byRule = new Map<string, Hits>();
  sinceMs: number | undefined;
  silent: readonly SilentAgent[] = [];
  readonly auditing: string[] = [];

  add(node: string, { since, rules, audit }: ListRuleHitsResponse): void {
    if (since !== undefined) this.sinceMs = Math.max(this.sinceMs ?? 0, timestampMs(since));
    if (audit) this.auditing.push(node);
    for (const { effect, policies, direction, hits, packets, last } of rules) {
      for (const policy of policies) {
        const key =
          effect === RuleEffect.DEFAULT_DENY
            ? defaultDenyKey(referenceText({ ...policy, rule: -1, path: '' }), direction)
            : referenceText(policy);
        this.#count(key, Number(hits), Number(packets), last);
      }
    }
  }

  #count(key: string, hits: number, packets: number, last: Timestamp | undefined): void {
    const before = this.byRule.get(key);
    this.byRule.set(key, {
      hits: (before?.hits ?? 0) + hits,
      packets: (before?.packets ?? 0) + packets,
      lastMs: Math.max(before?.lastMs ?? 0, last === undefined ? 0 : timestampMs(last)),
    });
  }
}

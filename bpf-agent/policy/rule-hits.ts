import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { type Reason, reasonKey } from '#core/policy/reason.ts';
import { RuleEffect, type RuleHits as RuleHitsMessage, RuleHitsSchema } from '#proto/gen/waggle/v1/agent_pb.ts';
import type { RunDirectory } from '../run-directory.ts';
import { type RuleHits, references } from './decision-table.ts';

const FILE = 'rule-hits.json';
/** Rules and default denies remembered across agents; those that decided longest ago go first. */
const MOST_KEPT = 5_000;

const EFFECTS: Readonly<Record<string, RuleEffect>> = {
  rule: RuleEffect.ALLOW,
  'deny-rule': RuleEffect.DENY,
  'default-deny': RuleEffect.DEFAULT_DENY,
};

/** Of one reason in one direction. */
interface Counted extends Omit<Readonly<RuleHits>, 'rule'> {
  readonly reason: Reason;
}

export interface HitCounts {
  /** Since this agent started. */
  readonly hits: () => Iterable<Readonly<RuleHits>>;
  readonly reasonOf: (id: number) => Reason | undefined;
}

/**
 * How often rules and default denies have decided on this node, agents before this one included. Reason ids are an agent's own, so
 * what outlives it goes by policy and rule. A killed agent's last two seconds are not in it.
 */
export class RuleHitLog {
  /** Milliseconds since 1970: counted from here on. */
  readonly sinceMs: number;
  readonly #run: Pick<RunDirectory, 'write'>;
  readonly #now: HitCounts;
  readonly #earlier: ReadonlyMap<string, Counted>;
  #saved = '';

  constructor(run: Pick<RunDirectory, 'read' | 'write'>, now: HitCounts, nowMs = Date.now()) {
    this.#run = run;
    this.#now = now;
    const { sinceMs, counted } = parse(run.read(FILE));
    this.sinceMs = sinceMs ?? nowMs;
    this.#earlier = new Map(counted.map((entry) => [keyOf(entry), entry]));
  }

  /** What has decided at least once. Reasons without a rule, such as "no policy", are left out. */
  messages(): RuleHitsMessage[] {
    return [...this.#all().values()].map(({ reason, direction, hits, packets, lastSeconds }) =>
      create(RuleHitsSchema, {
        effect: EFFECTS[reason.kind]!,
        policies: references(reason),
        direction,
        hits: BigInt(hits),
        packets: BigInt(packets),
        last: timestampFromMs(lastSeconds * 1000),
      }),
    );
  }

  /** Keeps it for the next agent. To be called now and then. */
  save(): void {
    const counted = [...this.#all().values()];
    if (counted.length > MOST_KEPT) counted.sort((a, b) => b.lastSeconds - a.lastSeconds).splice(MOST_KEPT);
    const text = `${JSON.stringify({ sinceMs: this.sinceMs, counted })}\n`;
    if (text === this.#saved) return;
    this.#saved = text;
    this.#run.write(FILE, text);
  }

  #all(): Map<string, Counted> {
    const all = new Map(this.#earlier);
    for (const { rule, direction, hits, packets, lastSeconds } of this.#now.hits()) {
      const reason = this.#now.reasonOf(rule);
      if (reason === undefined || !Object.hasOwn(EFFECTS, reason.kind)) continue;
      const key = keyOf({ reason, direction });
      const before = all.get(key);
      all.set(key, {
        ...{ reason, direction },
        hits: hits + (before?.hits ?? 0),
        packets: packets + (before?.packets ?? 0),
        lastSeconds: Math.max(lastSeconds, before?.lastSeconds ?? 0),
      });
    }
    return all;
  }
}

function keyOf({ reason, direction }: Pick<Counted, 'reason' | 'direction'>): string {
  return `${direction} ${reasonKey(reason)}`;
}

/** Written by an agent of this node alone; what is not understood is left out. */
function parse(text: string): { sinceMs: number | undefined; counted: Counted[] } {
  try {
    const { sinceMs, counted } = JSON.parse(text) as { sinceMs: number; counted: Counted[] };
    const numbers = ({ direction, hits, packets, lastSeconds }: Counted) =>
      [direction, hits, packets, lastSeconds].every(Number.isSafeInteger);
    const usable = counted.filter(
      (entry) => numbers(entry) && Object.hasOwn(EFFECTS, entry.reason.kind) && reasonKey(entry.reason) !== '',
    );
    return { sinceMs: Number.isSafeInteger(sinceMs) ? sinceMs : undefined, counted: usable };
  } catch {
    return { sinceMs: undefined, counted: [] };
  }
}

import { clone, create } from '@bufbuild/protobuf';
import { type Timestamp, timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { referenceText } from '#core/flow/decision-text.ts';
import {
  type AgentService,
  type ListRuleHitsResponse,
  ListRuleHitsResponseSchema,
  type RuleHits,
  RuleHitsSchema,
} from '#proto/gen/waggle/v1/agent_pb.ts';
import type { NodeAnswers, NodeRecording } from '#proto/gen/waggle/v1/recording_pb.ts';
import {
  type ListServicesResponse,
  ListServicesResponseSchema,
  type LoadBalancerService,
  type ServiceBackend,
  TraceOutcome,
  type TraceServiceRequest,
  type TraceServiceResponse,
  TraceServiceResponseSchema,
} from '#proto/gen/waggle/v1/service_pb.ts';
import { Code, type Handlers, StatusError } from '#runtime/grpc/service.ts';
import type { Span } from './timeline.ts';

/**
 * What an agent says of its policies and Services, as it was recorded. Counters go on from round to round, by what one round
 * added, as they do for a cluster in which the same happens over and over.
 */
export class RecordedAnswers {
  readonly #node: string;
  readonly #answers: readonly NodeAnswers[];
  readonly #span: Span;
  readonly #beginMs: number;

  /** Of a node with one answer at least. */
  constructor({ name, answers }: Pick<NodeRecording, 'name' | 'answers'>, span: Span, beginMs: number) {
    this.#node = name;
    this.#answers = answers;
    this.#span = span;
    this.#beginMs = beginMs;
  }

  agentService(now: () => number = Date.now): Handlers<typeof AgentService> {
    return {
      listRuleHits: async () => this.ruleHits(now()),
      listEndpoints: notRecorded,
      awaitEndpoint: notRecorded,
    };
  }

  loadBalancerService(now: () => number = Date.now): Handlers<typeof LoadBalancerService> {
    return {
      listServices: async ({ namespace, name }) => {
        const all = this.services(now());
        all.services = all.services.filter(
          (service) => (!namespace || service.namespace === namespace) && (!name || service.name === name),
        );
        return all;
      },
      traceService: async (request) => trace(this.#node, this.services(now()), request),
    };
  }

  ruleHits(nowMs: number): ListRuleHitsResponse {
    const { round, answers } = this.#at(nowMs);
    const first = rulesByKey(this.#first);
    const now = rulesByKey(answers);
    const rules = [...rulesByKey(this.#last)].flatMap(([key, last]) => {
      const begun = first.get(key)?.hits ?? 0n;
      const rule = clone(RuleHitsSchema, now.get(key) ?? last);
      const inThisRound = now.has(key) ? rule.hits - begun : 0n;
      rule.hits = begun + inThisRound + BigInt(round) * (last.hits - begun);
      const begunPackets = first.get(key)?.packets ?? 0n;
      const packets = now.has(key) ? rule.packets : begunPackets;
      rule.packets = packets + BigInt(round) * (last.packets - begunPackets);
      if (inThisRound > 0n) rule.last = this.#inRound(round, rule.last);
      else if (round > 0 && last.hits > begun) rule.last = this.#inRound(round - 1, last.last);
      else rule.last = this.#inRound(0, rule.last);
      // Not yet, in the first round.
      return rule.hits === 0n ? [] : [rule];
    });
    const { since, audit } = answers.ruleHits!;
    return create(ListRuleHitsResponseSchema, { since: this.#inRound(0, since), rules, audit });
  }

  services(nowMs: number): ListServicesResponse {
    const { round, answers } = this.#at(nowMs);
    const first = openedByBackend(this.#first);
    const last = openedByBackend(this.#last);
    const response = clone(ListServicesResponseSchema, answers.services!);
    for (const [key, backend] of backends(response)) {
      backend.opened += BigInt(round) * ((last.get(key) ?? 0n) - (first.get(key) ?? 0n));
    }
    return response;
  }

  get #first(): NodeAnswers {
    return this.#answers[0]!;
  }

  get #last(): NodeAnswers {
    return this.#answers.at(-1)!;
  }

  #at(nowMs: number): { round: number; answers: NodeAnswers } {
    const { durationMs } = this.#span;
    const elapsedMs = Math.max(0, nowMs - this.#beginMs);
    const round = Math.floor(elapsedMs / durationMs);
    const answers = this.#answers.findLast(({ afterMs }) => afterMs <= elapsedMs - round * durationMs);
    return { round, answers: answers ?? this.#first };
  }

  /** When what was recorded at this time happens in a round, the first being 0. */
  #inRound(round: number, recorded: Timestamp | undefined): Timestamp | undefined {
    if (recorded === undefined) return undefined;
    const { startedMs, durationMs } = this.#span;
    return timestampFromMs(timestampMs(recorded) - startedMs + this.#beginMs + round * durationMs);
  }
}

function rulesByKey({ ruleHits }: NodeAnswers): Map<string, RuleHits> {
  const entries = ruleHits!.rules.map(
    (rule) => [`${rule.effect} ${rule.direction} ${rule.policies.map(referenceText).join()}`, rule] as const,
  );
  return new Map(entries);
}

function openedByBackend({ services }: NodeAnswers): Map<string, bigint> {
  return new Map([...backends(services!)].map(([key, { opened }]) => [key, opened]));
}

function* backends({ services }: ListServicesResponse): Iterable<[key: string, backend: ServiceBackend]> {
  for (const { frontends } of services) {
    for (const { kind, address, port, protocol, backends } of frontends) {
      for (const backend of backends) {
        yield [`${kind} ${address} ${port} ${protocol} ${backend.address} ${backend.port}`, backend];
      }
    }
  }
}

/** Where a connection would have gone, as far as what stood behind the Services says it. */
function trace(
  node: string,
  { services }: ListServicesResponse,
  { address, port, protocol }: TraceServiceRequest,
): TraceServiceResponse {
  for (const { namespace, name, frontends } of services) {
    const frontend = frontends.find(
      (one) => one.address === address && one.port === port && one.protocol === protocol.toUpperCase(),
    );
    if (frontend === undefined) continue;
    const ready = frontend.backends.filter(({ terminating, weight }) => !terminating && weight > 0);
    const weights = ready.reduce((sum, { weight }) => sum + weight, 0);
    return create(TraceServiceResponseSchema, {
      ...{ node, namespace, service: name, frontend },
      outcome: ready.length > 0 ? TraceOutcome.BALANCED : TraceOutcome.REFUSED,
      steps: [`When this was recorded, ${address}:${port}/${frontend.protocol} was Service ${namespace}/${name}.`],
      candidates: ready.map((backend) => ({ backend, share: backend.weight / weights })),
    });
  }
  const steps = [`No Service had the address ${address}:${port}/${protocol.toUpperCase()} when this was recorded.`];
  return create(TraceServiceResponseSchema, { node, outcome: TraceOutcome.PASSED, steps });
}

async function notRecorded(): Promise<never> {
  throw new StatusError(Code.FAILED_PRECONDITION, 'this is a replay: there is no node to ask');
}

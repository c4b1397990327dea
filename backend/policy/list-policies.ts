import { create, type MessageInitShape } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { DIRECTION } from '#core/flow/direction.ts';
import type { Policy, Rule } from '#core/policy/policy.ts';
import type { PolicyEngine } from '#core/policy/policy-engine.ts';
import type { Reach } from '#core/policy/reach.ts';
import { comparePolicies, type PolicyReference, policyText, rulePath, ruleText } from '#core/policy/reference.ts';
import { ruleSummary } from '#core/policy/rule-text.ts';
import {
  type ListPoliciesResponse,
  ListPoliciesResponseSchema,
  PolicyEnforcement,
  type PolicyFindingSchema,
  type PolicyReachSchema,
  type PolicyRuleSchema,
  type PolicySchema,
  type PolicyWorkloadSchema,
} from '#proto/gen/waggle/v1/policy_pb.ts';
import type { PolicyEntry } from '#runtime/cluster/policy-book.ts';
import { timestamp } from '../timestamp.ts';
import { type CollectedHits, defaultDenyKey } from './hit-collector.ts';
import type { PolicedWorkload, PolicyPicture } from './policy-picture.ts';
import { weakest } from './protection.ts';

const MOST_POLICIES = 2_000;
const MOST_WORKLOADS = 5_000;
/** Of one policy. */
const MOST_RULES = 500;
const MOST_FINDINGS = 50;

/** What the policies of a picture say, and what they have done. */
export function listPolicies(picture: PolicyPicture, hits: CollectedHits): ListPoliciesResponse {
  const entries = picture.entries.toSorted((a, b) => comparePolicies(referenceOf(a), referenceOf(b)));
  const listed = entries.slice(0, MOST_POLICIES);
  const workloads = picture.workloads.slice(0, MOST_WORKLOADS);
  const policyIndex = new Map(listed.map((entry, index) => [policyText(referenceOf(entry)), index]));
  const selecting = workloads.map(({ coverages }) => {
    const texts = new Set(coverages.flatMap(({ selectedBy }) => selectedBy.map(policyText)));
    return [...texts].flatMap((text) => policyIndex.get(text) ?? []);
  });
  const selected: number[][] = listed.map(() => []);
  for (const [at, policies] of selecting.entries()) for (const policy of policies) selected[policy]!.push(at);
  const findings = Map.groupBy(picture.findings(), ({ message }) => message.slice(0, message.indexOf(': ')));
  const omitted = new Set(picture.workloads.slice(MOST_WORKLOADS).map(({ key }) => key));
  const workloadIndex = new Map(workloads.map(({ key }, index) => [key, index]));
  return create(ListPoliciesResponseSchema, {
    policies: listed.map((entry, index) => {
      const reference = referenceOf(entry);
      const found = [...entry.findings, ...(findings.get(policyText(reference)) ?? [])];
      return policyMessage(picture.engine, entry, hits, selected[index]!, found);
    }),
    workloads: workloads.map((workload, at) => workloadMessage(workload, selecting[at]!)),
    reaches: picture.reach().reaches.flatMap((reach) => {
      const policy = policyIndex.get(policyText(reach.rule.policy));
      return policy === undefined ? [] : reachMessage(reach, policy, workloadIndex, omitted);
    }),
    moreReaches: picture.reach().more,
    omittedPolicies: entries.length - listed.length,
    omittedWorkloads: picture.workloads.length - workloads.length,
    hitsSince: hits.sinceMs === undefined ? undefined : timestamp(hits.sinceMs),
    silentNodes: [...hits.silent],
    auditingNodes: [...hits.auditing],
  });
}

/** Of what a policy's object says, whether or not it can be used. */
export function referenceOf({ object: { kind, metadata } }: PolicyEntry): PolicyReference {
  const { namespace, name } = metadata;
  return { kind, namespace: kind === 'CiliumClusterwideNetworkPolicy' ? '' : namespace, name };
}

function policyMessage(
  engine: PolicyEngine,
  entry: PolicyEntry,
  { byRule }: CollectedHits,
  workloads: number[],
  findings: PolicyEntry['findings'],
): MessageInitShape<typeof PolicySchema> {
  const { object, policy, problem, closed } = entry;
  const reference = referenceOf(entry);
  const defaultDeny = (direction: number) => {
    const counted = byRule.get(defaultDenyKey(policyText(reference), direction));
    return { packets: BigInt(counted?.hits ?? 0), last: timeOf(counted?.lastMs) };
  };
  return {
    ...reference,
    enforcement: closed ? PolicyEnforcement.CLOSED : enforcementOf(engine, policy),
    closesIngress: policy.sections.some(({ ingress }) => ingress.defaultDeny),
    closesEgress: policy.sections.some(({ egress }) => egress.defaultDeny),
    created: createdAt(object.manifest),
    rules: rulesOf(policy).map((rule) => ruleMessage(rule, byRule)),
    ingressDefaultDeny: defaultDeny(DIRECTION.INGRESS),
    egressDefaultDeny: defaultDeny(DIRECTION.EGRESS),
    workloads,
    findings: findings.slice(0, MOST_FINDINGS).map(findingMessage),
    problem,
  };
}

function rulesOf({ sections }: Policy): Rule[] {
  return sections.flatMap(({ ingress, egress }) => [...ingress.rules, ...egress.rules]).slice(0, MOST_RULES);
}

function ruleMessage(rule: Rule, byRule: CollectedHits['byRule']): MessageInitShape<typeof PolicyRuleSchema> {
  const { list } = rule.reference;
  const ingress = list === 'ingress' || list === 'ingressDeny';
  const counted = byRule.get(ruleText(rule.reference));
  return {
    path: rulePath(rule.reference),
    ingress,
    deny: rule.deny,
    summary: ruleSummary(rule, ingress ? 'ingress' : 'egress'),
    hits: BigInt(counted?.hits ?? 0),
    packets: BigInt(counted?.packets ?? 0),
    last: timeOf(counted?.lastMs),
  };
}

/** None for who is not listed. Who is no workload is told by the key of its card. */
function reachMessage(
  { source, destination, protocol, first, last, verdict, rule, anybody, range }: Reach,
  policy: number,
  workloads: ReadonlyMap<string, number>,
  omitted: ReadonlySet<string>,
): MessageInitShape<typeof PolicyReachSchema>[] {
  if (omitted.has(source) || omitted.has(destination)) return [];
  const [from, to] = [workloads.get(source), workloads.get(destination)];
  return [
    {
      ...(from === undefined ? { sourceCard: source } : { source: from }),
      ...(to === undefined ? { destinationCard: destination } : { destination: to }),
      ...{ protocol, firstPort: first, lastPort: last, audit: verdict === 'AUDIT' },
      ...{ policy, path: rulePath(rule), anybody, range },
    },
  ];
}

function findingMessage(found: PolicyEntry['findings'][number]): MessageInitShape<typeof PolicyFindingSchema> {
  const { code, severity, message, fix } = found;
  return { code, error: severity === 'error', message, fix };
}

function enforcementOf(engine: PolicyEngine, policy: Policy): PolicyEnforcement {
  const subjects = policy.sections.flatMap(({ subject }) => engine.index.members(subject).list);
  const audits = [...new Set(subjects)].map((subject) => engine.audits(policy, subject));
  if (policy.audit || (audits.length > 0 && audits.every(Boolean))) return PolicyEnforcement.AUDITED;
  return audits.some(Boolean) ? PolicyEnforcement.PARTLY_AUDITED : PolicyEnforcement.ENFORCED;
}

function workloadMessage(
  { key, namespace, kind, name, pods, coverages }: PolicedWorkload,
  policies: number[],
): MessageInitShape<typeof PolicyWorkloadSchema> {
  return {
    ...{ key, namespace, kind, name, pods, policies },
    ingress: weakest(coverages.map(({ ingress }) => ingress.protection)),
    egress: weakest(coverages.map(({ egress }) => egress.protection)),
  };
}

/** As the API server wrote it; undefined where it did not. */
function createdAt(manifest: unknown): Timestamp | undefined {
  const written = (manifest as { metadata?: { creationTimestamp?: unknown } } | undefined)?.metadata?.creationTimestamp;
  const ms = typeof written === 'string' ? Date.parse(written) : Number.NaN;
  return Number.isNaN(ms) ? undefined : timestamp(ms);
}

function timeOf(ms: number | undefined): Timestamp | undefined {
  return ms === undefined || ms === 0 ? undefined : timestamp(ms);
}

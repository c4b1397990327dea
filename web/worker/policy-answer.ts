import {
  type DefaultDeny,
  type ListPoliciesResponse,
  type Policy,
  PolicyEnforcement,
  PolicyProtection,
  PolicyService,
} from '#proto/gen/waggle/v1/policy_pb.ts';
import { callUnary } from './grpc-web-client.ts';
import { milliseconds } from './milliseconds.ts';
import {
  type DeniedByDefault,
  type PolicyEnforcement as EnforcementWord,
  type PolicyFacts,
  type PolicyReport,
  type Protection,
  policyKey,
} from './policy-report.ts';
import type { PolicyCounts } from './question.ts';

/** Throws CallError. */
export async function askPolicies(base: string): Promise<PolicyReport> {
  return policyReport(await callUnary(base, PolicyService.method.listPolicies));
}

/** Throws CallError. */
export async function askPolicyCounts(base: string): Promise<PolicyCounts> {
  const { cluster, namespaces } = await callUnary(base, PolicyService.method.countPolicies);
  return Object.fromEntries(
    namespaces.map(({ namespace, policies, ingress, egress }) => [
      `${cluster}/${namespace}`,
      { policies, ingress: PROTECTIONS[ingress] ?? 'open', egress: PROTECTIONS[egress] ?? 'open' },
    ]),
  );
}

const ENFORCEMENTS: Readonly<Record<number, EnforcementWord>> = {
  [PolicyEnforcement.AUDITED]: 'audited',
  [PolicyEnforcement.PARTLY_AUDITED]: 'partly audited',
  [PolicyEnforcement.CLOSED]: 'closed',
};

const PROTECTIONS: Readonly<Record<number, Protection>> = {
  [PolicyProtection.AUDITED]: 'audited',
  [PolicyProtection.PROTECTED]: 'protected',
};

function policyReport(response: ListPoliciesResponse): PolicyReport {
  const policies = response.policies.map(policyFacts);
  const workloads = response.workloads.map(({ key, namespace, kind, name, pods, ingress, egress, policies: by }) => ({
    ...{ key, namespace, kind, name, pods, policies: by },
    ingress: PROTECTIONS[ingress] ?? 'open',
    egress: PROTECTIONS[egress] ?? 'open',
  }));
  return {
    policies,
    workloads,
    reaches: response.reaches.flatMap((reach) => {
      const source = reach.sourceCard || workloads[reach.source]?.key;
      const destination = reach.destinationCard || workloads[reach.destination]?.key;
      const policy = policies[reach.policy]?.key;
      if (source === undefined || destination === undefined || policy === undefined) return [];
      const { protocol, firstPort, lastPort, audit, path, anybody, range } = reach;
      return [{ source, destination, protocol, firstPort, lastPort, audit, policy, path, anybody, range }];
    }),
    moreReaches: response.moreReaches,
    omittedPolicies: response.omittedPolicies,
    omittedWorkloads: response.omittedWorkloads,
    hitsSince: milliseconds(response.hitsSince),
    silentNodes: response.silentNodes.map(({ name, reason }) => ({ name, reason })),
    auditingNodes: response.auditingNodes,
    problems: response.problems,
    unavailable: response.unavailable,
  };
}

function policyFacts(policy: Policy): PolicyFacts {
  const { kind, namespace, name, closesIngress, closesEgress, workloads, problem } = policy;
  return {
    ...{ kind, namespace, name, closesIngress, closesEgress, workloads, problem },
    key: policyKey(kind, namespace, name),
    enforcement: ENFORCEMENTS[policy.enforcement] ?? 'enforced',
    created: milliseconds(policy.created),
    rules: policy.rules.map(({ path, ingress, deny, summary, hits, packets, last }) => ({
      ...{ path, ingress, deny, summary },
      hits: Number(hits),
      packets: Number(packets),
      last: milliseconds(last),
    })),
    ingressDenied: deniedByDefault(policy.ingressDefaultDeny),
    egressDenied: deniedByDefault(policy.egressDefaultDeny),
    findings: policy.findings.map(({ code, error, message, fix }) => ({ code, error, message, fix })),
  };
}

function deniedByDefault(deny: DefaultDeny | undefined): DeniedByDefault {
  return { packets: Number(deny?.packets ?? 0), last: milliseconds(deny?.last) };
}

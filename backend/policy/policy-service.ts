import { create } from '@bufbuild/protobuf';
import {
  type CountPoliciesResponse,
  CountPoliciesResponseSchema,
  type ListPoliciesResponse,
  ListPoliciesResponseSchema,
  type PolicyService,
} from '#proto/gen/waggle/v1/policy_pb.ts';
import type { Handlers } from '#runtime/grpc/service.ts';
import type { Visibility } from '../access/visibility.ts';
import { countPolicies } from './count-policies.ts';
import type { CollectedHits, HitCollector } from './hit-collector.ts';
import { listPolicies } from './list-policies.ts';
import type { PolicyPicture, PolicyPictures } from './policy-picture.ts';

export interface PolicyDependencies {
  /** Undefined where the backend knows no cluster's state. */
  readonly pictures: PolicyPictures | undefined;
  readonly hits: HitCollector;
  /** The cluster's name as its agents tell it; empty until one has. */
  readonly cluster: () => string;
  /** Who asks may not see everything. */
  readonly visibility?: Visibility;
  /** Why there is no cluster's state to be known. */
  readonly unavailable: string;
}

/** What pages ask about policies. */
export function policyHandlers(dependencies: PolicyDependencies): Handlers<typeof PolicyService> {
  const { pictures, hits, cluster, visibility, unavailable } = dependencies;
  // Who asks at the same time is told the same.
  let last: { picture: PolicyPicture; hits: CollectedHits; response: ListPoliciesResponse } | undefined;
  let counted: { picture: PolicyPicture; response: CountPoliciesResponse } | undefined;
  return {
    async listPolicies() {
      if (pictures === undefined) return create(ListPoliciesResponseSchema, { unavailable });
      const collected = await hits.collect();
      const picture = pictures.current(cluster() || 'default');
      if (last?.picture !== picture || last.hits !== collected) {
        const response = listPolicies(picture, collected);
        last = { picture, hits: collected, response: visibility === undefined ? response : withoutOthers(response) };
      }
      last.response.problems = pictures.problems();
      return last.response;
    },

    async countPolicies() {
      if (pictures === undefined) return create(CountPoliciesResponseSchema);
      const picture = pictures.current(cluster() || 'default');
      if (counted?.picture !== picture) counted = { picture, response: countPolicies(picture, cluster()) };
      return counted.response;
    },
  };
}

/**
 * Policies of one's own namespaces are told whole. Those of the whole cluster are named, because they decide; what they say
 * is mostly of others. Findings compare policies with all of the cluster, of which a part would give wrong ones.
 */
function withoutOthers(response: ListPoliciesResponse): ListPoliciesResponse {
  for (const policy of response.policies) {
    policy.findings = policy.findings.filter(({ code }) => !CLUSTER_FINDING.test(code));
    if (policy.namespace !== '') continue;
    policy.problem = '';
    policy.findings = [];
    for (const rule of policy.rules) rule.summary = 'a rule of the whole cluster, which you may not read';
  }
  return response;
}

const CLUSTER_FINDING = /^WP2/;

import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import type { MaySee } from './permissions.ts';

const DEADLINE_MS = 3_000;

/** What somebody must be allowed to do in a namespace to see its flows. */
export interface AccessRule {
  readonly verb: string;
  /** API group; empty for the core one. */
  readonly group: string;
  readonly resource: string;
}

export const DEFAULT_ACCESS_RULE: AccessRule = { verb: 'get', group: '', resource: 'pods' };

/** As `--access-rule` takes it: `get pods`, `list flows.waggle.dev`. */
export function ruleText({ verb, group, resource }: AccessRule): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`}`;
}

interface Review {
  readonly status?: { readonly allowed?: boolean; readonly denied?: boolean };
}

/** Asks the API server by SubjectAccessReview. Rejects with ApiError when it cannot be asked. */
export function accessReview(client: Pick<ApiClient, 'request'>, rule: AccessRule = DEFAULT_ACCESS_RULE): MaySee {
  return async ({ user, uid, groups, extra }, namespace, signal) => {
    const { status } = await client.request<Review>('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
      body: {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: { user, uid: uid || undefined, groups, extra, resourceAttributes: { ...rule, namespace } },
      },
      signal,
      timeoutMs: DEADLINE_MS,
    });
    return status?.allowed === true && status.denied !== true;
  };
}

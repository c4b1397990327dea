import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { daysLeft, RENEW_DAYS } from './certificates.ts';
import { getObject, type KubernetesObject, pathOf } from './kubernetes-object.ts';
import { findObstacles } from './obstacles.ts';
import { PodTroubles } from './pod-troubles.ts';

/** One workload of the installation. */
export interface PartStatus {
  readonly name: string;
  /** Pods there are to be, and how many of them are of the newest version, and ready. */
  readonly desired: number;
  readonly updated: number;
  readonly ready: number;
  /** What keeps pods from being ready, one line each, most frequent first. */
  readonly problems: readonly string[];
}

export interface Installation {
  readonly namespace: string;
  readonly parts: readonly PartStatus[];
  /** What is wrong besides. */
  readonly problems: readonly string[];
}

interface Workload extends KubernetesObject {
  readonly spec?: { readonly replicas?: number };
  readonly status?: Readonly<Record<string, number | undefined>>;
}

/** What is desired, what is ready, and why not more. Fails with ApiError. */
export async function readInstallation(client: ApiClient, namespace: string): Promise<Installation> {
  const agent = await getObject<Workload>(client, pathOf('DaemonSet', namespace, 'waggle-agent'));
  const backend = await getObject<Workload>(client, pathOf('Deployment', namespace, 'waggle-backend'));
  const troubles = await PodTroubles.read(client, namespace);
  const parts: PartStatus[] = [];
  if (agent !== undefined) {
    const { desiredNumberScheduled = 0, updatedNumberScheduled = 0, numberReady = 0 } = agent.status ?? {};
    parts.push({
      name: 'agent',
      desired: desiredNumberScheduled,
      updated: updatedNumberScheduled,
      ready: numberReady,
      problems: troubles.of('agent', desiredNumberScheduled),
    });
  }
  if (backend !== undefined) {
    const { updatedReplicas = 0, readyReplicas = 0 } = backend.status ?? {};
    const desired = backend.spec?.replicas ?? 1;
    parts.push({
      name: 'backend',
      desired,
      updated: updatedReplicas,
      ready: readyReplicas,
      problems: troubles.of('backend', desired),
    });
  }
  const problems: string[] = [];
  if (agent !== undefined) {
    problems.push(...(await certificateProblems(client, namespace)), ...(await findObstacles(client)));
  }
  return { namespace, parts, problems };
}

export function isHealthy({ parts, problems }: Installation): boolean {
  return (
    parts.length > 0 && problems.length === 0 && parts.every(({ desired, ready }) => desired > 0 && ready >= desired)
  );
}

async function certificateProblems(client: ApiClient, namespace: string): Promise<string[]> {
  const problems: string[] = [];
  for (const name of ['waggle-agent-tls', 'waggle-backend-tls']) {
    const left = daysLeft(await getObject(client, pathOf('Secret', namespace, name)));
    if (left === Number.NEGATIVE_INFINITY)
      problems.push(`secret ${name} is missing or has no certificate: pods wait for it`);
    else if (left < 0) problems.push(`the certificate of secret ${name} has ended: renew it (docs/install.md)`);
    else if (left < RENEW_DAYS)
      problems.push(`the certificate of secret ${name} ends in ${Math.floor(left)} days: renew it`);
  }
  return problems;
}

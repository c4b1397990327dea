import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { daysLeft, RENEW_DAYS } from './certificates.ts';
import { getObject, type KubernetesObject, pathOf } from './kubernetes-object.ts';
import { findObstacles } from './obstacles.ts';
import { WarningEvents } from './warning-events.ts';

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

interface PodObject {
  readonly metadata: {
    readonly name: string;
    readonly labels?: Record<string, string>;
    readonly deletionTimestamp?: string;
  };
  readonly spec: { readonly nodeName?: string };
  readonly status?: {
    readonly phase?: string;
    readonly conditions?: readonly { type: string; status: string; reason?: string; message?: string }[];
    readonly containerStatuses?: readonly ContainerState[];
    readonly initContainerStatuses?: readonly ContainerState[];
  };
}

interface ContainerState {
  readonly name: string;
  readonly ready: boolean;
  readonly restartCount: number;
  readonly state?: { readonly waiting?: Reason; readonly terminated?: Reason & { readonly exitCode: number } };
  readonly lastState?: { readonly terminated?: Reason & { readonly exitCode: number } };
}

interface Reason {
  readonly reason?: string;
  readonly message?: string;
}

/** What is desired, what is ready, and why not more. Fails with ApiError. */
export async function readInstallation(client: ApiClient, namespace: string): Promise<Installation> {
  const agent = await getObject<Workload>(client, pathOf('DaemonSet', namespace, 'waggle-agent'));
  const backend = await getObject<Workload>(client, pathOf('Deployment', namespace, 'waggle-backend'));
  const pods = await client.request<{ items: PodObject[] }>(
    'GET',
    `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`,
    {
      query: { labelSelector: 'app.kubernetes.io/name=waggle', limit: 5_000 },
    },
  );
  const events = await WarningEvents.read(client, namespace);
  const problemsOf = (component: string, desired: number) => {
    const own = pods.items.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === component);
    const lines = countedLines(own.flatMap((pod) => podProblem(pod, events) ?? []));
    // Pods that were never made say nothing.
    const missing = own.length < desired ? events.newest(isMakerOf(component), ['FailedCreate']) : undefined;
    return missing === undefined
      ? lines
      : [
          `${desired - own.length === 1 ? '1 pod is' : `${desired - own.length} pods are`} not made: ${missing}`,
          ...lines,
        ];
  };
  const parts: PartStatus[] = [];
  if (agent !== undefined) {
    const { desiredNumberScheduled = 0, updatedNumberScheduled = 0, numberReady = 0 } = agent.status ?? {};
    parts.push({
      name: 'agent',
      desired: desiredNumberScheduled,
      updated: updatedNumberScheduled,
      ready: numberReady,
      problems: problemsOf('agent', desiredNumberScheduled),
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
      problems: problemsOf('backend', desired),
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

/** Of a DaemonSet, or of a Deployment's ReplicaSets. */
function isMakerOf(component: string) {
  const name = `waggle-${component}`;
  return (object: { kind?: string; name?: string }): boolean =>
    (object.kind === 'DaemonSet' && object.name === name) ||
    (object.kind === 'ReplicaSet' && (object.name ?? '').startsWith(`${name}-`));
}

/** A pod that says no more than these waits for something that only events tell. */
const WAITING = ['ContainerCreating', 'PodInitializing'];
const WAITED_FOR = ['FailedMount', 'FailedAttachVolume', 'FailedCreatePodSandBox'];

/** Undefined where the pod is ready. */
function podProblem(
  { metadata, spec, status }: PodObject,
  events: WarningEvents,
): { text: string; where: string } | undefined {
  const where = spec.nodeName ?? metadata.name;
  const condition = (type: string) => status?.conditions?.find((candidate) => candidate.type === type);
  if (metadata.deletionTimestamp !== undefined || condition('Ready')?.status === 'True') return undefined;
  const scheduled = condition('PodScheduled');
  if (scheduled?.status === 'False') return { text: `not scheduled: ${scheduled.message ?? scheduled.reason}`, where };
  for (const { name, ready, restartCount, state, lastState } of [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]) {
    if (ready) continue;
    const ended = state?.terminated ?? lastState?.terminated;
    const how =
      ended === undefined ? '' : `, ended with ${ended.exitCode}${ended.message ? `: ${lastLine(ended.message)}` : ''}`;
    if (state?.waiting !== undefined) {
      const { reason = 'waiting', message } = state.waiting;
      const awaited = WAITING.includes(reason)
        ? events.newest(({ kind, name: about }) => kind === 'Pod' && about === metadata.name, WAITED_FOR)
        : undefined;
      if (awaited !== undefined) return { text: `${name}: ${reason}, ${awaited}`, where };
      return { text: `${name}: ${reason}${how || (message ? `: ${lastLine(message)}` : '')}`, where };
    }
    if (ended !== undefined && ended.exitCode !== 0) return { text: `${name}${how}, ${restartCount} restarts`, where };
  }
  const unready = condition('ContainersReady') ?? condition('Ready');
  return { text: `not ready: ${unready?.message ?? unready?.reason ?? status?.phase ?? 'no status'}`, where };
}

/** `3× agent: ImagePullBackOff (node-1, node-2, …)` */
function countedLines(problems: readonly { text: string; where: string }[]): string[] {
  const places = new Map<string, string[]>();
  for (const { text, where } of problems) places.set(text, [...(places.get(text) ?? []), where]);
  return [...places]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([text, where]) => {
      const named = `${where.slice(0, 3).join(', ')}${where.length > 3 ? ', …' : ''}`;
      return `${where.length > 1 ? `${where.length}× ` : ''}${text} (${named})`;
    });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)!.slice(0, 300);
}

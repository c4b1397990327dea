import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { WarningEvents } from './warning-events.ts';

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

/** What keeps Waggle's pods in a namespace from being ready. */
export class PodTroubles {
  readonly #pods: readonly PodObject[];
  readonly #events: WarningEvents;

  private constructor(pods: readonly PodObject[], events: WarningEvents) {
    this.#pods = pods;
    this.#events = events;
  }

  /** As of now. Fails with ApiError. */
  static async read(client: ApiClient, namespace: string): Promise<PodTroubles> {
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
    const query = { labelSelector: 'app.kubernetes.io/name=waggle', limit: 5_000 };
    const { items } = await client.request<{ items: PodObject[] }>('GET', path, { query });
    return new PodTroubles(items, await WarningEvents.read(client, namespace));
  }

  /**
   * One line each, most frequent first: `3× agent: ImagePullBackOff (node-1, node-2, …)`.
   * @param desired how many pods of the component there are to be
   */
  of(component: string, desired: number): string[] {
    const own = this.#pods.filter(({ metadata }) => metadata.labels?.['app.kubernetes.io/component'] === component);
    const lines = countedLines(own.flatMap((pod) => podProblem(pod, this.#events) ?? []));
    // Pods that were never made say nothing.
    const missing = own.length < desired ? this.#events.newest(isMakerOf(component), ['FailedCreate']) : undefined;
    if (missing === undefined) return lines;
    const few = desired - own.length;
    return [`${few === 1 ? '1 pod is' : `${few} pods are`} not made: ${missing}`, ...lines];
  }
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

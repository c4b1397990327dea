import { textTable } from '#core/observe/text-table.ts';
import { kindNamed } from './manifest/kinds.ts';
import type {
  DaemonSet,
  Deployment,
  EndpointSlice,
  Job,
  KubeObject,
  Namespace,
  Node,
  Pod,
  ReplicaSet,
  Service,
} from './store/objects.ts';

interface Column {
  title: string;
  /** Shown with `-o wide` only. */
  wide?: boolean;
  cell(object: KubeObject): string;
}

function column<T extends KubeObject>(title: string, cell: (object: T) => string | number, wide = false): Column {
  return { title, wide, cell: (object) => String(cell(object as T)) };
}

const NAME = column('NAME', ({ metadata }) => metadata.name);

/** What `get` shows of each kind, between the name and the age, as kubectl does. */
const COLUMNS: Record<string, Column[]> = {
  Node: [
    column<Node>('STATUS', ({ status }) => (status.conditions.some(isReady) ? 'Ready' : 'NotReady')),
    column<Node>('INTERNAL-IP', ({ status }) => internalAddresses(status.addresses)[0] ?? '<none>'),
    column<Node>('POD-CIDR', ({ spec }) => spec.podCIDRs.join(','), true),
    column<Node>('INTERNAL-IPV6', ({ status }) => internalAddresses(status.addresses)[1] ?? '<none>', true),
  ],
  Namespace: [column<Namespace>('STATUS', ({ status }) => status.phase)],
  Pod: [
    column<Pod>('READY', ({ status, spec }) => {
      const ready = status.containerStatuses?.filter((container) => container.ready).length ?? 0;
      return `${ready}/${spec.containers.length}`;
    }),
    column<Pod>('STATUS', podStatusText),
    column<Pod>('RESTARTS', ({ status }) =>
      (status.containerStatuses ?? []).reduce((sum, container) => sum + container.restartCount, 0),
    ),
    column<Pod>('IP', ({ status }) => status.podIPs?.map(({ ip }) => ip).join() ?? '<none>', true),
    column<Pod>('NODE', ({ spec }) => spec.nodeName ?? '<none>', true),
  ],
  ReplicaSet: [
    column<ReplicaSet>('DESIRED', ({ spec }) => spec.replicas),
    column<ReplicaSet>('CURRENT', ({ status }) => status.replicas),
    column<ReplicaSet>('READY', ({ status }) => status.readyReplicas),
  ],
  Deployment: [
    column<Deployment>('READY', ({ spec, status }) => `${status.readyReplicas}/${spec.replicas}`),
    column<Deployment>('UP-TO-DATE', ({ status }) => status.updatedReplicas),
    column<Deployment>('AVAILABLE', ({ status }) => status.availableReplicas),
  ],
  DaemonSet: [
    column<DaemonSet>('DESIRED', ({ status }) => status?.desiredNumberScheduled ?? 0),
    column<DaemonSet>('CURRENT', ({ status }) => status?.currentNumberScheduled ?? 0),
    column<DaemonSet>('READY', ({ status }) => status?.numberReady ?? 0),
  ],
  Job: [
    column<Job>('STATUS', ({ status }) => status.conditions?.[0]?.type ?? 'Running'),
    column<Job>('COMPLETIONS', ({ spec, status }) => `${status.succeeded}/${spec.completions ?? 1}`),
  ],
  Service: [
    column<Service>('TYPE', ({ spec }) => spec.type ?? 'ClusterIP'),
    column<Service>('CLUSTER-IP', ({ spec }) => spec.clusterIPs?.join() ?? spec.externalName ?? '<none>'),
    column<Service>('PORT(S)', ({ spec }) =>
      (spec.ports ?? []).map(({ port, protocol = 'TCP' }) => `${port}/${protocol}`).join(),
    ),
    column<Service>('SELECTOR', ({ spec }) => labelText(spec.selector), true),
  ],
  EndpointSlice: [
    column<EndpointSlice>('ADDRESSTYPE', ({ addressType }) => addressType),
    column<EndpointSlice>('PORTS', ({ ports }) => ports.map(({ port }) => port).join() || '<unset>'),
    column<EndpointSlice>('ENDPOINTS', ({ endpoints }) => endpoints.flatMap((e) => e.addresses).join() || '<unset>'),
  ],
};

export interface TableOptions {
  wide: boolean;
  /** Whether to begin with the namespace. */
  namespaces: boolean;
}

/** Objects of one kind as kubectl's table. */
export function objectTable(kind: string, objects: KubeObject[], { wide, namespaces }: TableOptions): string {
  const columns = [
    ...(namespaces && kindNamed(kind).namespaced
      ? [column('NAMESPACE', ({ metadata }) => metadata.namespace ?? '')]
      : []),
    NAME,
    ...(COLUMNS[kind] ?? []).filter((candidate) => wide || !candidate.wide),
    column('AGE', ({ metadata }) => ageText(Date.now() - Date.parse(metadata.creationTimestamp))),
    ...(wide ? [column('LABELS', ({ metadata }) => labelText(metadata.labels))] : []),
  ];
  return textTable([
    columns.map(({ title }) => title),
    ...objects.map((object) => columns.map(({ cell }) => cell(object))),
  ]);
}

/** One word for a pod's state, as kubectl finds it; what a pod that is not there yet waits for in parentheses. */
export function podStatusText({ metadata, status }: Pod): string {
  if (metadata.deletionTimestamp) return 'Terminating';
  for (const { state } of status.containerStatuses ?? []) {
    if (state.waiting) {
      const { reason, message } = state.waiting;
      return reason === 'ContainerCreating' && message ? `${reason} (${message})` : reason;
    }
  }
  const ended = (status.containerStatuses ?? []).flatMap(({ state }) => (state.terminated ? [state.terminated] : []));
  const failed = ended.find(({ exitCode }) => exitCode !== 0);
  if (failed) return failed.reason;
  if (ended[0] && ended.length === status.containerStatuses?.length) return ended[0].reason;
  const problem = status.conditions?.find((condition) => condition.status === 'False' && condition.message);
  return problem ? `${status.phase} (${problem.message})` : status.phase;
}

/** A time span as kubectl shows it: 5s, 3m7s, 12m, 5h3m, 4d. */
export function ageText(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  const and = (rest: number, unit: string): string => (rest > 0 ? `${rest}${unit}` : '');
  if (seconds < 120) return `${seconds}s`;
  if (minutes < 10) return `${minutes}m${and(seconds % 60, 's')}`;
  if (minutes < 180) return `${minutes}m`;
  if (hours < 8) return `${hours}h${and(minutes % 60, 'm')}`;
  return hours < 48 ? `${hours}h` : `${days}d`;
}

function isReady({ type, status }: { type: string; status: string }): boolean {
  return type === 'Ready' && status === 'True';
}

function internalAddresses(addresses: Node['status']['addresses']): string[] {
  return addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
}

function labelText(labels: Record<string, string> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.join() || '<none>';
}

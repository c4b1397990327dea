import type { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { Handlers } from '#runtime/grpc/service.ts';
import type { Datapath } from '../loader/datapath.ts';
import { LoaderError } from '../loader/loader-error.ts';
import type { NodePod } from '../sync/node-sync.ts';
import { ClientNamespaces } from './client-namespaces.ts';
import { HealthChecks } from './health-checks.ts';
import { type LoadBalancerOptions, loadBalancerHandlers } from './load-balancer-service.ts';
import { NodeUplink } from './node-uplink.ts';
import { ServiceSync } from './service-sync.ts';
import { StaleDatagrams } from './stale-datagrams.ts';
import { UntranslatedSocketFinder } from './untranslated-sockets.ts';

export interface NodeServicesOptions {
  readonly source: ClusterSource;
  readonly datapath: Datapath;
  readonly node: string;
  /** The cgroup whose sockets reach Services. */
  readonly cgroup: string;
  readonly procRoot?: string;
}

/** Load-balancing on this node: the maps follow the cluster's state, the programs are on the node's cgroup. */
export class NodeServices {
  readonly sync: ServiceSync;
  readonly #stale: StaleDatagrams;
  readonly #clients: ClientNamespaces;
  readonly #uplink: NodeUplink;
  readonly #healthChecks: HealthChecks;
  readonly #place: Pick<LoadBalancerOptions, 'node' | 'source' | 'maps' | 'external' | 'untranslated'>;
  #attachProblem = '';

  /** Maps first: what connects as soon as the programs are there finds everything known. */
  constructor({ source, datapath, node, cgroup, procRoot }: NodeServicesOptions) {
    const maps = datapath.maps.services;
    const frontends = () => [...this.sync.placed()].map(({ frontend }) => frontend);
    const untranslated = new UntranslatedSocketFinder(frontends, cgroup, procRoot);
    this.#place = { node, source, maps, external: datapath.maps.external, untranslated };
    this.#stale = new StaleDatagrams(maps, procRoot);
    this.#clients = new ClientNamespaces(maps.clientNamespaces);
    this.sync = new ServiceSync({
      source,
      maps,
      external: datapath.maps.external,
      node,
      onGone: (backends) => this.#stale.gone(backends),
      onExternal: () => this.#uplink.settle(),
    });
    this.#uplink = new NodeUplink({ source, datapath, node, wanted: () => this.sync.external > 0 });
    this.#healthChecks = new HealthChecks(source, node, this.sync);
    try {
      datapath.attachServices(cgroup);
    } catch (error) {
      if (!(error instanceof LoaderError)) throw error;
      this.#attachProblem = `${error.message}: --cgroup-root has to be a directory of cgroup v2`;
      this.sync.withdrawRanges();
    }
  }

  /** Why sockets of this node do not reach Services at all; empty when they do. */
  get attachProblem(): string {
    return this.#attachProblem;
  }

  /** What is degraded, in one line; empty when all is well. */
  get problem(): string {
    return this.#attachProblem || this.#uplink.problem || this.#healthChecks.problem || (this.sync.problems[0] ?? '');
  }

  /** What this node's load-balancing holds and would do, over gRPC. */
  handlers(opened: LoadBalancerOptions['opened']): Handlers<typeof LoadBalancerService> {
    return loadBalancerHandlers({ ...this.#place, sync: this.sync, opened });
  }

  /** To be told after each look for the node's pods. */
  followPods(pods: Iterable<NodePod>): void {
    const wanted = new Map<bigint, number>();
    for (const { endpoint } of pods) {
      const cookie = endpoint?.interface.namespaceCookie;
      if (endpoint !== undefined && cookie !== undefined) wanted.set(cookie, endpoint.interface.index);
    }
    this.#clients.apply(wanted);
  }

  /** To be called every second. */
  settle(): void {
    this.sync.settle();
    this.#stale.settle();
    this.#uplink.settle();
    this.#healthChecks.settle();
  }

  stop(): void {
    this.sync.stop();
    this.#healthChecks.stop();
  }
}

import { create } from '@bufbuild/protobuf';
import {
  type ListServicesResponse,
  ListServicesResponseSchema,
  LoadBalancerService,
  type ServiceFrontend,
  type ServiceStatus,
} from '#proto/gen/waggle/v1/service_pb.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { Code, type Handlers, StatusError } from '#runtime/grpc/service.ts';
import type { Visibility } from '../access/visibility.ts';
import { AgentClients } from '../relay/agent-clients.ts';
import type { PeerTarget } from '../relay/peer-target.ts';

/** An answer is good for this long: many pages ask, agents are asked once. */
const FRESH_MS = 1_000;
/** Answers that are held at a time: that of all Services, and of single ones. */
const MOST_ANSWERS = 64;
const DEADLINE_MS = 3_000;
/** Services one answer tells of. */
const MOST_SERVICES = 2_000;

/** Asks the agents of all nodes what their load-balancing holds, and puts it together. */
export class ServiceCollector {
  readonly #agents = new AgentClients(LoadBalancerService);
  /** By `namespace/name`, the oldest first; all Services are at `/`. */
  readonly #answers = new Map<string, { readonly atMs: number; readonly response: Promise<ListServicesResponse> }>();

  /** These agents and no others. */
  follow(targets: readonly PeerTarget[]): void {
    this.#agents.follow(targets);
  }

  close(): void {
    this.follow([]);
    this.#answers.clear();
  }

  /**
   * @param source finds the node of a pod; undefined where the backend knows no cluster's state
   * @param visibility of who asks; undefined for everything
   */
  handlers(source: ClusterSource | undefined, visibility?: Visibility): Handlers<typeof LoadBalancerService> {
    const everything = this.#handlers(source);
    return visibility === undefined ? everything : onlyVisible(everything, visibility);
  }

  #handlers(source: ClusterSource | undefined): Handlers<typeof LoadBalancerService> {
    return {
      listServices: async ({ namespace, name }) => {
        // One by its name is asked for itself: it may be beyond what all together tell.
        if (name !== '') return await this.#fresh({ namespace, name });
        const { services, ...all } = await this.#fresh({ namespace: '', name: '' });
        const wanted = services.filter((service) => !namespace || service.namespace === namespace);
        return { ...all, services: wanted };
      },
      traceService: async (request) => {
        const { clientNamespace, clientPod } = request;
        const node = clientPod === '' ? request.node : nodeOf(source, clientNamespace, clientPod);
        const asked = this.#agents.of(node);
        if (asked === undefined) {
          throw new StatusError(Code.NOT_FOUND, node === '' ? 'no node is known' : `there is no node "${node}"`);
        }
        return await asked.traceService(request, { deadlineMs: DEADLINE_MS });
      },
    };
  }

  #fresh(request: { readonly namespace: string; readonly name: string }): Promise<ListServicesResponse> {
    const now = performance.now();
    const key = `${request.namespace}/${request.name}`;
    const known = this.#answers.get(key);
    if (known !== undefined && now - known.atMs <= FRESH_MS) return known.response;
    const response = this.#ask(request);
    this.#answers.delete(key);
    this.#answers.set(key, { atMs: now, response });
    for (const [oldest, { atMs }] of this.#answers) {
      if (this.#answers.size <= MOST_ANSWERS && now - atMs <= FRESH_MS) break;
      this.#answers.delete(oldest);
    }
    return response;
  }

  async #ask(request: { readonly namespace: string; readonly name: string }): Promise<ListServicesResponse> {
    const together = create(ListServicesResponseSchema);
    const services = new Map<string, ServiceStatus>();
    const silent = await this.#agents.askAll(
      (client) => client.listServices(request, { deadlineMs: DEADLINE_MS }),
      (answer) => {
        for (const service of answer.services) addService(services, service);
        for (const problem of answer.problems)
          if (!together.problems.includes(problem)) together.problems.push(problem);
        together.kubeProxy.push(...answer.kubeProxy);
        together.untranslated.push(...answer.untranslated);
        together.untranslatedTotal += answer.untranslatedTotal;
      },
    );
    together.silentNodes = silent.map(({ name, reason }) => `${name}: ${reason}`);
    together.services = [...services].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, service]) => service);
    const omitted = together.services.length - MOST_SERVICES;
    if (omitted > 0) {
      together.services.length = MOST_SERVICES;
      together.problems.push(`${omitted} more Services are not listed`);
    }
    return together;
  }
}

/** Services of the namespaces that may be seen, and nothing that could name others. */
function onlyVisible(
  { listServices, traceService }: Handlers<typeof LoadBalancerService>,
  { namespaces }: Visibility,
): Handlers<typeof LoadBalancerService> {
  return {
    async listServices(request, context) {
      const { services, silentNodes, unavailable } = await listServices(request, context);
      const visible = services.filter(({ namespace }) => namespaces.has(namespace));
      return create(ListServicesResponseSchema, { services: visible, silentNodes, unavailable });
    },
    async traceService(request, context) {
      // A process of a node is asked for by those who may see all of it.
      if (!namespaces.has(request.clientNamespace) || request.clientPod === '') {
        throw new StatusError(Code.PERMISSION_DENIED, 'you may trace connections of pods in your namespaces');
      }
      const response = await traceService(request, context);
      if (namespaces.has(response.namespace)) return response;
      if (response.namespace === '' && isOwnAddress(response.steps, namespaces)) return response;
      // Whether there is none or a hidden one is not told.
      throw new StatusError(
        Code.PERMISSION_DENIED,
        `no Service that you may see has the address ${request.address}, port ${request.port}`,
      );
    },
  };
}

/** Whether an address that has not this port is said to be of a Service that may be seen. */
function isOwnAddress(steps: readonly string[], namespaces: ReadonlySet<string>): boolean {
  const named = steps.flatMap((step) => [...step.matchAll(/\bService ([a-z0-9-]+)\//g)]);
  return named.length > 0 && named.every(([, name]) => namespaces.has(name!));
}

function addService(services: Map<string, ServiceStatus>, service: ServiceStatus): void {
  const key = `${service.namespace}/${service.name}`;
  const known = services.get(key);
  if (known === undefined) {
    services.set(key, service);
    return;
  }
  for (const frontend of service.frontends) {
    const same = known.frontends.find(
      ({ address, port, protocol }) =>
        address === frontend.address && port === frontend.port && protocol === frontend.protocol,
    );
    if (same === undefined) known.frontends.push(frontend);
    else addBackends(same, frontend);
  }
}

/** With internalTrafficPolicy Local or hints each node has backends of its own. */
function addBackends(known: ServiceFrontend, more: ServiceFrontend): void {
  for (const backend of more.backends) {
    const same = known.backends.find(({ address, port }) => address === backend.address && port === backend.port);
    if (same === undefined) known.backends.push(backend);
    else {
      same.connections += backend.connections;
      same.opened += backend.opened;
    }
  }
}

function nodeOf(source: ClusterSource | undefined, namespace: string, pod: string): string {
  if (source === undefined) {
    throw new StatusError(Code.FAILED_PRECONDITION, 'this backend does not see the state of a cluster: name a node');
  }
  const found = source.get('Pod', namespace, pod);
  if (found === undefined) throw new StatusError(Code.NOT_FOUND, `there is no pod "${namespace}/${pod}"`);
  if (found.spec.nodeName === '') throw new StatusError(Code.NOT_FOUND, `pod "${namespace}/${pod}" is on no node yet`);
  return found.spec.nodeName;
}

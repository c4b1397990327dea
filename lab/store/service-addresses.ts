import { type LabSubnets, MAX_SERVICES, serviceAddress } from '../network/subnets.ts';
import type { ObjectStore } from './object-store.ts';
import type { Service } from './objects.ts';

/** Kubernetes' default range of node ports. */
const NODE_PORTS = { first: 30_000, last: 32_767 };

/** Hands out addresses of the Service range. What is taken is read from the store, so nothing can leak. */
export class ServiceAddresses {
  readonly #subnets: LabSubnets;
  readonly #store: ObjectStore;
  #next: number;

  /** @param first where it begins: an API server keeps the first address of the range for itself */
  constructor(subnets: LabSubnets, store: ObjectStore, first = 0) {
    this.#next = first;
    this.#subnets = subnets;
    this.#store = store;
  }

  /** Completes a Service's addresses as the API server would; `existing` keeps what it has. Throws when none is left. */
  assign(asked: Service['spec'], existing: Service | undefined): Service['spec'] {
    const spec = this.#withNodePorts(asked, existing);
    const { type = 'ClusterIP', clusterIP } = spec;
    if (type === 'ExternalName') return { ...spec, type };
    const dual = spec.ipFamilyPolicy === 'PreferDualStack' || spec.ipFamilyPolicy === 'RequireDualStack';
    const ipFamilies = spec.ipFamilies ?? (dual ? ['IPv4', 'IPv6'] : [clusterIP?.includes(':') ? 'IPv6' : 'IPv4']);
    const ipFamilyPolicy = spec.ipFamilyPolicy ?? 'SingleStack';
    const families = { type, ipFamilies, ipFamilyPolicy };
    if (clusterIP === 'None') return { ...spec, ...families, clusterIPs: ['None'] };
    const kept = existing?.spec;
    if (
      kept?.clusterIPs &&
      (!clusterIP || clusterIP === kept.clusterIP) &&
      kept.ipFamilies?.join() === ipFamilies.join()
    ) {
      return { ...spec, ...families, clusterIP: kept.clusterIP, clusterIPs: kept.clusterIPs };
    }
    const slot = this.#freeSlot();
    const clusterIPs = ipFamilies.map((family) => serviceAddress(this.#subnets, slot)[family === 'IPv6' ? 'v6' : 'v4']);
    if (clusterIP) clusterIPs[0] = clusterIP;
    return { ...spec, ...families, clusterIP: clusterIPs[0], clusterIPs };
  }

  #withNodePorts(spec: Service['spec'], existing: Service | undefined): Service['spec'] {
    if (spec.type !== 'NodePort' && spec.type !== 'LoadBalancer') return spec;
    const others = this.#store
      .list<Service>('Service')
      .filter(({ metadata }) => metadata.uid !== existing?.metadata.uid);
    const taken = new Set(
      others.flatMap(({ spec: { ports = [], healthCheckNodePort } }) => [
        healthCheckNodePort,
        ...ports.map(({ nodePort }) => nodePort),
      ]),
    );
    const ports = (spec.ports ?? []).map((port, index) => {
      let nodePort = port.nodePort ?? existing?.spec.ports?.[index]?.nodePort;
      if (nodePort === undefined) {
        nodePort = NODE_PORTS.first;
        while (taken.has(nodePort) && nodePort < NODE_PORTS.last) nodePort++;
        if (taken.has(nodePort)) throw new Error('all node ports are taken');
      }
      taken.add(nodePort);
      return { ...port, nodePort };
    });
    return this.#withHealthCheck({ ...spec, ports }, existing, taken);
  }

  /** Where a load-balancer asks nodes whether they have a backend of their own. */
  #withHealthCheck(
    spec: Service['spec'],
    existing: Service | undefined,
    taken: Set<number | undefined>,
  ): Service['spec'] {
    if (spec.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local') return spec;
    let healthCheckNodePort = spec.healthCheckNodePort ?? existing?.spec.healthCheckNodePort;
    if (healthCheckNodePort === undefined) {
      healthCheckNodePort = NODE_PORTS.last;
      while (taken.has(healthCheckNodePort) && healthCheckNodePort > NODE_PORTS.first) healthCheckNodePort--;
    }
    return { ...spec, healthCheckNodePort };
  }

  #freeSlot(): number {
    const taken = new Set(this.#store.list<Service>('Service').flatMap(({ spec }) => spec.clusterIPs ?? []));
    for (let tried = 0; tried < MAX_SERVICES; tried++) {
      const slot = this.#next;
      this.#next = (this.#next + 1) % MAX_SERVICES;
      const { v4, v6 } = serviceAddress(this.#subnets, slot);
      if (!taken.has(v4) && !taken.has(v6)) return slot;
    }
    throw new Error(`the lab's ${MAX_SERVICES} Service addresses are all taken`);
  }
}

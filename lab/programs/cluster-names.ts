import type { EndpointSlice, Service } from '#runtime/cluster/objects.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';

export interface NamedEndpoint {
  /** The first label of the endpoint's own name: its host name, or its address with dashes. */
  host: string;
  address: string;
  ready: boolean;
  ports: EndpointSlice['ports'];
}

export interface NamedService {
  name: string;
  namespace: string;
  endpoints: NamedEndpoint[];
  /** What its name stands for; empty = its endpoints, as it is headless or nobody balances. */
  addresses: string[];
  ports: Service['spec']['ports'];
  /** The name it is another one for; empty unless it is of type ExternalName. */
  externalName: string;
}

/** A Service without ready pods is named after so long, and one with them after so short a time, as agents hear of them, too. */
const NEW_MS = 10_000;
const SERVED_MS = 1_000;

/** What cluster DNS knows: Services and their endpoints by name, and names by address. Built anew after a change. */
export class ClusterNames {
  readonly #source: ClusterSource;
  readonly #now: () => number;
  /** Services that came while we were looking, by `name.namespace`: from when on they are named. */
  readonly #namedFrom = new Map<string, { atMs: number; served: boolean }>();
  #services: Map<string, NamedService> | undefined;
  #byAddress = new Map<string, string>();

  constructor(source: ClusterSource, now: () => number = () => performance.now()) {
    this.#source = source;
    this.#now = now;
    source.onChange(({ kind, old, new: object }) => {
      if (kind === 'Service') this.#follow((object ?? old)!.metadata, old === undefined, object === undefined);
      if (kind === 'Service' || kind === 'ServiceCIDR' || kind === 'EndpointSlice') this.#services = undefined;
    });
  }

  service(namespace: string, name: string): NamedService | undefined {
    return this.#built().get(`${name}.${namespace}`);
  }

  /**
   * Whether a Service is too new to be named by its address. Programs of a scenario start together with what they call: a
   * Service without a ready pod yet would refuse them, and their start would be told as a failure.
   */
  isTooNew({ name, namespace, endpoints }: NamedService): boolean {
    const from = this.#namedFrom.get(`${name}.${namespace}`);
    if (from === undefined) return false;
    if (!from.served && endpoints.some(({ ready }) => ready)) {
      from.served = true;
      from.atMs = Math.min(from.atMs, this.#now() + SERVED_MS);
    }
    return this.#now() < from.atMs;
  }

  #follow({ name, namespace }: { name: string; namespace: string }, isNew: boolean, isGone: boolean): void {
    const key = `${name}.${namespace}`;
    if (isGone) this.#namedFrom.delete(key);
    else if (isNew) this.#namedFrom.set(key, { atMs: this.#now() + NEW_MS, served: false });
  }

  hasNamespace(namespace: string): boolean {
    return this.#source.get('Namespace', '', namespace) !== undefined;
  }

  hasPodAddress(namespace: string, address: string): boolean {
    return this.#source
      .list('Pod')
      .some((pod) => pod.metadata.namespace === namespace && pod.status.podIPs.some(({ ip }) => ip === address));
  }

  /** The name below "svc" that an address belongs to. */
  nameOf(address: string): string | undefined {
    this.#built();
    return this.#byAddress.get(address);
  }

  #built(): Map<string, NamedService> {
    this.#services ??= this.#build();
    return this.#services;
  }

  #build(): Map<string, NamedService> {
    const services = new Map<string, NamedService>();
    this.#byAddress = new Map();
    const balanced = this.#source.list('ServiceCIDR').length > 0;
    for (const { metadata, spec } of this.#source.list('Service')) {
      const { name, namespace } = metadata;
      const addresses = balanced ? clusterAddresses(spec) : [];
      const { ports, externalName } = spec;
      services.set(`${name}.${namespace}`, { name, namespace, endpoints: [], addresses, ports, externalName });
      for (const address of clusterAddresses(spec)) this.#byAddress.set(address, `${name}.${namespace}`);
    }
    for (const slice of this.#source.list('EndpointSlice')) {
      const { namespace, labels } = slice.metadata;
      const service = services.get(`${labels['kubernetes.io/service-name']}.${namespace}`);
      if (!service) continue;
      for (const endpoint of slice.endpoints) {
        for (const address of endpoint.addresses) {
          const host = endpoint.hostname || dashed(address);
          service.endpoints.push({ host, address, ready: endpoint.ready, ports: slice.ports });
          this.#byAddress.set(address, `${host}.${service.name}.${namespace}`);
        }
      }
    }
    return services;
  }
}

function clusterAddresses(spec: Service['spec']): string[] {
  return spec.clusterIPs.filter((address) => address !== 'None' && address !== '');
}

/** An address as one label of a name. */
export function dashed(address: string): string {
  return address.replace(/[.:]/g, '-');
}

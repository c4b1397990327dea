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

/** What cluster DNS knows: Services and their endpoints by name, and names by address. Built anew after a change. */
export class ClusterNames {
  readonly #source: ClusterSource;
  #services: Map<string, NamedService> | undefined;
  #byAddress = new Map<string, string>();

  constructor(source: ClusterSource) {
    this.#source = source;
    source.onChange(({ kind }) => {
      if (kind === 'Service' || kind === 'ServiceCIDR' || kind === 'EndpointSlice') this.#services = undefined;
    });
  }

  service(namespace: string, name: string): NamedService | undefined {
    return this.#built().get(`${name}.${namespace}`);
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

import type { LabelSet } from '#core/identity/label-set.ts';
import type { PolicyCluster, PolicyService } from '#core/policy/cluster.ts';
import { asksForAudit } from '#core/policy/enforcement.ts';
import type { EndpointSlice, Namespace, Service } from './objects.ts';
import type { ClusterSource } from './source.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** What of the cluster the policy engine looks at. The same object as long as nothing of that has changed. */
export class PolicyClusterView {
  readonly #name: string;
  readonly #audit: boolean;
  #namespaces: Namespace[] = [];
  #services: Service[] = [];
  #slices: EndpointSlice[] = [];
  #cluster: PolicyCluster;

  /** @param audit the global switch: enforce nowhere */
  constructor(name: string, audit: boolean) {
    this.#name = name;
    this.#audit = audit;
    this.#cluster = this.#build(new Map());
  }

  /** @param identities of every pod of the cluster */
  read(source: Pick<ClusterSource, 'list'>, identities: ReadonlyMap<number, LabelSet>): PolicyCluster {
    const namespaces = source.list('Namespace');
    const services = source.list('Service');
    const slices = source.list('EndpointSlice');
    if (
      sameItems(this.#namespaces, namespaces) &&
      sameItems(this.#services, services) &&
      sameItems(this.#slices, slices) &&
      sameIdentities(this.#cluster.identities, identities)
    ) {
      return this.#cluster;
    }
    this.#namespaces = namespaces;
    this.#services = services;
    this.#slices = slices;
    this.#cluster = this.#build(identities);
    return this.#cluster;
  }

  #build(identities: ReadonlyMap<number, LabelSet>): PolicyCluster {
    return {
      name: this.#name,
      identities,
      services: this.#services.map((service) => policyService(service, this.#slices)),
      auditedNamespaces: new Set(
        this.#namespaces
          .filter(({ metadata }) => asksForAudit(metadata.annotations))
          .map(({ metadata }) => metadata.name),
      ),
      audit: this.#audit,
    };
  }
}

function policyService({ metadata, spec }: Service, slices: readonly EndpointSlice[]): PolicyService {
  const { namespace, name, labels } = metadata;
  const selects = Object.keys(spec.selector).length > 0;
  const own = slices.filter(
    (slice) => slice.metadata.namespace === namespace && slice.metadata.labels[SERVICE_NAME_LABEL] === name,
  );
  const addresses = selects ? [] : own.flatMap((slice) => slice.endpoints.flatMap((endpoint) => endpoint.addresses));
  return { namespace, name, labels, selector: spec.selector, addresses };
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index]);
}

/** An identity's number follows from its label set, so equal numbers are equal sets but for collisions. */
function sameIdentities(a: ReadonlyMap<number, LabelSet>, b: ReadonlyMap<number, LabelSet>): boolean {
  if (a.size !== b.size) return false;
  for (const [number, set] of b) if (a.get(number) !== set) return false;
  return true;
}

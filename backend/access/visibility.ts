import { type Endpoint, NO_ENDPOINT } from '#core/flow/endpoint.ts';
import type { DnsRecord, HttpRecord, Layer7 } from '#core/flow/layer7.ts';
import { NO_DECISION, type PolicyDecision, type PolicyReference } from '#core/flow/policy-decision.ts';
import { isReserved } from '#core/identity/reserved.ts';

/** What is left of an end that may not be seen: its namespace, or that there is one. */
export type HiddenEnd = 'namespace' | 'hidden';

/** How a workload is called of which nothing else may be said. */
const HIDDEN_WORKLOAD = { kind: 'Hidden', name: 'hidden' } as const;

export function isHiddenEnd({ workloadKind }: Endpoint): boolean {
  return workloadKind === HIDDEN_WORKLOAD.kind;
}

/** What somebody may see: the namespaces of one cluster, as their API server answered. */
export class Visibility {
  readonly namespaces: ReadonlySet<string>;
  readonly #cluster: () => string;
  readonly #hiddenEnd: HiddenEnd;

  /** @param cluster whose namespaces these are; empty while nobody knows. Namespaces of others are not visible, whatever their name */
  constructor(namespaces: Iterable<string>, cluster: () => string, hiddenEnd: HiddenEnd = 'namespace') {
    this.namespaces = new Set(namespaces);
    this.#cluster = cluster;
    this.#hiddenEnd = hiddenEnd;
  }

  /** Equal keys = the same may be seen. */
  get key(): string {
    return [...this.namespaces].sort().join();
  }

  sees(cluster: string, namespace: string): boolean {
    if (namespace === '' || !this.namespaces.has(namespace)) return false;
    return this.isOwn(cluster);
  }

  /** Whether its namespaces are those that were asked about. */
  isOwn(cluster: string): boolean {
    const own = this.#cluster();
    return own === '' || cluster === '' || cluster === own;
  }

  /** The endpoint as it may be told: as it is, without what it says of others, or reduced to nearly nothing. */
  endpoint(endpoint: Endpoint): Endpoint {
    const { cluster, namespace } = endpoint;
    if (this.sees(cluster, namespace)) return this.#withoutHiddenNames(endpoint);
    // Who is in no namespace is nobody's: the world, nodes. A pod always is, but may be known before its namespace.
    if (namespace !== '' || isPod(endpoint)) return this.#hidden(cluster, namespace);
    const service = serviceAt(endpoint);
    if (service !== undefined && !this.namespaces.has(service.namespace)) {
      return this.#hidden(cluster, service.namespace);
    }
    return this.#withoutHiddenNames(endpoint);
  }

  #hidden(cluster: string, namespace: string): Endpoint {
    return {
      ...NO_ENDPOINT,
      cluster,
      namespace: this.#hiddenEnd === 'namespace' ? namespace : '',
      workloadKind: HIDDEN_WORKLOAD.kind,
      workloadName: HIDDEN_WORKLOAD.name,
    };
  }

  /**
   * The decision without policies of namespaces that are not visible. Cluster-wide ones stay: they are everyone's.
   *
   * @param isOwn whether it was made in the cluster whose namespaces these are
   */
  decision(decision: PolicyDecision, isOwn: boolean): PolicyDecision {
    const seen = (references: readonly PolicyReference[]) =>
      references.filter(({ namespace }) => isOwn && (namespace === '' || this.namespaces.has(namespace)));
    const { direction, defaultDeny, auditDefaultDeny } = decision;
    const allowedBy = seen(decision.allowedBy);
    const deniedBy = seen(decision.deniedBy);
    const auditDeniedBy = seen(decision.auditDeniedBy);
    const says = defaultDeny || auditDefaultDeny || allowedBy.length + deniedBy.length + auditDeniedBy.length > 0;
    return says ? { direction, allowedBy, deniedBy, defaultDeny, auditDeniedBy, auditDefaultDeny } : NO_DECISION;
  }

  /**
   * What a request says, without names of what may not be seen: hosts and headers name the end that is hidden, DNS anything.
   * What was asked of it stays: the end that is seen has asked, or was asked.
   */
  request(request: Layer7, hidesEnd: boolean): Layer7 {
    const { record } = request;
    if (record?.kind === 'http' && (hidesEnd || !this.#mayAllBeNamed(record))) {
      return { ...request, record: { ...record, url: pathOf(record.url), headers: [] }, shortened: true };
    }
    if (record?.kind === 'dns' && ![record.query, ...record.cnames].every((name) => this.#mayBeNamed(name))) {
      const unnamed: DnsRecord = { ...record, query: '', cnames: [], ips: [] };
      return { ...request, record: unnamed, shortened: true };
    }
    return request;
  }

  /** Whether host and headers name nothing that is hidden: proxies, and addresses outside, stand for what is inside. */
  #mayAllBeNamed({ url, headers }: HttpRecord): boolean {
    const texts = [url.slice(0, -pathOf(url).length || undefined), ...headers.map(({ value }) => value)];
    return texts.every((text) => text.split(/[^\w.-]+/).every((name) => this.#mayBeNamed(name)));
  }

  #withoutHiddenNames(endpoint: Endpoint): Endpoint {
    const { service, names } = endpoint;
    const visible = names.filter((name) => this.#mayBeNamed(name));
    const serviceSeen = service === undefined || this.namespaces.has(service.namespace);
    if (serviceSeen && visible.length === names.length) return endpoint;
    return { ...endpoint, names: visible, service: serviceSeen ? service : undefined };
  }

  /** In the cluster's own DNS names, the namespace stands before `svc` or `pod`: `web.shop.svc.cluster.local`. */
  #mayBeNamed(name: string): boolean {
    const parts = name.toLowerCase().split('.');
    return parts.every(
      (part, at) => at === 0 || (part !== 'svc' && part !== 'pod') || this.namespaces.has(parts[at - 1]),
    );
  }
}

/** Without scheme, host and port. */
function pathOf(url: string): string {
  const rest = url.replace(/^[a-z][a-z0-9+.-]{0,20}:\/\/[^/?#]*/i, '');
  return rest.startsWith('/') || rest.startsWith('?') ? rest : '';
}

/** The Service whose own address this is: what was asked for before it was exchanged, or had nobody behind it. */
function serviceAt({ address, service }: Endpoint): Endpoint['service'] {
  return service !== undefined && (service.address === '' || service.address === address) ? service : undefined;
}

/** Pods of a cluster have identities of their own; so do ranges of addresses, but those are outside. */
function isPod({ pod, workloadName, identity }: Endpoint): boolean {
  return pod !== '' || workloadName !== '' || (!isReserved(identity) && identity >= 0x40000000);
}

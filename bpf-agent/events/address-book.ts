import { type Endpoint, NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { isLabelIdentity } from '#core/identity/identity-number.ts';
import { RESERVED_IDENTITY, reservedIdentities } from '#core/identity/reserved.ts';
import type { AddressOwner } from '../sync/desired-state.ts';

/** How long a pod that is gone still gives its name to records of its address, in milliseconds. */
const MEMORY_MS = 90_000;
/** Most addresses remembered; the oldest go first. */
const MEMORY_LIMIT = 65_536;

interface Gone {
  readonly endpoint: Endpoint;
  readonly until: number;
}

/** The part of the node's Services that names addresses. */
export interface ServiceAddresses {
  owner(address: string): { readonly namespace: string; readonly name: string } | undefined;
  /** Rises when an address gets another owner. */
  readonly addressRevision: number;
}

/**
 * Who an address is, or was a moment ago. A record is read later than its packet was seen, so an address is first looked up
 * among its owners, past ones included, by the identity that the kernel knew it under.
 */
export class AddressBook {
  readonly #cluster: string;
  #live = new Map<string, Endpoint>();
  /** Past owners by address, latest last. */
  readonly #gone = new Map<string, Gone[]>();
  /** What any pod of a label set has in common, for addresses that no pod is known by. */
  #byIdentity = new Map<number, Endpoint>();
  #revision = 0;
  #ownersRevision = 0;

  readonly #services: ServiceAddresses | undefined;

  /** @param services who has an address of the Service range */
  constructor(cluster: string, services?: ServiceAddresses) {
    this.#cluster = cluster;
    this.#services = services;
  }

  /** Rises whenever an answer may have changed. */
  get revision(): number {
    return this.#revision + (this.#services?.addressRevision ?? 0);
  }

  /** Who has an address now. */
  get owners(): ReadonlyMap<string, Endpoint> {
    return this.#live;
  }

  /** Rises when an address gets another owner, or its owner changes. */
  get ownersRevision(): number {
    return this.#ownersRevision;
  }

  get size(): number {
    return this.#live.size;
  }

  update(owners: ReadonlyMap<string, AddressOwner>, nowMs: number = performance.now()): void {
    const before = this.#live;
    const live = new Map<string, Endpoint>();
    const byIdentity = new Map<number, Endpoint>();
    let changed = before.size !== owners.size;
    for (const [address, owner] of owners) {
      const endpoint = this.#endpointOf(address, owner);
      const known = before.get(address);
      const same = known !== undefined && sameEndpoint(known, endpoint);
      if (!same) changed = true;
      live.set(address, same ? known : endpoint);
      if (owner.kind === 'pod') byIdentity.set(owner.pod.identity, endpoint);
    }
    this.#byIdentity = byIdentity;
    if (!changed) return;
    for (const [address, endpoint] of before) {
      if (live.get(address) !== endpoint && endpoint.pod !== '') this.#remember(address, endpoint, nowMs);
    }
    this.#live = live;
    this.#ownersRevision++;
    this.#revision++;
  }

  /** Forgets what is past its time. To be called now and then. */
  expire(nowMs: number = performance.now()): void {
    let changed = false;
    for (const [address, past] of this.#gone) {
      const kept = past.filter(({ until }) => until > nowMs);
      if (kept.length === past.length) continue;
      changed = true;
      if (kept.length === 0) this.#gone.delete(address);
      else this.#gone.set(address, kept);
    }
    if (changed) this.#revision++;
  }

  /** True when somebody in the cluster has, or lately had, this address. */
  knows(address: string): boolean {
    return this.#live.has(address) || this.#gone.has(address);
  }

  /** @param identity what the kernel knew the address as when the packet passed; 0 = it did not */
  lookup(address: string, identity: number): Endpoint {
    const live = this.#live.get(address);
    if (live?.identity === identity) return live;
    const past = this.#gone.get(address);
    const same = past?.findLast(({ endpoint }) => endpoint.identity === identity)?.endpoint;
    // The kernel's maps learn of a pod at the same moment as this book; packets just before it carry a reserved number.
    const owner = same ?? live ?? past?.at(-1)?.endpoint;
    if (owner !== undefined) return owner;
    const kin = isLabelIdentity(identity) ? this.#byIdentity.get(identity) : undefined;
    if (kin !== undefined) {
      return { ...NO_ENDPOINT, address, identity, cluster: kin.cluster, namespace: kin.namespace, labels: kin.labels };
    }
    const service = this.#services?.owner(address);
    const unknown = { ...NO_ENDPOINT, address, identity, labels: reservedLabels(identity) };
    if (service === undefined) return unknown;
    const { namespace, name } = service;
    return { ...unknown, cluster: this.#cluster, namespace, workloadKind: 'Service', workloadName: name };
  }

  #endpointOf(address: string, owner: AddressOwner): Endpoint {
    if (owner.kind === 'node') {
      return {
        ...NO_ENDPOINT,
        address,
        identity: owner.identity,
        cluster: this.#cluster,
        labels: reservedLabels(owner.identity),
        node: owner.node,
      };
    }
    const { pod, endpoint } = owner;
    return {
      address,
      identity: pod.identity,
      cluster: this.#cluster,
      namespace: pod.namespace,
      pod: pod.name,
      workloadKind: pod.workload.kind,
      workloadName: pod.workload.name,
      labels: pod.labels,
      names: [],
      node: pod.node,
      interfaceIndex: endpoint?.interface.index ?? 0,
      interfaceName: endpoint?.interface.name ?? '',
      id: endpoint?.id ?? 0,
    };
  }

  #remember(address: string, endpoint: Endpoint, nowMs: number): void {
    const past = this.#gone.get(address) ?? [];
    // Re-inserted, so that the map's order is the order of leaving.
    this.#gone.delete(address);
    this.#gone.set(address, [...past.slice(-3), { endpoint, until: nowMs + MEMORY_MS }]);
    if (this.#gone.size > MEMORY_LIMIT) {
      const [oldest] = this.#gone.keys();
      this.#gone.delete(oldest!);
    }
  }
}

function reservedLabels(identity: number): string[] {
  if (identity === RESERVED_IDENTITY.unknown || identity >= 256) return [];
  return [`reserved:${reservedIdentities.name(identity)}`];
}

function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.identity === b.identity &&
    a.pod === b.pod &&
    a.namespace === b.namespace &&
    a.node === b.node &&
    a.id === b.id &&
    a.interfaceIndex === b.interfaceIndex &&
    a.interfaceName === b.interfaceName &&
    a.workloadKind === b.workloadKind &&
    a.workloadName === b.workloadName &&
    (a.labels === b.labels ||
      (a.labels.length === b.labels.length && a.labels.every((label, i) => label === b.labels[i])))
  );
}

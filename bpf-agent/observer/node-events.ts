import type { Policy } from '#core/policy/policy.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { AddressBook } from '../events/address-book.ts';
import type { ServiceSync } from '../services/service-sync.ts';
import type { NodeSync } from '../sync/node-sync.ts';
import { isObserved } from '../sync/observed-pods.ts';
import { nodeAddresses } from './address-events.ts';
import type { AgentEvents } from './agent-events.ts';
import type { EventEndpoint } from './endpoint-events.ts';
import { placedServices } from './service-events.ts';

const NO_POLICIES: readonly Policy[] = [];

export interface NodeEventsOptions {
  readonly events: AgentEvents;
  readonly source: ClusterSource;
  readonly book: AddressBook;
  readonly sync: NodeSync;
  readonly services: ServiceSync | undefined;
  /** Told when addresses have other owners. */
  readonly onOwners: () => void;
}

/** Tells what changed on the node as Hubble's agent events. */
export class NodeEvents {
  readonly #options: NodeEventsOptions;
  #addressesTold = -1;
  #servicesTold = -1;

  constructor(options: NodeEventsOptions) {
    this.#options = options;
  }

  /** After each look at the node's pods. Addresses and policies go before the endpoints that they are about. */
  podsChanged(): void {
    const { events, source, book, sync, onOwners } = this.#options;
    if (this.#addressesTold !== book.ownersRevision) {
      this.#addressesTold = book.ownersRevision;
      events.addresses(book.owners, nodeAddresses(source.list('Node')));
      onOwners();
    }
    events.policies(sync.policy.engine?.policies ?? NO_POLICIES);
    events.endpoints(eventEndpoints(sync));
  }

  /** Services change apart from pods and policies. */
  servicesChanged(): void {
    const { events, source, services } = this.#options;
    if (services === undefined || services.revision === this.#servicesTold) return;
    this.#servicesTold = services.revision;
    events.services(placedServices(services, source));
  }
}

/** By pod uid. */
function eventEndpoints({ pods, policy }: NodeSync): Map<string, EventEndpoint> {
  const endpoints = new Map<string, EventEndpoint>();
  for (const [uid, each] of pods) {
    if (!isObserved(each)) continue;
    const { namespace, name, labels, identity } = each.pod;
    const rules = policy.rulesOf(identity);
    // Some have rules and it has none: its own could not be written.
    const failed = policy.engine !== undefined && rules === undefined ? (policy.problems.at(-1) ?? '') : '';
    endpoints.set(uid, { id: each.endpoint.id, namespace, pod: name, labels, rules, problem: failed });
  }
  return endpoints;
}

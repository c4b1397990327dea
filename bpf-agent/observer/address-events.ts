import { AgentEventType } from '#proto/gen/flow/flow_pb.ts';
import type { Node } from '#runtime/cluster/objects.ts';
import type { EventInit } from './agent-event-log.ts';

/** Who has an address, as the kernel is told. */
export interface AddressOwnerEntry {
  readonly identity: number;
  /** Empty where no pod has it. */
  readonly namespace: string;
  readonly pod: string;
  /** Name of the node it is on, or of which it is. */
  readonly node: string;
}

interface Told {
  readonly owner: AddressOwnerEntry;
  readonly host: string;
}

/** Which addresses got an identity, another one, or lost it: Hubble's events of the IP cache. */
export class AddressEvents {
  #before = new Map<string, Told>();

  /**
   * @param owners by address
   * @param hostOf a node's own address of the family of another address; empty when it is not known
   */
  update(
    owners: ReadonlyMap<string, AddressOwnerEntry>,
    hostOf: (node: string, address: string) => string,
  ): EventInit[] {
    const events: EventInit[] = [];
    const now = new Map<string, Told>();
    for (const [address, owner] of owners) {
      const before = this.#before.get(address);
      const told = { owner, host: hostOf(owner.node, address) };
      now.set(address, told);
      if (before === undefined || !same(before, told)) {
        events.push(event(AgentEventType.IPCACHE_UPSERTED, address, told, before));
      }
    }
    for (const [address, before] of this.#before) {
      if (!now.has(address)) events.push(event(AgentEventType.IPCACHE_DELETED, address, before, undefined));
    }
    this.#before = now;
    return events;
  }
}

/** By node and address: the node's own address of the same family, empty where it has none. */
export function nodeAddresses(nodes: readonly Node[]): (node: string, address: string) => string {
  const own = new Map(
    nodes.map(({ metadata, status }) => {
      const addresses = status.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address);
      const first = (sixth: boolean) => addresses.find((address) => address.includes(':') === sixth) ?? '';
      return [metadata.name, { v4: first(false), v6: first(true) }];
    }),
  );
  return (node, address) => own.get(node)?.[address.includes(':') ? 'v6' : 'v4'] ?? '';
}

function same(a: Told, b: Told): boolean {
  if (a.host !== b.host) return false;
  if (a.owner === b.owner) return true;
  const { identity, namespace, pod } = a.owner;
  return identity === b.owner.identity && namespace === b.owner.namespace && pod === b.owner.pod;
}

function event(type: AgentEventType, address: string, { owner, host }: Told, before: Told | undefined): EventInit {
  const value = {
    cidr: `${address}/${address.includes(':') ? 128 : 32}`,
    identity: owner.identity,
    oldIdentity: before?.owner.identity,
    hostIp: host,
    oldHostIp: before?.host ?? '',
    namespace: owner.namespace,
    podName: owner.pod,
  };
  return { type, notification: { case: 'ipcacheUpdate', value } };
}

import { formatAddress, parseAddress } from '#core/ip/address.ts';
import { type Frontend, frontendKey } from '#core/service/service.ts';
import { slotsOf } from '#core/service/slots.ts';
import type { BpfMap } from '../loader/map.ts';
import { toDatapathAddress } from '../maps/address-bytes.ts';
import type { BackendEntry, ServiceEntry, ServiceKey, ServiceMaps, SlotKey } from '../maps/services.ts';

type Maps = Pick<ServiceMaps, 'services' | 'slots' | 'backends'>;

/** Writes that wait to be made together. */
interface Queue {
  readonly backends: [number, BackendEntry][];
  readonly slots: [SlotKey, number][];
  readonly services: [ServiceKey, ServiceEntry][];
  readonly afterwards: (() => void)[];
}

interface HeldBackend {
  readonly id: number;
  readonly terminating: boolean;
}

interface Held {
  readonly id: number;
  set: number;
  /** Backend ids by slot. */
  slots: readonly number[];
  /** By address and port. */
  backends: Map<string, HeldBackend>;
  affinitySeconds: number;
  maglev: boolean;
}

/** What one change took from a frontend. */
export interface TableChange {
  /** Ids of backends that are gone. */
  readonly gone: readonly number[];
}

const NOTHING: TableChange = { gone: [] };

/**
 * What the kernel's maps hold of Services, known without reading them. It starts from what an earlier agent left pinned: frontends
 * and backends keep their numbers. A change costs what the one Service is large, whatever else there is.
 */
export class ServiceTable {
  readonly #maps: Maps;
  readonly #held = new Map<string, Held>();
  #queue: Queue | undefined;
  #nextId = 1;
  #nextSet = 1;
  #nextBackend = 1;

  constructor(maps: Maps) {
    this.#maps = maps;
    this.#readBack();
  }

  /** Keys of the frontends in the kernel. */
  keys(): IterableIterator<string> {
    return this.#held.keys();
  }

  /** The number a frontend has in the kernel; undefined when it is not there. */
  id(key: string): number | undefined {
    return this.#held.get(key)?.id;
  }

  backendIds(key: string): ReadonlyMap<string, { readonly id: number }> {
    return this.#held.get(key)?.backends ?? new Map();
  }

  get size(): number {
    return this.#held.size;
  }

  /**
   * Makes the kernel hold this frontend: new backends and slots first, then the frontend, which is one write, then what is gone.
   * @throws LoaderError `map-failed` when a map is full; what was there before stays in use.
   */
  set(frontend: Frontend): TableChange {
    const key = frontendKey(frontend);
    const known = this.#held.get(key);
    const id = known?.id ?? this.#nextId++;
    const before = known?.backends ?? new Map<string, HeldBackend>();
    const backends = this.#writeBackends(frontend, id, before);
    const { algorithm, affinitySeconds } = frontend;
    const weighted = frontend.backends.map(({ address, port, weight, terminating }) => ({
      name: backendKey(address, port),
      weight: terminating ? 0 : weight,
    }));
    const slots = slotsOf(weighted, algorithm).map((index) => backends.get(weighted[index]!.name)!.id);
    const maglev = algorithm === 'maglev';
    const sameSlots = known !== undefined && sameNumbers(known.slots, slots);
    if (!sameSlots || known.affinitySeconds !== affinitySeconds || known.maglev !== maglev) {
      const set = sameSlots ? known.set : this.#nextSet++;
      if (!sameSlots) for (const [slot, backend] of slots.entries()) this.#put('slots', { set, slot }, backend);
      this.#put('services', serviceKey(frontend), { id, set, slots: slots.length, affinitySeconds, maglev });
      if (known !== undefined && !sameSlots) this.#afterwards(() => this.#deleteSlots(known));
      this.#held.set(key, { id, set, slots, backends, affinitySeconds, maglev });
    } else {
      known.backends = backends;
    }
    const gone = [...before].flatMap(([name, backend]) => (backends.has(name) ? [] : backend.id));
    this.#afterwards(() => {
      for (const backend of gone) this.#maps.backends.delete(backend);
    });
    return gone.length === 0 ? NOTHING : { gone };
  }

  /**
   * Makes all changes of `action` in few system calls: for an agent that starts.
   * @throws LoaderError `map-failed` when a map is full; then not all of them were made.
   */
  together(action: () => void): void {
    const queue: Queue = { backends: [], slots: [], services: [], afterwards: [] };
    this.#queue = queue;
    try {
      action();
    } finally {
      this.#queue = undefined;
    }
    this.#maps.backends.setMany(queue.backends);
    this.#maps.slots.setMany(queue.slots);
    this.#maps.services.setMany(queue.services);
    for (const each of queue.afterwards) each();
  }

  delete(key: string): TableChange {
    const known = this.#held.get(key);
    if (known === undefined) return NOTHING;
    const [protocol, address, port] = key.split('/') as [string, string, string];
    this.#maps.services.delete(serviceKey({ address, port: Number(port), protocol: Number(protocol) }));
    this.#deleteSlots(known);
    const gone = [...known.backends.values()].map((backend) => backend.id);
    for (const backend of gone) this.#maps.backends.delete(backend);
    this.#held.delete(key);
    return { gone };
  }

  #writeBackends(
    frontend: Frontend,
    service: number,
    held: ReadonlyMap<string, HeldBackend>,
  ): Map<string, HeldBackend> {
    const backends = new Map<string, HeldBackend>();
    for (const { address, port, terminating } of frontend.backends) {
      const key = backendKey(address, port);
      const before = held.get(key);
      const id = before?.id ?? this.#nextBackend++;
      if (before?.terminating !== terminating) {
        this.#put('backends', id, { address: toDatapathAddress(parseAddress(address)), port, terminating, service });
      }
      backends.set(key, { id, terminating });
    }
    return backends;
  }

  #put<M extends keyof Maps>(map: M, ...[key, value]: Parameters<Maps[M]['set']>): void {
    if (this.#queue === undefined) (this.#maps[map] as BpfMap<unknown, unknown>).set(key, value);
    else (this.#queue[map] as unknown[]).push([key, value]);
  }

  /** What is gone goes last. */
  #afterwards(action: () => void): void {
    if (this.#queue === undefined) action();
    else this.#queue.afterwards.push(action);
  }

  #deleteSlots({ set, slots }: Held): void {
    for (let slot = 0; slot < slots.length; slot++) this.#maps.slots.delete({ set, slot });
  }

  /** Slots and backends nobody refers to are what a crash between two writes has left. */
  #readBack(): void {
    const backends = new Map<number, Map<string, HeldBackend>>();
    const orphans = new Set<number>();
    for (const [id, { address, port, terminating, service }] of this.#maps.backends) {
      this.#nextBackend = Math.max(this.#nextBackend, id + 1);
      orphans.add(id);
      const known = backends.get(service) ?? new Map<string, HeldBackend>();
      known.set(backendKey(formatAddress(address), port), { id, terminating });
      backends.set(service, known);
    }
    const slots = new Map<number, number[]>();
    for (const [{ set, slot }, backend] of this.#maps.slots) {
      this.#nextSet = Math.max(this.#nextSet, set + 1);
      const known = slots.get(set) ?? [];
      known[slot] = backend;
      slots.set(set, known);
    }
    for (const [{ address, port, protocol }, { id, set, affinitySeconds, maglev }] of this.#maps.services) {
      this.#nextId = Math.max(this.#nextId, id + 1);
      this.#nextSet = Math.max(this.#nextSet, set + 1);
      const key = frontendKey({ address: formatAddress(address), port, protocol });
      const own = backends.get(id) ?? new Map<string, HeldBackend>();
      for (const backend of own.values()) orphans.delete(backend.id);
      this.#held.set(key, { id, set, slots: slots.get(set) ?? [], backends: own, affinitySeconds, maglev });
      slots.delete(set);
    }
    for (const id of orphans) this.#maps.backends.delete(id);
    for (const [set, rest] of slots) for (const slot of rest.keys()) this.#maps.slots.delete({ set, slot });
  }
}

function serviceKey({ address, port, protocol }: Pick<Frontend, 'address' | 'port' | 'protocol'>): ServiceKey {
  return { address: toDatapathAddress(parseAddress(address)), port, protocol };
}

export function backendKey(address: string, port: number): string {
  return `${address}/${port}`;
}

function sameNumbers(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((each, index) => each === b[index]);
}

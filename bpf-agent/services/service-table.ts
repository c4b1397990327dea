import { formatAddress, parseAddress } from '#core/ip/address.ts';
import { parseCidr } from '#core/ip/cidr.ts';
import { type Backend, type Frontend, frontendKey } from '#core/service/service.ts';
import { slotsOf } from '#core/service/slots.ts';
import type { BpfMap } from '../loader/map.ts';
import { toDatapathAddress, toDatapathPrefix } from '../maps/address-bytes.ts';
import type { ExternalMaps } from '../maps/external.ts';
import type { BackendEntry, ServiceEntry, ServiceKey, ServiceMaps, SlotKey } from '../maps/services.ts';

type Maps = Pick<ServiceMaps, 'services' | 'slots' | 'backends'>;

/** Writes that wait to be made together. */
interface Queue {
  readonly backends: [number, BackendEntry][];
  readonly slots: [SlotKey, number][];
  readonly services: [ServiceKey, ServiceEntry][];
  readonly external: (() => void)[];
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
  external?: HeldExternal;
}

/** What clients outside find, as it stands in the kernel. */
interface HeldExternal {
  readonly set: number;
  /** Backend ids by slot, of a set of its own; empty where it shares the frontend's. */
  readonly slots: readonly number[];
  /** Everything else of the entry. */
  readonly rest: string;
  /** As text. */
  readonly ranges: ReadonlySet<string>;
}

/** Where a table also keeps what clients outside find. */
export interface ExternalTable {
  /** The node's own name: which backends are local. */
  readonly node: string;
  readonly maps: Pick<ExternalMaps, 'services' | 'ranges'>;
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
  readonly #outside: ExternalTable | undefined;
  readonly #held = new Map<string, Held>();
  #external = 0;
  #queue: Queue | undefined;
  #nextId = 1;
  #nextSet = 1;
  #nextBackend = 1;

  constructor(maps: Maps, outside?: ExternalTable) {
    this.#maps = maps;
    this.#outside = outside;
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

  /** How many of the frontends clients outside may ask for. */
  get external(): number {
    return this.#external;
  }

  /**
   * Makes the kernel hold this frontend: new backends and slots first, then the frontend, which is one write, then what is gone.
   * @throws LoaderError `map-failed` when a map is full; what was there before stays in use.
   */
  set(frontend: Frontend): TableChange {
    const key = frontendKey(frontend);
    const known = this.#held.get(key);
    const [firstBackend, firstSet] = [this.#nextBackend, this.#nextSet];
    try {
      return this.#write(frontend, key, known);
    } catch (error) {
      this.#takeBack(key, firstBackend, firstSet);
      throw error;
    }
  }

  /** What a change has written before a map was full, and nobody refers to. */
  #takeBack(key: string, firstBackend: number, firstSet: number): void {
    const held = this.#held.get(key);
    const used = new Set([...(held?.backends.values() ?? [])].map(({ id }) => id));
    for (let id = firstBackend; id < this.#nextBackend; id++) if (!used.has(id)) this.#maps.backends.delete(id);
    for (let set = firstSet; set < this.#nextSet; set++) {
      if (set === held?.set) continue;
      for (let slot = 0; this.#maps.slots.delete({ set, slot }); slot++);
    }
  }

  #write(frontend: Frontend, key: string, known: Held | undefined): TableChange {
    const id = known?.id ?? this.#nextId++;
    const before = known?.backends ?? new Map<string, HeldBackend>();
    const backends = this.#writeBackends(frontend, id, before);
    const { algorithm, affinitySeconds } = frontend;
    const slots = slotIds(frontend.backends, backends, algorithm);
    const maglev = algorithm === 'maglev';
    const sameSlots = known !== undefined && sameNumbers(known.slots, slots);
    const set = sameSlots ? known.set : this.#nextSet++;
    if (!sameSlots || known.affinitySeconds !== affinitySeconds || known.maglev !== maglev) {
      if (!sameSlots) for (const [slot, backend] of slots.entries()) this.#put('slots', { set, slot }, backend);
      this.#put('services', serviceKey(frontend), { id, set, slots: slots.length, affinitySeconds, maglev });
    }
    const held: Held = { id, set, slots, backends, affinitySeconds, maglev };
    this.#held.set(key, held);
    if (known?.external !== undefined) held.external = known.external;
    // Before the set they may share with the frontend goes.
    this.#inTurn(() => this.#setExternal(frontend, held));
    if (known !== undefined && !sameSlots) this.#afterwards(() => this.#deleteSlots(known));
    const gone = [...before].flatMap(([name, backend]) => (backends.has(name) ? [] : backend.id));
    this.#afterwards(() => {
      for (const backend of gone) this.#maps.backends.delete(backend);
    });
    return gone.length === 0 ? NOTHING : { gone };
  }

  /**
   * Makes all changes of `action` in few system calls: for an agent that starts.
   * @throws LoaderError `map-failed` when a map is full; then not all of them were made, and the table knows which.
   */
  together(action: () => void): void {
    const queue: Queue = { backends: [], slots: [], services: [], external: [], afterwards: [] };
    this.#queue = queue;
    try {
      action();
    } finally {
      this.#queue = undefined;
    }
    try {
      this.#maps.backends.setMany(queue.backends);
      this.#maps.slots.setMany(queue.slots);
      this.#maps.services.setMany(queue.services);
      for (const each of queue.external) each();
    } catch (error) {
      // Old sets are still there, so whatever frontend was not written yet goes on as before.
      this.#held.clear();
      this.#external = 0;
      this.#readBack();
      throw error;
    }
    for (const each of queue.afterwards) each();
  }

  delete(key: string): TableChange {
    const known = this.#held.get(key);
    if (known === undefined) return NOTHING;
    const [protocol, address, port] = key.split('/') as [string, string, string];
    this.#dropExternal({ address, port: Number(port), protocol: Number(protocol) }, known);
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
    for (const { address, port, node, terminating } of [...frontend.backends, ...(frontend.external?.backends ?? [])]) {
      const key = backendKey(address, port);
      if (backends.has(key)) continue;
      const before = held.get(key);
      const id = before?.id ?? this.#nextBackend++;
      if (before?.terminating !== terminating) {
        const local = node !== '' && node === this.#outside?.node;
        this.#put('backends', id, {
          address: toDatapathAddress(parseAddress(address)),
          port,
          terminating,
          local,
          service,
        });
      }
      backends.set(key, { id, terminating });
    }
    return backends;
  }

  #put<M extends keyof Maps>(map: M, ...[key, value]: Parameters<Maps[M]['set']>): void {
    if (this.#queue === undefined) (this.#maps[map] as BpfMap<unknown, unknown>).set(key, value);
    else (this.#queue[map] as unknown[]).push([key, value]);
  }

  /** What clients outside find: its set first, if it has one of its own, then the entry, then what is gone. */
  #setExternal(frontend: Frontend, held: Held): void {
    const { external, kind, affinitySeconds, algorithm } = frontend;
    if (external === undefined || this.#outside === undefined) {
      this.#dropExternal(frontend, held);
      return;
    }
    const { maps } = this.#outside;
    const before = held.external;
    const shared = external.backends === frontend.backends;
    const slots = shared ? [] : slotIds(external.backends, held.backends, algorithm);
    const sameSet = before !== undefined && (shared ? before.set === held.set : sameNumbers(before.slots, slots));
    const set = shared ? held.set : sameSet ? before.set : this.#nextSet++;
    if (!shared && !sameSet)
      for (const [slot, backend] of slots.entries()) this.#maps.slots.set({ set, slot }, backend);
    const ranges = new Set(external.sourceRanges);
    for (const range of ranges) if (!before?.ranges.has(range)) maps.ranges.set(rangeKey(held.id, range), 1);
    const entry = {
      id: held.id,
      set,
      slots: shared ? held.slots.length : slots.length,
      affinitySeconds,
      maglev: algorithm === 'maglev',
      ranges: external.sourceRanges !== undefined,
      nodePort: kind === 'node-port',
      local: external.local,
    };
    const rest = JSON.stringify(entry);
    if (before?.rest !== rest) maps.services.set(serviceKey(frontend), entry);
    if (before === undefined) this.#external++;
    held.external = { set, slots, rest, ranges };
    for (const range of before?.ranges ?? []) if (!ranges.has(range)) maps.ranges.delete(rangeKey(held.id, range));
    if (before !== undefined && before.set !== set) this.#deleteSlots(before);
  }

  #dropExternal(frontend: Pick<Frontend, 'address' | 'port' | 'protocol'>, held: Held): void {
    const { external } = held;
    if (external === undefined || this.#outside === undefined) return;
    this.#outside.maps.services.delete(serviceKey(frontend));
    for (const range of external.ranges) this.#outside.maps.ranges.delete(rangeKey(held.id, range));
    this.#deleteSlots(external);
    delete held.external;
    this.#external--;
  }

  /** After the frontends have been written. */
  #inTurn(action: () => void): void {
    if (this.#queue === undefined) action();
    else this.#queue.external.push(action);
  }

  /** What is gone goes last. */
  #afterwards(action: () => void): void {
    if (this.#queue === undefined) action();
    else this.#queue.afterwards.push(action);
  }

  #deleteSlots({ set, slots }: Pick<Held, 'set' | 'slots'>): void {
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
    const taken = new Set<number>();
    for (const [{ address, port, protocol }, { id, set, affinitySeconds, maglev }] of this.#maps.services) {
      this.#nextId = Math.max(this.#nextId, id + 1);
      this.#nextSet = Math.max(this.#nextSet, set + 1);
      const key = frontendKey({ address: formatAddress(address), port, protocol });
      const own = backends.get(id) ?? new Map<string, HeldBackend>();
      for (const backend of own.values()) orphans.delete(backend.id);
      this.#held.set(key, { id, set, slots: slots.get(set) ?? [], backends: own, affinitySeconds, maglev });
      taken.add(set);
    }
    this.#readBackExternal(slots, taken);
    for (const set of taken) slots.delete(set);
    for (const id of orphans) this.#maps.backends.delete(id);
    for (const [set, rest] of slots) for (const slot of rest.keys()) this.#maps.slots.delete({ set, slot });
  }

  #readBackExternal(slots: ReadonlyMap<number, readonly number[]>, taken: Set<number>): void {
    if (this.#outside === undefined) return;
    const { maps } = this.#outside;
    const ranges = new Map<number, Set<string>>();
    for (const { service, address, bits } of maps.ranges.keys()) {
      const known = ranges.get(service) ?? new Set<string>();
      known.add(rangeText(address, bits));
      ranges.set(service, known);
    }
    const owned = new Set<number>();
    for (const [key, entry] of [...maps.services]) {
      const { address, port, protocol } = key;
      const held = this.#held.get(frontendKey({ address: formatAddress(address), port, protocol }));
      if (held === undefined || held.id !== entry.id) {
        maps.services.delete(key);
        continue;
      }
      const { set } = entry;
      const own = set === held.set ? [] : (slots.get(set) ?? []);
      held.external = { set, slots: own, rest: JSON.stringify(entry), ranges: ranges.get(held.id) ?? new Set() };
      this.#external++;
      this.#nextSet = Math.max(this.#nextSet, set + 1);
      taken.add(set);
      owned.add(held.id);
    }
    for (const [id, texts] of ranges) {
      if (!owned.has(id)) for (const text of texts) maps.ranges.delete(rangeKey(id, text));
    }
  }
}

/** Backend ids by slot. */
function slotIds(
  list: readonly Backend[],
  backends: ReadonlyMap<string, HeldBackend>,
  algorithm: Frontend['algorithm'],
): number[] {
  const weighted = list.map(({ address, port, weight, terminating }) => ({
    name: backendKey(address, port),
    weight: terminating ? 0 : weight,
  }));
  return slotsOf(weighted, algorithm).map((index) => backends.get(weighted[index]!.name)!.id);
}

function rangeKey(service: number, text: string) {
  const { bytes, length } = parseCidr(text)!;
  return { service, address: toDatapathAddress(bytes), bits: toDatapathPrefix(bytes, length) };
}

/** As `parseCidr` writes it. */
function rangeText(address: Uint8Array, bits: number): string {
  const text = formatAddress(address);
  return `${text}/${text.includes(':') ? bits : bits - 96}`;
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

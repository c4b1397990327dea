import { resolveService, type ServiceView } from '#core/service/resolve-service.ts';
import { type Frontend, frontendKey, frontendText } from '#core/service/service.ts';
import type { EndpointSlice, Pod, Service } from '#runtime/cluster/objects.ts';
import type { ClusterChange, ClusterSource } from '#runtime/cluster/source.ts';
import { LoaderError } from '../loader/loader-error.ts';
import type { ServiceMaps } from '../maps/services.ts';
import { AddressOwners } from './address-owners.ts';
import { isSameView, nodeView, weightText } from './node-view.ts';
import { ServiceRanges } from './service-ranges.ts';
import { type ExternalTable, ServiceTable } from './service-table.ts';
import { SliceBook, serviceOf } from './slice-book.ts';

const UDP = 17;
/** A map that was full is tried again this often, in milliseconds. */
const RETRY_MS = 1_000;
/** Frontends that are gone are still known by their number: records of them may wait. */
const MOST_REMEMBERED = 65_536;

export interface ServiceSyncOptions {
  readonly source: ClusterSource;
  readonly maps: ServiceMaps;
  /** Where clients outside find Services; without it they find none. */
  readonly external?: ExternalTable['maps'];
  readonly node: string;
  /** Called with the ids of backends for datagrams that nobody is to be with any more. */
  readonly onGone: (backends: readonly number[]) => void;
  /** Called when the first Service for clients outside is there, and when the last is gone. */
  readonly onExternal?: () => void;
}

/** A frontend as it stands in the kernel. */
export interface PlacedFrontend {
  readonly frontend: Frontend;
  /** Its number in the kernel. */
  readonly id: number;
  /** By `address/port`. */
  readonly backendIds: ReadonlyMap<string, { readonly id: number }>;
}

/**
 * Keeps load-balancing at what Services and EndpointSlices ask for. A change is in the kernel in the same turn of the event loop
 * in which the source tells it, and costs what that one Service is large.
 */
export class ServiceSync {
  readonly #options: ServiceSyncOptions;
  readonly #table: ServiceTable;
  readonly #unsubscribe: () => void;
  readonly #slices = new SliceBook();
  /** Frontends in the kernel by `namespace/service`, by key. */
  readonly #placed = new Map<string, Map<string, Frontend>>();
  /** Who has a frontend: of two that claim one, the first. */
  readonly #owners = new Map<string, string>();
  readonly #problems = new Map<string, string>();
  readonly #addresses = new AddressOwners();
  readonly #byId = new Map<number, Frontend>();
  readonly #ranges: ServiceRanges;
  readonly #dirty = new Set<string>();
  #view: ServiceView;
  #scheduled = false;
  /** Frontends an earlier agent left; none of them goes before the cluster's state could be read. */
  readonly #left: Set<string>;
  #retry: NodeJS.Timeout | undefined;
  /** Services that found no room in a map. */
  readonly #failed = new Set<string>();
  #revision = 0;

  /** Brings everything that is known now into the kernel, before it returns. */
  constructor(options: ServiceSyncOptions) {
    this.#options = options;
    const { source, maps, external, node } = options;
    this.#table = new ServiceTable(maps, external === undefined ? undefined : { node, maps: external });
    this.#view = nodeView(source, node);
    for (const slice of source.list('EndpointSlice')) this.#slices.keep(slice);
    this.#ranges = new ServiceRanges(source, maps.ranges);
    this.#ranges.update();
    this.#left = new Set(this.#table.keys());
    try {
      this.#table.together(() => {
        for (const service of source.list('Service')) this.#resolve(nameOf(service));
      });
    } catch (error) {
      if (!(error instanceof LoaderError)) throw error;
      // A map is full: one by one, as many as there is room for.
      for (const held of [this.#placed, this.#owners, this.#addresses, this.#byId]) held.clear();
      for (const service of source.list('Service')) this.#resolve(nameOf(service));
    }
    this.settle();
    this.#unsubscribe = source.onChange((change) => this.#changed(change));
  }

  /** Rises with every change. */
  get revision(): number {
    return this.#revision;
  }

  /** What cannot be done as asked, one line each. */
  get problems(): string[] {
    return [...this.#problems.values()];
  }

  /** The frontend with this number in the kernel, also when it is gone by now. */
  frontend(id: number): Frontend | undefined {
    return this.#byId.get(id);
  }

  /** The Service that has an address. */
  owner(address: string): { readonly namespace: string; readonly name: string } | undefined {
    return this.#addresses.of(address);
  }

  /** Rises when an address gets another owner. */
  get addressRevision(): number {
    return this.#addresses.revision;
  }

  *placed(): Generator<PlacedFrontend> {
    for (const placed of this.#placed.values()) {
      for (const [key, frontend] of placed) {
        yield { frontend, id: this.#table.id(key) ?? 0, backendIds: this.#table.backendIds(key) };
      }
    }
  }

  /** How many frontends clients outside may ask for. */
  get external(): number {
    return this.#table.external;
  }

  /** How this node looks at Services. */
  get view(): ServiceView {
    return this.#view;
  }

  slicesOf(namespace: string, service: string): EndpointSlice[] {
    return this.#slices.of(`${namespace}/${service}`);
  }

  find(key: string): Frontend | undefined {
    const owner = this.#owners.get(key);
    return owner === undefined ? undefined : this.#placed.get(owner)?.get(key);
  }

  /** Packets to Services' addresses pass, whoever owns them: for a node whose sockets are not translated. */
  withdrawRanges(): void {
    this.#ranges.withdraw();
  }

  /** Ends what an earlier agent left and nobody asks for. To be called from time to time: the state may be read late. */
  settle(): void {
    this.#resolveDirty();
    if (this.#left.size === 0 || this.#options.source.unread === true) return;
    this.#ranges.update();
    for (const key of this.#left) if (!this.#owners.has(key)) this.#table.delete(key);
    this.#left.clear();
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.#unsubscribe();
  }

  #changed(change: ClusterChange): void {
    switch (change.kind) {
      case 'Service':
        this.#request(nameOf((change.new ?? change.old) as Service));
        break;
      case 'EndpointSlice': {
        const { old, new: slice } = change;
        if (old !== undefined) this.#slices.drop(old);
        if (slice !== undefined) this.#slices.keep(slice);
        for (const each of [old, slice]) if (each !== undefined) this.#request(serviceOf(each));
        break;
      }
      case 'Pod':
        if (weightText(change.old) === weightText(change.new)) break;
        for (const name of this.#slices.servedBy((change.new ?? change.old) as Pod)) this.#request(name);
        break;
      case 'Node': {
        const view = nodeView(this.#options.source, this.#options.node);
        if (isSameView(view, this.#view)) break;
        this.#view = view;
        for (const service of this.#options.source.list('Service')) this.#request(nameOf(service));
        break;
      }
      case 'ServiceCIDR':
        this.#ranges.update();
        break;
    }
  }

  /** Several changes of one Service told at once share one write. */
  #request(name: string): void {
    this.#dirty.add(name);
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#resolveDirty();
    });
  }

  #resolveDirty(): void {
    // Half of a state says that Services have no backends.
    if (this.#options.source.unread === true) return;
    for (const each of this.#dirty) {
      this.#dirty.delete(each);
      this.#resolve(each);
    }
  }

  #resolve(name: string): void {
    const [namespace, serviceName] = name.split('/') as [string, string];
    const service = this.#options.source.get('Service', namespace, serviceName);
    const wanted = service === undefined ? [] : resolveService(service, this.#slices.of(name), this.#view);
    const before = this.#placed.get(name) ?? new Map<string, Frontend>();
    const placed = new Map<string, Frontend>();
    const gone: number[] = [];
    const external = this.external > 0;
    this.#problems.delete(name);
    try {
      for (const frontend of wanted) {
        const key = frontendKey(frontend);
        const owner = this.#owners.get(key);
        if (owner !== undefined && owner !== name) {
          this.#problems.set(name, `Service ${name}: ${frontendText(frontend)} belongs to Service ${owner} already`);
          continue;
        }
        const change = this.#table.set(frontend);
        if (frontend.protocol === UDP) gone.push(...change.gone);
        if (owner === undefined) this.#addresses.add(frontend);
        this.#owners.set(key, name);
        placed.set(key, frontend);
        this.#remember(this.#table.id(key)!, frontend);
      }
      for (const key of before.keys()) {
        if (placed.has(key)) continue;
        const change = this.#table.delete(key);
        if (before.get(key)?.protocol === UDP) gone.push(...change.gone);
        this.#owners.delete(key);
        this.#addresses.remove(addressOf(key));
        this.#requestRivals(key);
      }
    } catch (error) {
      if (!(error instanceof LoaderError)) throw error;
      this.#problems.set(name, `Service ${name}: ${error.message}`);
      for (const [key, frontend] of before) if (!placed.has(key)) placed.set(key, frontend);
      this.#failed.add(name);
      this.#retry ??= setTimeout(() => this.#retryFailed(), RETRY_MS);
    }
    if (placed.size > 0) this.#placed.set(name, placed);
    else this.#placed.delete(name);
    this.#revision++;
    if (gone.length > 0) this.#options.onGone(gone);
    if (external !== this.external > 0) this.#options.onExternal?.();
  }

  #retryFailed(): void {
    this.#retry = undefined;
    const failed = [...this.#failed];
    this.#failed.clear();
    for (const name of failed) this.#request(name);
  }

  /** Who could not have an address gets it when its owner gives it up. */
  #requestRivals(key: string): void {
    const address = addressOf(key);
    for (const [name, problem] of this.#problems) if (problem.includes(address)) this.#request(name);
  }

  #remember(id: number, frontend: Frontend): void {
    this.#byId.delete(id);
    this.#byId.set(id, frontend);
    if (this.#byId.size <= MOST_REMEMBERED + this.#table.size) return;
    for (const [oldest, { address, port, protocol }] of this.#byId) {
      if (this.#table.id(frontendKey({ address, port, protocol })) === oldest) continue;
      this.#byId.delete(oldest);
      break;
    }
  }
}

function nameOf({ metadata }: Service): string {
  return `${metadata.namespace}/${metadata.name}`;
}

/** The address in a frontend's key. */
function addressOf(key: string): string {
  return key.split('/')[1]!;
}

/** A compiled BPF object, opened and loaded: its programs verified, its maps made or taken over from their pins. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { Btf } from './btf.ts';
import { libbpf, type Pointer, takeLibbpfLog } from './libbpf.ts';
import { viewMemory, withoutSignals } from './libc.ts';
import { LoaderError } from './loader-error.ts';

export interface ObjectOptions {
  /** The object file. */
  readonly path: string;
  /** Contents of the read-only data; must have its exact size. Without it the defaults of the C source hold. */
  readonly readOnlyData?: Uint8Array;
  /** Sizes that differ from the C source: map name → entries (ring: bytes, a power of two). */
  readonly entries?: Readonly<Record<string, number>>;
  /** Maps that outlive the process, and the directory on a BPF file system where they are pinned. */
  readonly pins?: {
    readonly directory: string;
    readonly maps: readonly string[];
    /** Groups of them that only mean something together: when one has another layout, all of its group are made anew. */
    readonly together?: readonly (readonly string[])[];
  };
  /** The programs that are wanted: each costs the kernel's verifier milliseconds. All without it. */
  readonly programs?: readonly string[];
}

export class BpfObject {
  readonly btf: Btf;
  /** Names of the maps that were taken over from an earlier load. */
  readonly reused: readonly string[];
  readonly #pointer: Pointer;
  readonly #image: Uint8Array;
  readonly #stalePins: readonly string[];

  private constructor(
    pointer: Pointer,
    image: Uint8Array,
    btf: Btf,
    reused: readonly string[],
    stalePins: readonly string[],
  ) {
    this.#pointer = pointer;
    this.#image = image;
    this.btf = btf;
    this.reused = reused;
    this.#stalePins = stalePins;
  }

  /**
   * @throws LoaderError `object-missing` (not built), `object-refused` with the kernel's last words, `libbpf-missing`.
   */
  static load(options: ObjectOptions): BpfObject {
    const library = libbpf();
    if (!existsSync(options.path)) {
      throw new LoaderError('object-missing', `${options.path} does not exist: run "npm run build:bpf"`);
    }
    const image = readFileSync(options.path);
    const btf = Btf.ofObject(image);
    takeLibbpfLog();
    const pointer = library.objectOpen(image, image.length, null);
    if (!pointer) throw refused(`cannot open ${options.path}`);
    try {
      for (const [name, entries] of Object.entries(options.entries ?? {})) {
        const error = library.setMaxEntries(findMap(pointer, name), entries);
        if (error < 0) throw new LoaderError('object-refused', `cannot size the map "${name}" to ${entries}`, -error);
      }
      if (options.readOnlyData) fillReadOnlyData(pointer, options.readOnlyData);
      const pins = options.pins ? placePins(pointer, btf, options.pins) : NO_PINS;
      if (options.programs !== undefined) choosePrograms(pointer, options.programs);
      loadOpened(pointer);
      return new BpfObject(pointer, image, btf, pins.reused, pins.stale);
    } catch (error) {
      library.objectClose(pointer);
      throw error;
    }
  }

  /**
   * Loads further programs, which share all maps with this object, read-only data included. Both are closed on their own.
   * @throws LoaderError `object-refused` with the kernel's last words.
   */
  loadMore(programs: readonly string[]): BpfObject {
    const library = libbpf();
    takeLibbpfLog();
    const pointer = library.objectOpen(this.#image, this.#image.length, null);
    if (!pointer) throw refused('cannot open the eBPF object once more');
    try {
      choosePrograms(pointer, programs);
      for (let map = library.nextMap(pointer, null); map; map = library.nextMap(pointer, map)) {
        const name = library.mapName(map);
        const error = library.reuseFd(map, this.mapFd(name));
        if (error < 0) throw new LoaderError('object-refused', `cannot share the map "${name}"`, -error);
      }
      loadOpened(pointer);
      return new BpfObject(pointer, this.#image, this.btf, [], []);
    } catch (error) {
      library.objectClose(pointer);
      throw error;
    }
  }

  /** Whether a program was among those that were wanted. */
  loaded(name: string): boolean {
    return libbpf().programFd(libbpf().findProgram(this.#pointer, name)) >= 0;
  }

  /** Descriptor of a program, owned by this object. @throws Error when there is no such program, or it is not loaded. */
  programFd(name: string): number {
    const program = libbpf().findProgram(this.#pointer, name);
    if (!program) throw new Error(`the object has no program "${name}"`);
    const fd = libbpf().programFd(program);
    if (fd < 0) throw new Error(`the program "${name}" is not loaded`);
    return fd;
  }

  /** Descriptor of a map, owned by this object. @throws Error when there is no such map. */
  mapFd(name: string): number {
    return libbpf().mapFd(findMap(this.#pointer, name));
  }

  /** Entries of a map as loaded; for a ring its size in bytes. */
  mapEntries(name: string): number {
    return libbpf().mapMaxEntries(findMap(this.#pointer, name));
  }

  /** Lets go of pinned maps with an older layout. Call it once nothing attached uses them any more. */
  removeStalePins(): void {
    for (const path of this.#stalePins) rmSync(path, { force: true });
  }

  /** Closes every descriptor. Attached programs and pinned maps live on. */
  close(): void {
    libbpf().objectClose(this.#pointer);
  }
}

const NO_PINS = { reused: [] as string[], stale: [] as string[] };

/**
 * A pin's name ends with a hash of everything that makes a map interchangeable with another: kind, sizes, and the layout
 * of its structs. So a map with another layout gets another pin, and the old one stays in use until links are switched.
 */
function placePins(object: Pointer, btf: Btf, { directory, maps, together = [] }: NonNullable<ObjectOptions['pins']>) {
  const library = libbpf();
  const shared = together.map((group) => group.map((name) => shapeOf(object, btf, name)).join('|'));
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const present = readdirSync(directory);
  const reused: string[] = [];
  const stale: string[] = [];
  for (const name of maps) {
    const map = findMap(object, name);
    const shape = shapeOf(object, btf, name);
    const group = together.findIndex((names) => names.includes(name));
    const text = group < 0 ? shape : `${shape}||${shared[group]}`;
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 12);
    const pin = `${name}-${hash}`;
    const error = library.setPinPath(map, join(directory, pin));
    if (error < 0) throw new LoaderError('pin-failed', `cannot place the map "${name}" in ${directory}`, -error);
    if (present.includes(pin)) reused.push(name);
    const prefix = `${name}-`;
    for (const other of present) {
      if (other.startsWith(prefix) && other !== pin) stale.push(join(directory, other));
    }
  }
  return { reused, stale };
}

function shapeOf(object: Pointer, btf: Btf, name: string): string {
  const library = libbpf();
  const map = findMap(object, name);
  const sizes = [
    library.mapType(map),
    library.mapFlags(map),
    library.mapKeySize(map),
    library.mapValueSize(map),
    library.mapMaxEntries(map),
  ];
  return [...sizes, btf.mapLayout(name) ?? ''].join('|');
}

function choosePrograms(object: Pointer, names: readonly string[]): void {
  const library = libbpf();
  for (let each = library.nextProgram(object, null); each; each = library.nextProgram(object, each)) {
    library.setAutoload(each, names.includes(library.programName(each)));
  }
}

function loadOpened(object: Pointer): void {
  // A signal ends the verifier's work with EAGAIN. libbpf tries five times, which a profiler (--cpu-prof) outlasts.
  const error = withoutSignals(() => libbpf().objectLoad(object));
  if (error < 0) throw refused('the kernel refused the eBPF object', -error);
}

function findMap(object: Pointer, name: string): Pointer {
  const map = libbpf().findMap(object, name);
  if (!map) throw new Error(`the object has no map "${name}"`);
  return map;
}

function fillReadOnlyData(object: Pointer, data: Uint8Array): void {
  const size = [0];
  const memory = libbpf().initialValue(findMap(object, '.rodata'), size);
  if (!memory || Number(size[0]) !== data.length) {
    throw new Error(`the object's read-only data has ${size[0]} bytes, the settings ${data.length}`);
  }
  viewMemory(memory, data.length).set(data);
}

function refused(what: string, errno?: number): LoaderError {
  const said = takeLibbpfLog()
    .filter((line) => !/BEGIN PROG LOAD LOG|END PROG LOAD LOG/.test(line))
    .slice(-12);
  return new LoaderError('object-refused', said.length ? `${what}\n${said.join('\n')}\n${what}` : what, errno);
}

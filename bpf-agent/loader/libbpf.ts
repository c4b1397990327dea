/**
 * Debian's libbpf.so.1 through FFI: declarations, and libbpf's own words on what went wrong. Every call returns what
 * the C function returned (libbpf 1.x: a negative error number on failure); the modules beside give them meaning.
 */
import koffi, { type LibraryHandle } from 'koffi';

import { LoaderError } from './loader-error.ts';

/** An opaque pointer into libbpf; null when there is none. */
export type Pointer = bigint | null;

const LIBBPF = 'libbpf.so.1';
export const LIBBPF_FIX = 'apt-get install libbpf1';

// biome-ignore format: one declaration per line
function bind(libbpf: LibraryHandle) {
  return {
    setPrint: libbpf.func('void *libbpf_set_print(void *callback)') as (callback: bigint) => Pointer,
    objectOpen: libbpf.func('void *bpf_object__open_mem(const void *data, size_t size, const void *options)') as (data: Uint8Array, size: number, options: null) => Pointer,
    objectLoad: libbpf.func('int bpf_object__load(void *object)') as (object: Pointer) => number,
    objectClose: libbpf.func('void bpf_object__close(void *object)') as (object: Pointer) => void,
    findMap: libbpf.func('void *bpf_object__find_map_by_name(void *object, const char *name)') as (object: Pointer, name: string) => Pointer,
    findProgram: libbpf.func('void *bpf_object__find_program_by_name(void *object, const char *name)') as (object: Pointer, name: string) => Pointer,
    nextProgram: libbpf.func('void *bpf_object__next_program(void *object, void *program)') as (object: Pointer, program: Pointer) => Pointer,
    programName: libbpf.func('const char *bpf_program__name(void *program)') as (program: Pointer) => string,
    setAutoload: libbpf.func('int bpf_program__set_autoload(void *program, bool on)') as (program: Pointer, on: boolean) => number,
    nextMap: libbpf.func('void *bpf_object__next_map(void *object, void *map)') as (object: Pointer, map: Pointer) => Pointer,
    mapName: libbpf.func('const char *bpf_map__name(void *map)') as (map: Pointer) => string,
    reuseFd: libbpf.func('int bpf_map__reuse_fd(void *map, int fd)') as (map: Pointer, fd: number) => number,
    programFd: libbpf.func('int bpf_program__fd(void *program)') as (program: Pointer) => number,
    mapFd: libbpf.func('int bpf_map__fd(void *map)') as (map: Pointer) => number,
    mapType: libbpf.func('uint32_t bpf_map__type(void *map)') as (map: Pointer) => number,
    mapFlags: libbpf.func('uint32_t bpf_map__map_flags(void *map)') as (map: Pointer) => number,
    mapKeySize: libbpf.func('uint32_t bpf_map__key_size(void *map)') as (map: Pointer) => number,
    mapValueSize: libbpf.func('uint32_t bpf_map__value_size(void *map)') as (map: Pointer) => number,
    mapMaxEntries: libbpf.func('uint32_t bpf_map__max_entries(void *map)') as (map: Pointer) => number,
    setMaxEntries: libbpf.func('int bpf_map__set_max_entries(void *map, uint32_t entries)') as (map: Pointer, entries: number) => number,
    setPinPath: libbpf.func('int bpf_map__set_pin_path(void *map, const char *path)') as (map: Pointer, path: string) => number,
    initialValue: libbpf.func('void *bpf_map__initial_value(void *map, _Out_ size_t *size)') as (map: Pointer, size: number[]) => Pointer,
    mapCreate: libbpf.func('int bpf_map_create(uint32_t type, const char *name, uint32_t key_size, uint32_t value_size, uint32_t entries, const void *options)') as (type: number, name: string, keySize: number, valueSize: number, entries: number, options: null) => number,
    lookup: libbpf.func('int bpf_map_lookup_elem(int fd, const void *key, void *value)') as (fd: number, key: Uint8Array, value: Uint8Array) => number,
    update: libbpf.func('int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)') as (fd: number, key: Uint8Array, value: Uint8Array, flags: number) => number,
    remove: libbpf.func('int bpf_map_delete_elem(int fd, const void *key)') as (fd: number, key: Uint8Array) => number,
    nextKey: libbpf.func('int bpf_map_get_next_key(int fd, const void *key, void *next)') as (fd: number, key: Uint8Array | null, next: Uint8Array) => number,
    lookupBatch: libbpf.func('int bpf_map_lookup_batch(int fd, void *from, void *to, void *keys, void *values, void *count, const void *options)') as (fd: number, from: Uint8Array | null, to: Uint8Array, keys: Uint8Array, values: Uint8Array, count: Uint32Array, options: null) => number,
    updateBatch: libbpf.func('int bpf_map_update_batch(int fd, const void *keys, const void *values, void *count, const void *options)') as (fd: number, keys: Uint8Array, values: Uint8Array, count: Uint32Array, options: null) => number,
    programLoad: libbpf.func('int bpf_prog_load(uint32_t type, const char *name, const char *license, const void *instructions, size_t count, const void *options)') as (type: number, name: string, license: string, instructions: Uint8Array, count: number, options: null) => number,
    testRun: libbpf.func('int bpf_prog_test_run_opts(int fd, void *options)') as (fd: number, options: Uint8Array) => number,
    linkCreate: libbpf.func('int bpf_link_create(int program, int target, uint32_t type, const void *options)') as (program: number, target: number, type: number, options: null) => number,
    linkUpdate: libbpf.func('int bpf_link_update(int link, int program, const void *options)') as (link: number, program: number, options: null) => number,
    pin: libbpf.func('int bpf_obj_pin(int fd, const char *path)') as (fd: number, path: string) => number,
    get: libbpf.func('int bpf_obj_get(const char *path)') as (path: string) => number,
    info: libbpf.func('int bpf_obj_get_info_by_fd(int fd, void *info, void *length)') as (fd: number, info: Uint8Array, length: Uint32Array) => number,
    tcHookCreate: libbpf.func('int bpf_tc_hook_create(void *hook)') as (hook: Uint8Array) => number,
    tcAttach: libbpf.func('int bpf_tc_attach(const void *hook, void *options)') as (hook: Uint8Array, options: Uint8Array) => number,
    tcDetach: libbpf.func('int bpf_tc_detach(const void *hook, const void *options)') as (hook: Uint8Array, options: Uint8Array) => number,
    tcQuery: libbpf.func('int bpf_tc_query(const void *hook, void *options)') as (hook: Uint8Array, options: Uint8Array) => number,
    possibleCpus: libbpf.func('int libbpf_num_possible_cpus()') as () => number,
  };
}

export type Libbpf = ReturnType<typeof bind>;

let bound: Libbpf | undefined;

/**
 * The bound library.
 * @throws LoaderError `libbpf-missing`; LIBBPF_FIX mends it.
 */
export function libbpf(): Libbpf {
  if (bound) return bound;
  let library: LibraryHandle;
  try {
    library = koffi.load(LIBBPF);
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(
      /^Failed to load shared library: /,
      '',
    );
    throw new LoaderError('libbpf-missing', `${LIBBPF} cannot be loaded (${reason})`);
  }
  bound = bind(library);
  captureLog(bound);
  return bound;
}

/** The address of a buffer, to be written into a structure for libbpf. The buffer must outlive the call. */
export function addressOf(buffer: Uint8Array): bigint {
  return koffi.address(buffer);
}

const LOG_LEVEL_DEBUG = 2;
const LOG_LINES = 60;
const LOG_BYTES = 256 * 1024;
const log: string[] = [];

function captureLog(library: Libbpf): void {
  const vsnprintf = koffi
    .load('libc.so.6')
    .func('int vsnprintf(void *to, size_t size, const char *format, void *arguments)');
  const text = Buffer.alloc(LOG_BYTES);
  const print = (level: number, format: string, values: bigint): number => {
    if (level >= LOG_LEVEL_DEBUG) return 0;
    const length = Math.min(vsnprintf(text, text.length, format, values) as number, text.length - 1);
    for (const line of text.toString('utf8', 0, Math.max(0, length)).split('\n'))
      if (line.trim()) log.push(line.trimEnd());
    log.splice(0, Math.max(0, log.length - LOG_LINES));
    return length;
  };
  const type = koffi.proto('int LibbpfPrint(int level, const char *format, void *arguments)');
  library.setPrint(koffi.register(print, koffi.pointer(type)));
}

/** What libbpf said since the last call (its warnings, the verifier's log), newest last; at most 60 lines. */
export function takeLibbpfLog(): string[] {
  return log.splice(0);
}

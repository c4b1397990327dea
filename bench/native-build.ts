import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sources = join(root, 'bench/native');
const built = join(root, 'build/bench');

/** Compiles a load or comparison program of bench/native to a native executable; returns its path. */
export function buildNative(name: string, libraries: readonly string[] = []): string {
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror'];
  return compile(`${name}.c`, name, flags, libraries);
}

/** Compiles an eBPF variant of bench/native; returns the object's path. */
export function buildBpfVariant(name: string): string {
  const machine = run('clang', ['-print-target-triple'])
    .trim()
    .replace(/-(?:pc|unknown)-/, '-');
  const flags = ['-g', '-O2', '-target', 'bpf', '-mcpu=v3', '-Wall', '-Werror', `-I/usr/include/${machine}`, '-c'];
  return compile(`${name}.bpf.c`, `${name}.bpf.o`, flags, []);
}

function compile(source: string, target: string, flags: readonly string[], libraries: readonly string[]): string {
  mkdirSync(built, { recursive: true });
  const path = join(built, target);
  const draft = `${path}.${process.pid}`;
  run('clang', [...flags, '-o', draft, join(sources, source), ...libraries.map((library) => `-l${library}`)]);
  renameSync(draft, path);
  return path;
}

function run(tool: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(tool, args, { encoding: 'utf8' });
  if (error) throw new Error(`${tool} cannot be run (${error.message}): apt-get install clang libbpf-dev`);
  if (status !== 0) throw new Error(`${tool} could not build what the bench needs:\n${stderr.trim()}`);
  return stdout;
}

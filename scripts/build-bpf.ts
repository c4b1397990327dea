/**
 * Compiles the datapath: bpf-agent/bpf/waggle.bpf.c → build/bpf/waggle.bpf.o, when its sources or flags changed.
 *
 *     node scripts/build-bpf.ts
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sourceDirectory = join(root, 'bpf-agent/bpf');

/** Where the built object lies. */
export const BPF_OBJECT = join(root, 'build/bpf/waggle.bpf.o');

const FLAGS = ['-g', '-O2', '-target', 'bpf', '-mcpu=v3', '-Wall', '-Wextra', '-Werror', '-Wno-unused-parameter'];

export class BuildBpfError extends Error {
  readonly code: 'tool-missing' | 'compile-failed';

  constructor(code: 'tool-missing' | 'compile-failed', message: string) {
    super(message);
    this.name = 'BuildBpfError';
    this.code = code;
  }
}

/**
 * Builds the object if needed and returns its path.
 * @throws BuildBpfError `tool-missing` (clang, llvm-strip or libbpf's headers are not installed), `compile-failed`.
 */
export function buildBpf(report: (line: string) => void = () => {}): string {
  const sources = readdirSync(sourceDirectory)
    .filter((name) => /\.(c|h)$/.test(name))
    .sort();
  const hash = createHash('sha256').update(FLAGS.join(' '));
  for (const name of sources) hash.update(`\0${name}\0`).update(readFileSync(join(sourceDirectory, name)));
  const fingerprint = hash.digest('hex');
  const stamp = `${BPF_OBJECT}.sources`;
  if (existsSync(BPF_OBJECT) && existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return BPF_OBJECT;

  report('compiling the eBPF datapath');
  mkdirSync(dirname(BPF_OBJECT), { recursive: true });
  // Built beside and renamed, so that two builds at once never leave half an object.
  const draft = `${BPF_OBJECT}.${process.pid}`;
  try {
    const machine = run('clang', ['-print-target-triple'])
      .trim()
      .replace(/-(?:pc|unknown)-/, '-');
    const includes = [`/usr/include/${machine}`].filter(existsSync).map((path) => `-I${path}`);
    run('clang', [...FLAGS, ...includes, '-c', join(sourceDirectory, 'waggle.bpf.c'), '-o', draft]);
    run('llvm-strip', ['-g', draft]);
    renameSync(draft, BPF_OBJECT);
    writeFileSync(stamp, fingerprint);
  } finally {
    rmSync(draft, { force: true });
  }
  return BPF_OBJECT;
}

function run(tool: string, args: string[]): string {
  const result = spawnSync(tool, args, { encoding: 'utf8' });
  if (result.error) {
    const code = (result.error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT') {
      throw new BuildBpfError('tool-missing', `${tool} is not installed: apt-get install clang llvm libbpf-dev`);
    }
    throw result.error;
  }
  if (result.status !== 0) {
    const text = (result.stderr || result.stdout).trim();
    const header = /fatal error: '((?:bpf|linux|asm)\/[^']+)' file not found/.exec(text);
    if (header) {
      const packages = 'apt-get install libbpf-dev linux-libc-dev';
      throw new BuildBpfError('tool-missing', `the header ${header[1]} is not installed: ${packages}`);
    }
    throw new BuildBpfError('compile-failed', `${tool} could not build the eBPF datapath:\n${text}`);
  }
  return result.stdout;
}

if (import.meta.main) console.log(buildBpf(console.log));

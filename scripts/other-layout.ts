/**
 * An agent's image with other eBPF programs, made of one that is there: what an upgrade across a change of the maps' layout, the way
 * back, and one to an image that the kernel refuses are tried with. Needs buildah, clang and llvm-strip, and root.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

interface Edit {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** One map of those that decide about packets, and the connections; each with its twin in TypeScript. */
export const OTHER_LAYOUT: readonly Edit[] = [
  { file: 'bpf/endpoint.h', from: 'union address own[2];', to: 'union address own[2]; __u32 spare[4];' },
  { file: 'maps/endpoints.ts', from: "struct: 'endpoint',\n  size: 48,", to: "struct: 'endpoint',\n  size: 64," },
  // Of the same size: what one call of the programs may put on the stack is nearly used up.
  { file: 'bpf/connection.h', from: '\t__u32 service; ', to: '\t__u32 spare;\n\t__u32 service; ' },
  { file: 'bpf/connection.h', from: '\t__u32 reserved;\n};', to: '};' },
  { file: 'maps/connections.ts', from: 'service: [88, 4],', to: 'service: [92, 4],' },
];

/** More than may be on the stack: no kernel takes it. */
export const REFUSED: readonly Edit[] = [
  { file: 'bpf/connection.h', from: '\t__u32 reserved;\n};', to: '\t__u32 reserved;\n\t__u64 spare[4];\n};' },
  { file: 'bpf/connection.h', from: 'sizeof(struct connection) == 96', to: 'sizeof(struct connection) == 128' },
  {
    file: 'maps/connections.ts',
    from: "struct: 'connection',\n  size: 96,",
    to: "struct: 'connection',\n  size: 128,",
  },
];

/**
 * Writes the image `name`, made of `image` with these edits, into a docker-archive. Throws where the image's sources are not as
 * expected here.
 */
export function writeChangedAgent(image: string, name: string, archive: string, edits: readonly Edit[]): void {
  const container = buildah('from', '--pull-never', image);
  const work = mkdtempSync('/var/tmp/waggle-other-layout-');
  try {
    const root = join(buildah('mount', container), 'waggle');
    for (const { file, from, to } of edits) {
      const path = join(root, 'bpf-agent', file);
      const text = readFileSync(path, 'utf8');
      if (text.split(from).length !== 2) throw new Error(`${file} of ${image} has not exactly one "${from}"`);
      writeFileSync(path, text.replace(from, to));
    }
    // In a place of its own: the builder works on the tree it stands in.
    cpSync(join(root, 'bpf-agent/bpf'), join(work, 'bpf-agent/bpf'), { recursive: true });
    cpSync(join(import.meta.dirname, 'build-bpf.ts'), join(work, 'scripts/build-bpf.ts'));
    execFileSync(process.execPath, ['scripts/build-bpf.ts'], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] });
    cpSync(join(work, 'build/bpf'), join(root, 'build/bpf'), { recursive: true });
    buildah('umount', container);
    buildah('commit', '--quiet', container, `docker-archive:${archive}:${name}`);
  } finally {
    buildah('rm', container);
    rmSync(work, { recursive: true, force: true });
  }
}

function buildah(...args: string[]): string {
  return execFileSync('buildah', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
}

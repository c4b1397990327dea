/**
 * An agent's image in which the kernel's maps have another layout, made of one that is there: what an upgrade across a change of
 * layout, and the way back, are tried with. Needs buildah, clang and llvm-strip, and root.
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
const EDITS: readonly Edit[] = [
  { file: 'bpf/endpoint.h', from: 'union address own[2];', to: 'union address own[2]; __u32 spare[4];' },
  { file: 'maps/endpoints.ts', from: "struct: 'endpoint',\n  size: 48,", to: "struct: 'endpoint',\n  size: 64," },
  // Of the same size: what one call of the programs may put on the stack is nearly used up.
  { file: 'bpf/connection.h', from: '\t__u32 service; ', to: '\t__u32 spare;\n\t__u32 service; ' },
  { file: 'bpf/connection.h', from: '\t__u32 reserved;\n};', to: '};' },
  { file: 'maps/connections.ts', from: 'service: [88, 4],', to: 'service: [92, 4],' },
];

/** Writes the image `name`, made of `image`, into a docker-archive. Throws where the image's sources are not as expected here. */
export function writeOtherLayout(image: string, name: string, archive: string): void {
  const container = buildah('from', '--pull-never', image);
  const work = mkdtempSync('/var/tmp/waggle-other-layout-');
  try {
    const root = join(buildah('mount', container), 'waggle');
    for (const { file, from, to } of EDITS) {
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

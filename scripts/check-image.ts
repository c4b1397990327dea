/**
 * Whether every program and library in an image is for the image's own platform, which matters where it was built on another one, and
 * whether its list of npm's packages names each that is in it, and no other:
 *
 *     node scripts/check-image.ts localhost/waggle-agent:0.1.0
 *
 * Looks at each file's ELF header. Needs buildah and root; exit code 1 when something is not so.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, globSync, lstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** By the architecture's name in an image: e_machine of <elf.h>. eBPF objects run anywhere. */
const MACHINES: Readonly<Record<string, number>> = { amd64: 62, arm64: 183 };
const BPF = 247;

const [image] = process.argv.slice(2);
if (image === undefined) {
  console.error('check-image: name an image that buildah knows');
  process.exit(1);
}
const container = buildah('from', '--pull-never', image);
try {
  const architecture = buildah('inspect', '--type', 'image', '--format', '{{.OCIv1.Architecture}}', image);
  const expected = MACHINES[architecture];
  const root = buildah('mount', container);
  const found = new Map<number, string[]>();
  for (const name of globSync('**', { cwd: root })) {
    const machine = machineOf(join(root, name));
    if (machine !== undefined) found.set(machine, [...(found.get(machine) ?? []), name]);
  }
  const { missing, absent, listed } = compareList(join(root, 'waggle'));
  buildah('umount', container);
  const foreign = [...found]
    .filter(([machine]) => machine !== expected && machine !== BPF)
    .flatMap(([, names]) => names);
  for (const name of foreign) console.error(`not for ${architecture}: ${name}`);
  const own = found.get(expected ?? 0)?.length ?? 0;
  console.log(
    `${image} (${architecture}): ${own} programs and libraries, ${found.get(BPF)?.length ?? 0} of eBPF, ${foreign.length} of other platforms; ` +
      `sbom.cdx.json names ${listed} packages`,
  );
  for (const path of missing) console.error(`not in sbom.cdx.json: ${path}`);
  for (const path of absent) console.error(`in sbom.cdx.json, but not there: ${path}`);
  const good = foreign.length === 0 && own > 0 && missing.length === 0 && absent.length === 0 && listed > 0;
  process.exitCode = good ? 0 : 1;
} finally {
  buildah('rm', container);
}

/** What is in node_modules beside what is said to be. */
function compareList(folder: string): { missing: string[]; absent: string[]; listed: number } {
  const found = globSync('**/package.json', { cwd: folder }).map((path) => dirname(path));
  const there = found.filter((path) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/.test(path));
  const { components } = JSON.parse(readFileSync(join(folder, 'sbom.cdx.json'), 'utf8')) as {
    components: { 'bom-ref': string }[];
  };
  const listed = components.map((component) => component['bom-ref']);
  const missing = there.filter((path) => !listed.includes(path));
  return { missing, absent: listed.filter((path) => !there.includes(path)), listed: listed.length };
}

/** e_machine; undefined for what is no ELF file. Both platforms are little-endian. */
function machineOf(path: string): number | undefined {
  if (!lstatSync(path).isFile()) return undefined;
  const header = Buffer.alloc(20);
  const file = openSync(path, 'r');
  try {
    if (readSync(file, header) < header.length || header.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
    return header.readUInt16LE(18);
  } finally {
    closeSync(file);
  }
}

function buildah(...args: string[]): string {
  return execFileSync('buildah', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}

/**
 * What a browser loads, in bytes of gzip: until the shell answers, and until the first map is drawn; workers included.
 *
 *     node scripts/bundle-size.ts [--json]
 *
 * Reads dist/web/.vite/manifest.json; exits with 1 when a budget is exceeded.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** Budgets in bytes of JavaScript. */
export const SHELL_BUDGET = 150_000;
export const FIRST_MAP_BUDGET = 350_000;

interface ManifestChunk {
  readonly file: string;
  readonly isEntry?: boolean;
  readonly imports?: readonly string[];
}

export interface BundleSize {
  /** The page's script and the worker that opens the stream. */
  readonly shell: number;
  /** The same, the map, the table under it and the worker that lays it out. */
  readonly firstMap: number;
  readonly files: readonly { readonly file: string; readonly gzip: number; readonly part: 'shell' | 'first map' }[];
}

/** What the first map needs beyond the shell, by source. */
const FIRST_MAP_SOURCES = ['web/features/map/map-view.tsx', 'web/features/flows/flow-table.tsx'];

export function bundleSize(folder: string): BundleSize {
  const manifest = JSON.parse(readFileSync(join(folder, '.vite/manifest.json'), 'utf8')) as Record<
    string,
    ManifestChunk
  >;
  const closure = (source: string, into: Set<string>): Set<string> => {
    const chunk = manifest[source];
    if (chunk === undefined) throw new Error(`${source} is not in the manifest of ${folder}: build the page first`);
    if (into.has(chunk.file)) return into;
    into.add(chunk.file);
    for (const each of chunk.imports ?? []) closure(each, into);
    return into;
  };
  // They are not in the manifest, but what starts them names them; the folder has those of earlier builds too.
  const scripts = Object.values(manifest).filter(({ file }) => file.endsWith('.js'));
  const code = scripts.map(({ file }) => readFileSync(join(folder, file), 'utf8')).join('\n');
  const workers = [...new Set(code.match(/[a-z]+-worker-[\w-]+\.js/g))];
  const worker = (name: string) => workers.filter((file) => file.startsWith(name)).map((file) => `assets/${file}`);
  const shell = new Set([...closure('index.html', new Set()), ...worker('session-worker')]);
  const firstMap = new Set([...shell, ...worker('map-worker')]);
  for (const source of FIRST_MAP_SOURCES) closure(source, firstMap);
  const files = [...firstMap]
    .filter((file) => file.endsWith('.js'))
    .map((file) => ({
      file,
      gzip: gzipSync(readFileSync(join(folder, file)), { level: 9 }).length,
      part: shell.has(file) ? ('shell' as const) : ('first map' as const),
    }));
  const sum = (part?: string) =>
    files.filter((each) => part === undefined || each.part === part).reduce((total, { gzip }) => total + gzip, 0);
  return { shell: sum('shell'), firstMap: sum(), files };
}

if (import.meta.main) {
  const size = bundleSize(join(import.meta.dirname, '../dist/web'));
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(size, null, 2));
  } else {
    for (const { file, gzip, part } of size.files) console.log(`${kilobytes(gzip)}  ${part.padEnd(9)}  ${file}`);
    console.log(`${kilobytes(size.shell)}  until the shell is interactive (at most ${SHELL_BUDGET / 1000} kB)`);
    console.log(`${kilobytes(size.firstMap)}  until the first map is drawn (at most ${FIRST_MAP_BUDGET / 1000} kB)`);
  }
  if (size.shell > SHELL_BUDGET || size.firstMap > FIRST_MAP_BUDGET) process.exitCode = 1;
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1).padStart(6)} kB`;
}

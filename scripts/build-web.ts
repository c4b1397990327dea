/**
 * Builds the page: web/ → dist/web, when anything it is made of changed.
 *
 *     node scripts/build-web.ts
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');
const OUTPUT = join(root, 'dist/web');
const PAGE = 'index.html';
/** Files of earlier builds stay as long: a page that is open goes on loading its parts. */
const KEPT_MS = 24 * 60 * 60_000;
const SOURCES = ['web', 'core', 'proto/gen', 'index.html', 'vite.config.ts', 'package-lock.json'];

/** Returns the folder with the built page. Throws what vite says when it cannot be built. */
export async function buildWeb(report: (line: string) => void = () => {}): Promise<string> {
  const stamp = join(OUTPUT, '.sources');
  const fingerprint = hashOf(SOURCES);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return OUTPUT;
  report('building the page');
  // In a process of its own: the bundler would keep some 500 MB for as long as the demo that asked for the page.
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  // Beside what is served, so that no page is ever asked for while half of it is there.
  const fresh = freshFolder(dirname(OUTPUT));
  try {
    const options = ['--logLevel', 'warn', '--outDir', fresh];
    // Whoever asks may be a test: with its NODE_ENV, React's development build would be taken.
    const env = { ...process.env, NODE_ENV: 'production' };
    await promisify(execFile)(process.execPath, [vite, 'build', ...options], { cwd: root, env });
    const source = readdirSync(join(fresh, 'assets')).find((name) => /\.tsx?$/.test(name));
    if (source !== undefined) throw new Error(`${source} was copied and not built: write new Worker(new URL(…))`);
    putInPlace(fresh);
    writeFileSync(stamp, fingerprint);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return OUTPUT;
}

function freshFolder(parent: string): string {
  try {
    mkdirSync(parent, { recursive: true });
    return mkdtempSync(join(parent, 'web-'));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new Error(`${parent} cannot be written to (${code}): the owner of this clone has to run "npm run build:web"`);
  }
}

/** The parts first, then the page that names them; parts that no build of late has named go. Each is there whole, or not at all. */
function putInPlace(fresh: string): void {
  for (const name of filesIn(fresh).sort((a, b) => Number(a === PAGE) - Number(b === PAGE))) {
    mkdirSync(dirname(join(OUTPUT, name)), { recursive: true });
    renameSync(join(fresh, name), join(OUTPUT, name));
  }
  const old = Date.now() - KEPT_MS;
  for (const path of filesIn(OUTPUT).map((name) => join(OUTPUT, name))) {
    if (statSync(path).mtimeMs < old) rmSync(path);
  }
}

/** Paths of all files below a folder, from there. */
function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)));
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash('sha256');
  const add = (path: string): void => {
    const full = join(root, path);
    if (statSync(full).isDirectory()) {
      for (const name of readdirSync(full).sort()) add(join(path, name));
    } else if (!/\.spec\.tsx?$/.test(path)) {
      const content = readFileSync(full);
      hash.update(`${path}\0${content.length}\0`).update(content);
    }
  };
  for (const path of paths) add(path);
  return hash.digest('hex');
}

if (import.meta.main) console.log(await buildWeb(console.log));

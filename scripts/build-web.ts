/**
 * Builds the page: web/ → dist/web, when anything it is made of changed.
 *
 *     node scripts/build-web.ts
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const root = join(import.meta.dirname, '..');
const OUTPUT = join(root, 'dist/web');
const SOURCES = ['web', 'core', 'proto/gen', 'index.html', 'vite.config.ts', 'package-lock.json'];

/** Returns the folder with the built page. Throws what vite says when it cannot be built. */
export async function buildWeb(report: (line: string) => void = () => {}): Promise<string> {
  const stamp = join(OUTPUT, '.sources');
  const fingerprint = hashOf(SOURCES);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === fingerprint) return OUTPUT;
  report('building the page');
  // In a process of its own: the bundler would keep some 500 MB for as long as the demo that asked for the page.
  const vite = join(root, 'node_modules/vite/bin/vite.js');
  await promisify(execFile)(process.execPath, [vite, 'build', '--logLevel', 'warn'], { cwd: root });
  writeFileSync(stamp, fingerprint);
  return OUTPUT;
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

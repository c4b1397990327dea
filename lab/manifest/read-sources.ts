import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A manifest's text and the name its problems are told by. */
export interface ManifestSource {
  name: string;
  text: string;
}

const MANIFEST_FILE = /\.(ya?ml|json)$/i;

/**
 * Reads what `-f` names: files, folders (their manifests, not those of folders below, in order of name) and "-" for
 * standard input. Throws an error that names the path when one cannot be read.
 */
export function readSources(paths: string[]): ManifestSource[] {
  return paths.flatMap((path) => {
    if (path === '-') return [{ name: 'stdin', text: readFileSync(0, 'utf8') }];
    if (!existsSync(path)) throw new Error(`${path}: no such file or folder`);
    if (!statSync(path).isDirectory()) return [{ name: path, text: readFileSync(path, 'utf8') }];
    const files = readdirSync(path).filter((file) => MANIFEST_FILE.test(file));
    if (files.length === 0) throw new Error(`${path}: holds no .yaml, .yml or .json file`);
    return files.sort().map((file) => ({ name: join(path, file), text: readFileSync(join(path, file), 'utf8') }));
  });
}

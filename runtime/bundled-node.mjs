// The Node 24 that comes with the dependencies. Plain JavaScript: it is asked for by an older one.
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Its path, or undefined where none came. npm before 11 takes the link `node_modules/.bin/node` away again together with the
 * packages of other platforms, which have a program of that name too; then it is put back, for scripts that call `node`.
 */
export function bundledNode(root) {
  const link = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(link)) return link;
  const { platform, arch } = process;
  const name = [`node-${platform}-${arch}`, `node-bin-${platform}-${arch}`].find((candidate) =>
    existsSync(join(root, 'node_modules', candidate, 'bin', 'node')),
  );
  if (name === undefined) return undefined;
  try {
    symlinkSync(join('..', name, 'bin', 'node'), link);
  } catch {
    // Not ours to write, or another process was faster.
  }
  return join(root, 'node_modules', name, 'bin', 'node');
}

import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

/** The PATH of a container that sets none, as container runtimes have it. */
export const CONTAINER_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const found = new Map<string, string>();

/** Absolute path of a system tool: a container's own PATH must not decide how the container is set up. */
export function tool(name: string): string {
  let path = found.get(name);
  if (path === undefined) {
    const folders = [...(process.env.PATH ?? '').split(':'), ...CONTAINER_PATH.split(':')].filter(Boolean);
    path = folders.map((folder) => join(folder, name)).find(isExecutable);
    if (path === undefined) throw new Error(`${name} is not installed; the lab needs it`);
    found.set(name, path);
  }
  return path;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import {
  chmodSync,
  copyFileSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

const PLUGIN = 'waggle-cni';
const FILES = [PLUGIN, `${PLUGIN}.mjs`];
/** Beside the plugin in the runtime's folder; a name of ours, as that folder is everybody's. */
const NODE = 'waggle-cni-node';

/** The plugin cannot be put in place; the message says which file stands in the way, and what to do. */
export class CniInstallError extends Error {
  override readonly name = 'CniInstallError';
}

export interface CniPlaces {
  /** The runtime's folder of plugins. */
  readonly binDir: string;
  /** The runtime's folder of networks' configurations. */
  readonly confDir: string;
}

interface NetworkList {
  plugins?: { type?: unknown; [field: string]: unknown }[];
  [field: string]: unknown;
}

/**
 * Puts the plugin, with a Node of its own, into the runtime's folder and at the end of the network's list. What is there
 * already is brought up to date. Each file appears whole: the runtime may read at any time.
 * @param pluginDir where scripts/build-cni.ts has put it
 * @param agentSocket as the node sees it
 * @returns the list that names it now
 */
export function installPlugin({ binDir, confDir }: CniPlaces, pluginDir: string, agentSocket: string): string {
  const path = networkList(confDir);
  const list = readList(path);
  mkdirSync(binDir, { recursive: true });
  place(join(binDir, NODE), (draft) => copyFileSync(process.execPath, draft));
  place(join(binDir, `${PLUGIN}.mjs`), (draft) => copyFileSync(join(pluginDir, `${PLUGIN}.mjs`), draft));
  place(join(binDir, PLUGIN), (draft) => {
    const launcher = readFileSync(join(pluginDir, PLUGIN), 'utf8');
    writeFileSync(draft, launcher.replaceAll('$here/node', `$here/${NODE}`));
  });
  // The list last: it may name only what is there.
  writeList(path, withOurs(list, agentSocket));
  return path;
}

/**
 * Puts the entry back at the end of the list that the runtime takes, where whoever wrote that list has left it out.
 * Throws CniInstallError where there is no list that it could be in.
 * @returns the list, where it had to be changed
 */
export function keepEntry(confDir: string, agentSocket: string): string | undefined {
  const path = networkList(confDir);
  const list = readList(path);
  // Others may have put themselves behind it.
  if (list.plugins!.some(({ type }) => type === PLUGIN)) return undefined;
  writeList(path, withOurs(list, agentSocket));
  return path;
}

/** Takes it out of every list, and then away. Returns the lists that named it. */
export function uninstallPlugin({ binDir, confDir }: CniPlaces): string[] {
  const changed: string[] = [];
  for (const path of lists(confDir)) {
    const list = readList(path);
    const others = withoutOurs(list);
    if (others.length === list.plugins!.length) continue;
    writeList(path, { ...list, plugins: others });
    changed.push(path);
  }
  for (const name of [...FILES, NODE]) rmSync(join(binDir, name), { force: true });
  return changed;
}

/** The list a runtime takes: the first by name. */
function networkList(confDir: string): string {
  const [first] = lists(confDir);
  if (first !== undefined) return first;
  const [single] = globSync(join(confDir, '*.{conf,json}')).sort();
  throw new CniInstallError(
    single === undefined
      ? `${confDir} has no network yet: install the cluster's network first`
      : `${single} is a single plugin: make it a .conflist, which plugins can be added to`,
  );
}

function lists(confDir: string): string[] {
  return globSync(join(confDir, '*.conflist')).sort();
}

function readList(path: string): NetworkList {
  let list: unknown;
  try {
    list = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new CniInstallError(`${path} cannot be read: ${(error as Error).message}`);
  }
  if (typeof list !== 'object' || list === null || !Array.isArray((list as NetworkList).plugins)) {
    throw new CniInstallError(`${path} has no list of plugins`);
  }
  return list as NetworkList;
}

function writeList(path: string, list: NetworkList): void {
  const { mode } = statSync(path);
  place(path, (draft) => writeFileSync(draft, `${JSON.stringify(list, null, 2)}\n`), mode & 0o777);
}

function withOurs(list: NetworkList, agentSocket: string): NetworkList {
  return { ...list, plugins: [...withoutOurs(list), { type: PLUGIN, agentSocket }] };
}

function withoutOurs(list: NetworkList): NonNullable<NetworkList['plugins']> {
  return list.plugins!.filter(({ type }) => type !== PLUGIN);
}

function place(path: string, write: (draft: string) => void, mode = 0o755): void {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}`);
  try {
    write(draft);
    chmodSync(draft, mode);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw new CniInstallError(`${path} cannot be written: ${(error as Error).message}`);
  }
}

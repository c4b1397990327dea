import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import { type ApiAccess, ApiAccessError, type ApiCredentials } from './api-access.ts';
import { ExecCredential } from './exec-credential.ts';

const MOST_BYTES = 4 * 1024 * 1024;
/** Files that a kubeconfig names are looked at again this often: tokens are renewed in place. */
const REREAD_MS = 60_000;

type Fields = Readonly<Record<string, unknown>>;

/** Where kubectl would look: KUBECONFIG's first file that is there, else `~/.kube/config`. */
export async function defaultKubeconfig(environment: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const named = environment.KUBECONFIG?.split(':').filter((path) => path !== '') ?? [];
  for (const path of named.length > 0 ? named : [join(homedir(), '.kube/config')]) {
    if (await stat(path).catch(() => undefined)) return path;
  }
  return undefined;
}

/**
 * Access by a kubeconfig: certificates, tokens, files of them, passwords and credential plugins (EKS, GKE, AKS). Throws
 * ApiAccessError naming the field. Paths in it are relative to its folder.
 * @param contextName default: its `current-context`
 */
export async function kubeconfigAccess(path: string, contextName?: string): Promise<ApiAccess> {
  const document = await readDocument(path);
  const problem = (message: string) => new ApiAccessError(`kubeconfig ${path}: ${message}`);
  const entry = (list: string, name: string, key: string): Fields => {
    const entries = Array.isArray(document[list]) ? (document[list] as Fields[]) : [];
    const found = entries.find((item) => item?.name === name)?.[key];
    if (typeof found !== 'object' || found === null) {
      const names = entries.map((item) => String(item?.name)).join(', ');
      throw problem(`${list} has no "${name}"${names === '' ? '' : `; there are ${names}`}`);
    }
    return found as Fields;
  };
  const chosen = contextName ?? text(document, 'current-context');
  if (chosen === undefined) throw problem('no current-context: name one with --context');
  const context = entry('contexts', chosen, 'context');
  const cluster = entry('clusters', text(context, 'cluster') ?? '', 'cluster');
  const userName = text(context, 'user') ?? '';
  const user = userName === '' ? {} : entry('users', userName, 'user');
  if (user['auth-provider'] !== undefined) {
    throw problem(`user "${userName}" has an auth-provider, which Kubernetes took out in 1.26: use an exec plugin`);
  }
  if (cluster['proxy-url'] !== undefined) throw problem(`cluster "${context.cluster}": proxy-url is not supported`);

  const server = text(cluster, 'server') ?? '';
  if (!URL.canParse(server) || !/^https?:/.test(server)) throw problem(`server "${server}" is not an http(s) address`);
  const folder = dirname(path);
  const file = async (fields: Fields, key: string): Promise<string | undefined> => {
    const inline = text(fields, `${key}-data`);
    if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
    const named = text(fields, key);
    return named === undefined ? undefined : readText(resolve(folder, named), problem);
  };
  const load = async (): Promise<ApiCredentials> => {
    const tokenFile = text(user, 'tokenFile');
    const name = text(user, 'username');
    return {
      authorities: await file(cluster, 'certificate-authority'),
      certificate: await file(user, 'client-certificate'),
      key: await file(user, 'client-key'),
      token:
        tokenFile === undefined ? text(user, 'token') : (await readText(resolve(folder, tokenFile), problem)).trim(),
      ...(name === undefined ? {} : { basic: { name, password: text(user, 'password') ?? '' } }),
    };
  };
  const plugin = execPlugin(user, folder, `kubeconfig ${path}, user "${userName}"`);
  let known = await load();
  let readAt = performance.now();
  return {
    server: new URL(server),
    namespace: text(context, 'namespace') ?? 'default',
    serverName: text(cluster, 'tls-server-name'),
    insecure: cluster['insecure-skip-tls-verify'] === true,
    origin: path,
    credentials: async (renew = false) => {
      if (renew || performance.now() - readAt > REREAD_MS) {
        known = await load();
        readAt = performance.now();
      }
      return plugin === undefined ? known : { ...known, ...(await plugin.get(renew)) };
    },
  };
}

async function readDocument(path: string): Promise<Fields> {
  const problem = (message: string) => new ApiAccessError(`kubeconfig ${path}: ${message}`);
  const content = await readText(path, problem);
  if (content.length > MOST_BYTES) throw problem(`${content.length} bytes are too many`);
  let document: unknown;
  try {
    document = parse(content);
  } catch (error) {
    // The message's first line has the place; the rest quotes the file, which holds secrets.
    throw problem(String((error as Error).message).split('\n')[0]!);
  }
  if (typeof document !== 'object' || document === null) throw problem('expected an object');
  return document as Fields;
}

async function readText(path: string, problem: (message: string) => Error): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw problem(`${path} cannot be read (${(error as NodeJS.ErrnoException).code})`);
  }
}

function execPlugin(user: Fields, folder: string, origin: string): ExecCredential | undefined {
  const exec = user.exec as Fields | undefined;
  const command = exec === undefined ? undefined : text(exec, 'command');
  if (exec === undefined || command === undefined) return undefined;
  const env = (Array.isArray(exec.env) ? exec.env : []) as { name?: unknown; value?: unknown }[];
  return new ExecCredential(
    {
      // As kubectl: a path with a slash is relative to the kubeconfig, a bare name is looked up.
      command: command.includes('/') ? resolve(folder, command) : command,
      args: (Array.isArray(exec.args) ? exec.args : []).map(String),
      env: Object.fromEntries(env.map(({ name, value }) => [String(name), String(value ?? '')])),
      apiVersion: text(exec, 'apiVersion') ?? 'client.authentication.k8s.io/v1',
      installHint: text(exec, 'installHint') ?? '',
    },
    origin,
  );
}

function text(fields: Fields, key: string): string | undefined {
  const value = fields[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

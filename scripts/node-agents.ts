/** The node of scripts/node-cluster.ts and the agent on it, as scripts/node-story.ts asks and changes them. */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { STORY } from './node-workload.ts';

/** The folder of the node's files; empty outside of it. */
export const BOX = process.env.NODE_CLUSTER ?? '';
export const NAMESPACE = 'waggle';
/** The agent's own socket, in its container. */
export const SOCKET = 'unix:///run/waggle/agent/agent.sock';
export const CONF_DIR = join(BOX, 'cni/net.d');
export const BIN_DIR = join(BOX, 'cni/bin');
const PINS = '/sys/fs/bpf/waggle';
const METRICS = 'http://172.30.0.2:9965/metrics';
const READY_MS = 180_000;

/** What a program prints; throws when it fails. */
export function run(command: string, ...args: string[]): string {
  return execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

export const kubectl = (...args: string[]): string => run('kubectl', ...args);

/** What `look` finds, as soon as it does. */
export async function until<T>(what: string, look: () => T | undefined | false): Promise<T> {
  for (const deadline = Date.now() + READY_MS; ; await sleep(250)) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`not in ${READY_MS / 1000} s: ${what}`);
  }
}

export function helm(...args: string[]): string {
  return run('helm', ...args, '--namespace', NAMESPACE);
}

interface PodObject {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly spec: { readonly containers: readonly { readonly image: string }[] };
  readonly status: { readonly containerStatuses?: readonly { readonly ready: boolean }[] };
}

/** The agent pod that is not on its way out, when it is ready and of this image. */
export function readyAgent(image: string): string | undefined {
  const query = ['-n', NAMESPACE, 'get', 'pod', '-l', 'app.kubernetes.io/component=agent', '-o', 'json'];
  const { items } = JSON.parse(kubectl(...query)) as { items: PodObject[] };
  const found = items.find(
    ({ metadata, spec, status }) =>
      metadata.deletionTimestamp === undefined &&
      spec.containers[0]?.image === image &&
      status.containerStatuses?.[0]?.ready === true,
  );
  return found?.metadata.name;
}

/** What `waggle …` says in the agent's container. */
export function inAgent(...args: string[]): string {
  const pod = kubectl('-n', NAMESPACE, 'get', 'pod', '-l', 'app.kubernetes.io/component=agent', '-o', 'name').trim();
  return kubectl('-n', NAMESPACE, 'exec', pod, '-c', 'agent', '--', 'node', '/waggle/cli/bin.mjs', ...args);
}

/** Everything pinned. */
export function pins(): string[] {
  return globSync(`${PINS}/**`).filter((path) => !statSync(path).isDirectory());
}

/** Maps that have more than one pin: the layout of another version beside this one's. */
export function doubled(): string[] {
  const names = pins().flatMap((path) => /\/maps\/(.+)-[0-9a-f]+$/.exec(path)?.[1] ?? []);
  return names.filter((name, index) => names.indexOf(name) !== index);
}

/** What the agent says it has lost since its start. */
export async function losses(): Promise<string> {
  const text = await (await fetch(METRICS)).text();
  const lines = text.split('\n').filter((line) => /^[a-z_]*lost[a-z_]*(\{| )/.test(line) && !line.endsWith(' 0'));
  return lines.join('; ') || 'none';
}

/** What the agent has dropped of a pod's packets. */
export function refused(pod: string): string[] {
  const flags = ['--server', SOCKET, '--last', '5', '--verdict', 'DROPPED', '--pod', `${STORY}/${pod}`];
  return inAgent('observe', ...flags)
    .split('\n')
    .filter((line) => line !== '');
}

/** The plugins of the node's network, in their order. */
export function plugins(): string[] {
  return network().list.plugins.map(({ type }) => type);
}

/** Writes the network's list as the network does when it starts again: without what others have put into it. */
export function rewriteNetwork(): void {
  const { path, list } = network();
  writeFileSync(path, JSON.stringify({ ...list, plugins: list.plugins.filter(({ type }) => type !== 'waggle-cni') }));
}

function network(): { path: string; list: { plugins: { type: string }[] } } {
  const [path = ''] = globSync(join(CONF_DIR, '*.conflist'));
  return { path, list: JSON.parse(readFileSync(path, 'utf8')) };
}

import type { Dirent } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { formatAddress, ipVersion, parseAddress } from '#core/ip/address.ts';
import type { Frontend } from '#core/service/service.ts';

/** A socket whose peer is a Service's own address: it was connected before there were programs to exchange that. */
export interface UntranslatedSocket {
  readonly frontend: Frontend;
  /** Its own address and port. */
  readonly address: string;
  readonly port: number;
  /** Who holds it, as far as can be seen: process id (0 = nobody found) and name. */
  readonly process: number;
  readonly command: string;
}

export interface UntranslatedSockets {
  /** At most `MOST_LISTED`. */
  readonly sockets: readonly UntranslatedSocket[];
  readonly total: number;
}

/** Sockets told one by one. */
const MOST_LISTED = 64;
/** Processes looked at: beyond them, a machine is stranger than we can look through. */
const MOST_PROCESSES = 20_000;
/** An answer is good for this long, in milliseconds: looking takes the longer the more sockets there are. Where there were none, hardly any come. */
const FRESH_MS = 5_000;
const FRESH_NONE_MS = 30_000;
const DEPTH = 12;
const PROTOCOLS = [
  { file: 'tcp', protocol: 6 },
  { file: 'tcp6', protocol: 6 },
  { file: 'udp', protocol: 17 },
  { file: 'udp6', protocol: 17 },
] as const;
/** States of /proc/net/tcp in which a socket is with somebody: established, both halves of closing. UDP: connected. */
const CONNECTED = new Set(['01', '04', '05', '08', '09', '0B']);

interface Found {
  readonly key: string;
  readonly local: string;
  readonly inode: string;
  readonly namespace: string;
}

/**
 * Looks through the sockets of the node's network namespaces. A translated socket's peer is a backend, so whatever has a
 * Service's address for its peer is with kube-proxy's rules, or with nobody.
 */
export class UntranslatedSocketFinder {
  readonly #frontends: () => Iterable<Frontend>;
  readonly #cgroup: string;
  readonly #procRoot: string;
  #known: { untilMs: number; readonly answer: Promise<UntranslatedSockets> } | undefined;

  /** @param cgroup below it are the processes whose network namespaces are looked at, beside our own */
  constructor(frontends: () => Iterable<Frontend>, cgroup: string, procRoot = '/proc') {
    this.#frontends = frontends;
    this.#cgroup = cgroup;
    this.#procRoot = procRoot;
  }

  find(nowMs: number = performance.now()): Promise<UntranslatedSockets> {
    if (this.#known !== undefined && nowMs < this.#known.untilMs) return this.#known.answer;
    const known = { untilMs: nowMs + FRESH_MS, answer: this.#look() };
    this.#known = known;
    void known.answer.then(({ total }) => {
      if (total === 0) known.untilMs = nowMs + FRESH_NONE_MS;
    });
    return known.answer;
  }

  async #look(): Promise<UntranslatedSockets> {
    const wanted = new Map<string, Frontend>();
    for (const frontend of this.#frontends()) for (const key of keysOf(frontend)) wanted.set(key, frontend);
    if (wanted.size === 0) return { sockets: [], total: 0 };
    const namespaces = await this.#namespaces();
    const found: Found[] = [];
    for (const [namespace, [process]] of namespaces) {
      for (const { file, protocol } of PROTOCOLS) {
        const text = await readText(`${this.#procRoot}/${process}/net/${file}`);
        for (const one of connectedTo(text, protocol, wanted)) found.push({ ...one, namespace });
      }
    }
    const listed = found.slice(0, MOST_LISTED);
    const holders = await this.#holders(listed, namespaces);
    const sockets = await Promise.all(
      listed.map(async ({ key, local, inode }) => {
        const process = holders.get(inode) ?? 0;
        const command = process === 0 ? '' : await this.#command(process);
        return { frontend: wanted.get(key)!, ...localEnd(local), process, command };
      }),
    );
    return { sockets, total: found.length };
  }

  /** Network namespaces with the processes in them. */
  async #namespaces(): Promise<Map<string, number[]>> {
    const namespaces = new Map<string, number[]>();
    const processes = [process.pid, ...(await processesBelow(this.#cgroup, DEPTH))].slice(0, MOST_PROCESSES);
    for (const pid of processes) {
      const namespace = await readlink(`${this.#procRoot}/${pid}/ns/net`).catch(() => undefined);
      if (namespace === undefined) continue; // it has ended
      const known = namespaces.get(namespace);
      if (known === undefined) namespaces.set(namespace, [pid]);
      else known.push(pid);
    }
    return namespaces;
  }

  /** The program's name as it was started, without its arguments: they may hold secrets. Threads may have named the process otherwise. */
  async #command(process: number): Promise<string> {
    const [path = ''] = (await readText(`${this.#procRoot}/${process}/cmdline`)).split('\0', 1);
    return basename(path) || (await readText(`${this.#procRoot}/${process}/comm`)).trim();
  }

  /** By inode of the socket: a process that has it open. */
  async #holders(
    sockets: readonly Found[],
    namespaces: ReadonlyMap<string, readonly number[]>,
  ): Promise<Map<string, number>> {
    const holders = new Map<string, number>();
    const inodes = new Set(sockets.map(({ inode }) => inode));
    for (const namespace of new Set(sockets.map((socket) => socket.namespace))) {
      for (const pid of namespaces.get(namespace) ?? []) {
        const folder = `${this.#procRoot}/${pid}/fd`;
        for (const fd of await readdir(folder).catch(() => [])) {
          const target = await readlink(`${folder}/${fd}`).catch(() => '');
          const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
          if (inode !== undefined && inodes.has(inode)) holders.set(inode, pid);
        }
      }
    }
    return holders;
  }
}

async function processesBelow(directory: string, depth: number): Promise<number[]> {
  const text = await readText(join(directory, 'cgroup.procs'));
  const processes = text.split('\n').flatMap((line) => (Number(line) > 0 ? Number(line) : []));
  if (depth === 0) return processes;
  const entries = await readdir(directory, { withFileTypes: true }).catch((): Dirent[] => []);
  for (const entry of entries) {
    if (entry.isDirectory()) processes.push(...(await processesBelow(join(directory, entry.name), depth - 1)));
    if (processes.length > MOST_PROCESSES) break;
  }
  return processes;
}

/** Empty where it cannot be read: its process has ended, or the kernel has no such family. */
async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}

/** Lines of /proc/net/{tcp,udp}{,6}: `sl local remote st tx:rx tr:when retransmits uid timeout inode …` */
function* connectedTo(
  text: string,
  protocol: number,
  wanted: ReadonlyMap<string, Frontend>,
): Generator<Omit<Found, 'namespace'>> {
  for (const line of text.split('\n')) {
    const [, local = '', remote = '', state = '', , , , , , inode = ''] = line.trim().split(/ +/, 10);
    if (!CONNECTED.has(state)) continue;
    const key = `${protocol}/${remote}`;
    if (wanted.has(key)) yield { key, local, inode };
  }
}

/** As the kernel writes the frontend's address: of IPv4, also as IPv6 sockets have it. */
function keysOf({ address, port, protocol }: Frontend): string[] {
  const bytes = parseAddress(address);
  const end = port.toString(16).toUpperCase().padStart(4, '0');
  const own = `${protocol}/${hexWords(bytes)}:${end}`;
  return ipVersion(address) === 4 ? [own, `${protocol}/0000000000000000FFFF0000${hexWords(bytes)}:${end}`] : [own];
}

/** 32-bit words as numbers of a little-endian machine. */
function hexWords(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4) {
    for (let byte = at + 3; byte >= at; byte--) text += bytes[byte]!.toString(16).padStart(2, '0');
  }
  return text.toUpperCase();
}

function localEnd(text: string): { address: string; port: number } {
  const [hex = '', port = ''] = text.split(':');
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) {
    const from = (at & ~3) + 3 - (at & 3);
    bytes[at] = Number.parseInt(hex.slice(from * 2, from * 2 + 2), 16);
  }
  return { address: formatAddress(bytes), port: Number.parseInt(port, 16) };
}

import { randomInt } from 'node:crypto';
import type { Socket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { decode, encode, RECURSION_DESIRED } from 'dns-packet';

export interface LookupResult {
  /** At least one. */
  addresses: string[];
}

const TIMEOUT_MS = 2_000;
const ATTEMPTS = 2;
const MAX_CACHED_S = 5;
const MAX_CACHED_NAMES = 1_000;

interface Cached {
  addresses: string[];
  until: number;
}

/**
 * A stub resolver as libc's: names with fewer dots than `ndots` go through the search list first. It sends its questions from
 * the pod's own network, through sockets it is given, to the nameserver of the pod's resolv.conf.
 */
export class Resolver {
  readonly #resolvConf: string;
  readonly #socket: (family: 4 | 6) => Promise<Socket>;
  readonly #cache = new Map<string, Cached>();

  constructor(resolvConf: string, socket: (family: 4 | 6) => Promise<Socket>) {
    this.#resolvConf = resolvConf;
    this.#socket = socket;
  }

  /** Addresses of a name; an address is its own. Rejects with code ENOTFOUND, or EAI_AGAIN when nobody answered. */
  async lookup(host: string): Promise<LookupResult> {
    if (isIP(host)) return { addresses: [host] };
    const cached = this.#cache.get(host);
    if (cached && cached.until > Date.now()) return { addresses: cached.addresses };
    const config = parseResolvConf(readFileSync(this.#resolvConf, 'utf8'));
    for (const name of candidates(host, config.search, config.ndots)) {
      for (const type of ['A', 'AAAA'] as const) {
        const answer = await this.#ask(name, type, config.nameservers);
        if (answer.addresses.length > 0) {
          if (this.#cache.size >= MAX_CACHED_NAMES) this.#cache.clear();
          const ttl = Math.min(MAX_CACHED_S, answer.ttl);
          this.#cache.set(host, { addresses: answer.addresses, until: Date.now() + 1000 * ttl });
          return { addresses: answer.addresses };
        }
        if (!answer.exists) break;
      }
    }
    throw Object.assign(new Error(`${host}: no such name`), { code: 'ENOTFOUND' });
  }

  async #ask(name: string, type: 'A' | 'AAAA', nameservers: string[]): Promise<Answer> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      for (const nameserver of nameservers) {
        const answer = await this.#askOne(name, type, nameserver);
        if (answer) return answer;
      }
    }
    const message = nameservers.length === 0 ? 'no nameserver is set' : `no answer from ${nameservers.join(', ')}`;
    throw Object.assign(new Error(`${name}: ${message}`), { code: 'EAI_AGAIN' });
  }

  async #askOne(name: string, type: 'A' | 'AAAA', nameserver: string): Promise<Answer | undefined> {
    const socket = await this.#socket(nameserver.includes(':') ? 6 : 4);
    const id = randomInt(65_536);
    const query = encode({ type: 'query', id, flags: RECURSION_DESIRED, questions: [{ type, name }] });
    return new Promise((resolve) => {
      let open = true;
      const done = (answer: Answer | undefined): void => {
        clearTimeout(timer);
        if (open) socket.close();
        open = false;
        resolve(answer);
      };
      const timer = setTimeout(() => done(undefined), TIMEOUT_MS);
      socket.once('error', () => done(undefined));
      // The program was stopped, and its sockets with it.
      socket.once('close', () => {
        open = false;
        done(undefined);
      });
      socket.on('message', (message, sender) => {
        const answer = sender.address === nameserver ? readAnswer(message, id, type) : undefined;
        if (answer) done(answer);
      });
      socket.send(query, 53, nameserver, (error) => error && done(undefined));
    });
  }
}

interface Answer {
  exists: boolean;
  addresses: string[];
  /** Seconds. */
  ttl: number;
}

function readAnswer(message: Buffer, id: number, type: 'A' | 'AAAA'): Answer | undefined {
  try {
    const packet = decode(message);
    if (packet.id !== id || packet.type !== 'response') return undefined;
    const records = (packet.answers ?? []).flatMap((record) => (record.type === type ? [record] : []));
    const code = (packet.flags ?? 0) & 15;
    if (code !== 0 && code !== 3) return undefined;
    return {
      exists: code === 0,
      addresses: records.map((record) => record.data),
      ttl: Math.min(...records.map((record) => record.ttl ?? 0)),
    };
  } catch {
    return undefined;
  }
}

export interface ResolvConfig {
  nameservers: string[];
  search: string[];
  ndots: number;
}

export function parseResolvConf(text: string): ResolvConfig {
  const config: ResolvConfig = { nameservers: [], search: [], ndots: 1 };
  for (const line of text.split('\n')) {
    const [keyword, ...words] = line.trim().split(/\s+/);
    if (keyword === 'nameserver' && words[0] !== undefined) config.nameservers.push(words[0]);
    else if (keyword === 'search') config.search = words;
    else if (keyword === 'options') {
      const ndots = words.find((word) => word.startsWith('ndots:'));
      if (ndots !== undefined) config.ndots = Number(ndots.slice('ndots:'.length));
    }
  }
  return config;
}

/** The names to ask for, in order. */
export function candidates(host: string, search: string[], ndots: number): string[] {
  if (host.endsWith('.')) return [host.slice(0, -1)];
  const searched = search.map((domain) => `${host}.${domain}`);
  const dots = host.split('.').length - 1;
  return dots >= ndots ? [host, ...searched] : [...searched, host];
}

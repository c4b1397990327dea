import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { request } from 'node:http';
import { parseAddress } from '#runtime/address.ts';
import type { Logger } from '#runtime/log.ts';
import type { EndedPart, EndedSession, EndedSessions } from './ended-sessions.ts';
import type { Seal } from './sealed.ts';

/** Where a replica is asked, below the root of its page. */
export const REPLICA_PATH = '/sessions/ended';
/** Sessions in one message: some 70 bytes each. */
const MOST_TOLD = 500;
/** Bytes of a message. */
export const MOST_MESSAGE = 128 * 1024;
const EVERY_MS = 5_000;
const DEADLINE_MS = 2_000;
const MOST_REPLICAS = 64;

interface Ask extends EndedPart {
  /** Comes back in the answer, so that an old one is none. */
  readonly nonce: string;
  readonly from: string;
  /** Whom the asker expects, and up to where it has heard of their list. */
  readonly to: string;
  readonly heard: number;
  readonly floorMs: number;
}

interface Answer extends EndedPart {
  readonly nonce: string;
  readonly from: string;
  readonly floorMs: number;
  /** Since when it knows of all that ended. */
  readonly sinceMs: number;
}

export interface ReplicasOptions {
  /** Of the sessions: who has its keys is a replica. */
  readonly seal: Seal;
  readonly ended: EndedSessions;
  /** `host:port` of the page of each; a name stands for all its addresses, this replica's own among them. */
  readonly targets: readonly string[];
  readonly log: Logger;
  readonly everyMs?: number;
}

/**
 * Replicas of this backend, told of sessions that end here, and asked for those that ended there. What they say to each other is sealed with the
 * keys of the sessions, so it needs no certificates and no port of its own: who has those keys could make sessions anyway.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #instance = randomBytes(9).toString('base64url');
  readonly #replicas = new Map<string, Replica>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ReplicasOptions) {
    this.#options = options;
  }

  /** Other replicas that answered when they were last asked. */
  get answering(): number {
    return [...this.#replicas.values()].filter(({ answers }) => answers).length;
  }

  /** Resolves when those that answer were asked: what ended while this replica was not there is known. Takes 4 s at most. */
  async start(): Promise<void> {
    const late = new Promise<void>((resolve) => setTimeout(resolve, 2 * DEADLINE_MS).unref());
    await Promise.race([this.#round(), late]);
    this.#wait();
  }

  /** Tells them what has ended. Resolves when each has it, or does not answer: then it is told later. */
  async tell(): Promise<void> {
    await Promise.all([...this.#replicas.values()].map((replica) => replica.exchange()));
  }

  /** What is answered to another replica; undefined when it is none. */
  answer(message: string): string | undefined {
    const { seal, ended } = this.#options;
    const ask = seal.open('ended-ask', message) as Ask | undefined;
    if (ask === undefined) return undefined;
    if (ask.from !== this.#instance) take(ended, ask);
    const heard = ask.to === this.#instance ? ask.heard : 0;
    const answer: Answer = {
      nonce: ask.nonce,
      from: this.#instance,
      floorMs: ended.floorMs,
      sinceMs: ended.sinceMs,
      ...ended.after(heard, MOST_TOLD),
    };
    return seal.seal('ended-answer', answer);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #wait(): void {
    if (this.#closed) return;
    this.#timer = setTimeout(async () => {
      await this.#round();
      this.#wait();
    }, this.#options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    const found = await Promise.all(this.#options.targets.map((target) => this.#addresses(target)));
    // Where a name is not known at the moment, those of before are.
    if (found.every((addresses) => addresses !== undefined)) {
      const there = new Set(found.flat());
      for (const key of this.#replicas.keys()) if (!there.has(key)) this.#replicas.delete(key);
    }
    for (const key of found.flat()) {
      if (key === undefined || this.#replicas.has(key) || this.#replicas.size >= MOST_REPLICAS) continue;
      this.#replicas.set(key, new Replica(key, this.#instance, this.#options));
    }
    await this.tell();
  }

  /** `address port`, each. */
  async #addresses(target: string): Promise<string[] | undefined> {
    const parsed = parseAddress(target);
    if (parsed?.kind !== 'tcp') throw new TypeError(`"${target}" is not host:port`);
    try {
      const found = await lookup(parsed.host, { all: true });
      return found.map(({ address }) => `${address} ${parsed.port}`);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      this.#options.log.warn({ target, code }, 'the name of the replicas is not known: they do not hear who signs out');
      return undefined;
    }
  }
}

class Replica {
  readonly #host: string;
  readonly #port: number;
  readonly #own: string;
  readonly #options: ReplicasOptions;
  /** Whom it is, up to where its list has been heard, and up to where ours was told. */
  #instance = '';
  #heard = 0;
  #told = 0;
  #complained = false;
  /** It is another one, and answered when it was last asked. */
  answers = false;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(key: string, own: string, options: ReplicasOptions) {
    const [host = '', port = ''] = key.split(' ');
    this.#host = host;
    this.#port = Number(port);
    this.#own = own;
    this.#options = options;
  }

  /** Never rejects. One that has not begun yet takes along what there is by then. */
  exchange(): Promise<void> {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined;
      this.#running = this.#exchange();
      return this.#running;
    });
    return this.#next;
  }

  async #exchange(): Promise<void> {
    const { ended, log } = this.#options;
    // What has ended until now, but not what does meanwhile: that has an exchange of its own.
    const until = ended.sequence;
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    const replica = `${this.#host}:${this.#port}`;
    try {
      for (let more = true; more; ) more = await this.#once(until, deadline);
      this.answers = this.#instance !== '';
      if (this.#complained) log.info({ replica }, 'the replica hears who signs out');
      this.#complained = false;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!this.#complained)
        log.warn({ replica, why }, 'a replica does not hear who signs out; it is told again and again');
      this.#complained = true;
      this.answers = false;
    }
  }

  /** Whether there is more to tell or to hear. */
  async #once(until: number, deadline: AbortSignal): Promise<boolean> {
    const { seal, ended } = this.#options;
    const part = ended.after(this.#told, MOST_TOLD);
    const nonce = randomBytes(9).toString('base64url');
    const ask: Ask = {
      nonce,
      from: this.#own,
      to: this.#instance,
      heard: this.#heard,
      floorMs: ended.floorMs,
      ...part,
    };
    const text = await post(this.#host, this.#port, seal.seal('ended-ask', ask), deadline);
    const answer = seal.open('ended-answer', text) as Answer | undefined;
    if (answer?.nonce !== nonce) throw new Error('it does not have the same session keys');
    if (answer.from === this.#own) return false;
    if (answer.from !== this.#instance) {
      // Another process than before: it may know nothing of what the one before was told.
      this.#instance = answer.from;
      this.#told = 0;
      this.#heard = 0;
      return true;
    }
    take(ended, answer);
    this.#told = part.upTo;
    this.#heard = answer.upTo;
    // Only who has heard all of it knows as much.
    if (!answer.more) ended.reachBackTo(answer.sinceMs);
    return answer.more || this.#told < until;
  }
}

function take(ended: EndedSessions, { ended: sessions, floorMs }: EndedPart & { readonly floorMs: number }): void {
  ended.raiseFloor(floorMs);
  for (const session of sessions satisfies readonly EndedSession[]) ended.add(session);
}

function post(host: string, port: number, body: string, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    // By address, but under a name that each of them answers to, whatever its address is called where it runs.
    const headers = { host: 'localhost', 'content-type': 'text/plain' };
    const asked = request({ host, port, path: REPLICA_PATH, method: 'POST', headers, signal }, (response) => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > MOST_MESSAGE) asked.destroy(new Error('its answer is too long'));
      });
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(text);
        else if (response.statusCode === 403) reject(new Error('it does not have the same session keys'));
        else reject(new Error(`it answers with HTTP ${response.statusCode}`));
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

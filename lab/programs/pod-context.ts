import dgram from 'node:dgram';
import { type Server, Socket } from 'node:net';
import { Netns } from '../network/netns.ts';
import type { ProgramStart } from './host-protocol.ts';
import type { ProgramContext } from './program-context.ts';
import { type LookupResult, Resolver } from './resolver.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** Every program of the node is in this process: an error nobody listens for must not end it. 'close' follows anyhow. */
const survive = (): void => {};

/** A program's context in its pod's network namespace. Ending it closes everything the program opened. */
export class PodContext implements ProgramContext {
  readonly args: readonly string[];
  readonly stateDir: string;
  readonly signal: AbortSignal;
  readonly started: () => void;
  readonly log: (line: string) => void;
  readonly #env: Record<string, string>;
  readonly #netns: Netns;
  readonly #abort = new AbortController();
  readonly #open = new Set<() => void>();
  readonly #resolver: Resolver;

  constructor(start: ProgramStart, started: () => void, log: (line: string) => void) {
    this.args = start.args;
    this.stateDir = start.stateDir;
    this.signal = this.#abort.signal;
    this.started = started;
    this.log = log;
    this.#env = start.env;
    this.#netns = new Netns(start.netns);
    this.#resolver = new Resolver(start.resolvConf, (family) => this.udp(family, 0));
  }

  text(variable: string, fallback?: string): string {
    const value = this.#env[variable] || fallback;
    if (value === undefined) throw new Error(`${variable} is not set`);
    return value;
  }

  number(variable: string, fallback: number, low: number, high: number): number {
    const text = this.#env[variable];
    const value = text === undefined || text === '' ? fallback : Number(text);
    if (!(value >= low && value <= high)) throw new Error(`${variable} is "${text}"; expected ${low} to ${high}`);
    return value;
  }

  flag(variable: string, fallback: boolean): boolean {
    const text = this.#env[variable];
    if (text === undefined || text === '') return fallback;
    if (text === 'true' || text === 'false') return text === 'true';
    throw new Error(`${variable} is "${text}"; expected true or false`);
  }

  resolve(host: string): Promise<LookupResult> {
    return this.#resolver.lookup(host);
  }

  async connect(host: string, port: number): Promise<Socket> {
    const { addresses } = await this.resolve(host);
    const address = addresses[Math.floor(Math.random() * addresses.length)]!;
    this.#refuseWhenStopped();
    const fd = this.#netns.tcpSocket(address.includes(':') ? 6 : 4);
    // A socket that is not connected yet must not be read from, or it ends at once.
    const socket = new Socket({ fd, readable: true, writable: true, manualStart: true } as never);
    socket.on('error', survive);
    this.#track(
      () => socket.destroy(),
      (done) => socket.once('close', done),
    );
    return new Promise((resolve, reject) => {
      const late = (): void => {
        socket.destroy(Object.assign(new Error(`connect ${address}:${port} timed out`), { code: 'ETIMEDOUT' }));
      };
      socket.setTimeout(CONNECT_TIMEOUT_MS, late);
      socket.once('error', reject);
      // Without an error, the program was stopped meanwhile.
      socket.once('close', () => reject(new Error('stopped')));
      socket.connect({ host: address, port }, () => {
        socket.setTimeout(0);
        socket.removeListener('timeout', late);
        socket.removeListener('error', reject);
        socket.setNoDelay(true);
        resolve(socket);
      });
    });
  }

  listen(server: Server, port: number): Promise<void> {
    this.#refuseWhenStopped();
    const fd = this.#netns.tcpListener(port);
    server.on('error', (error) => this.log(error.message));
    server.on('connection', (socket: Socket) => {
      socket.on('error', survive);
      this.#track(
        () => socket.destroy(),
        (done) => socket.once('close', done),
      );
    });
    this.#track(
      () => server.close(),
      (done) => server.once('close', done),
    );
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ fd }, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  }

  udp(family: 4 | 6, port: number): Promise<dgram.Socket> {
    this.#refuseWhenStopped();
    const fd = this.#netns.udpSocket(family, port);
    const socket = dgram.createSocket(family === 4 ? 'udp4' : 'udp6');
    socket.on('error', survive);
    let closed = false;
    this.#track(
      () => {
        if (!closed) socket.close();
      },
      (done) =>
        socket.once('close', () => {
          closed = true;
          done();
        }),
    );
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ fd }, () => {
        socket.removeListener('error', reject);
        resolve(socket);
      });
    });
  }

  every(milliseconds: number, work: () => void): void {
    const timer = setInterval(work, milliseconds);
    this.#track(
      () => clearInterval(timer),
      () => {},
    );
  }

  pause(milliseconds: number): Promise<void> {
    if (this.signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#open.delete(done);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#open.add(done);
    });
  }

  /** Stops the program: its signal aborts, its sockets close, its timers end. */
  close(): void {
    if (this.signal.aborted) return;
    this.#abort.abort();
    for (const end of [...this.#open]) end();
    this.#open.clear();
    this.#netns.close();
  }

  /** Remembers how to close something until `whenClosed` says that it has closed by itself. */
  #track(end: () => void, whenClosed: (done: () => void) => void): void {
    this.#open.add(end);
    whenClosed(() => this.#open.delete(end));
  }

  #refuseWhenStopped(): void {
    if (this.signal.aborted) throw new Error('stopped');
  }
}

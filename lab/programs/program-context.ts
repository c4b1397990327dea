import type { Socket as UdpSocket } from 'node:dgram';
import type { Server, Socket } from 'node:net';
import type { LookupResult } from './resolver.ts';

/** What a built-in program sees of the world: its settings, and the network of its pod alone. */
export interface ProgramContext {
  readonly args: readonly string[];
  readonly stateDir: string;
  /** Aborts when the container is stopped. Sockets and timers made through the context end by themselves. */
  readonly signal: AbortSignal;
  /** Appends a line to the container's log. */
  log(line: string): void;
  /** To be called once, when the program serves or has begun. */
  started(): void;

  text(variable: string, fallback?: string): string;
  /** A number within [low, high]. Throws naming the variable when it is none. */
  number(variable: string, fallback: number, low: number, high: number): number;
  flag(variable: string, fallback: boolean): boolean;

  resolve(host: string): Promise<LookupResult>;
  /** Connects to a name or address. Rejects with the system's error. */
  connect(host: string, port: number): Promise<Socket>;
  /** Lets a server listen on every address of the pod. */
  listen(server: Server, port: number): Promise<void>;
  udp(family: 4 | 6, port: number): Promise<UdpSocket>;
  every(milliseconds: number, work: () => void): void;
  /** Resolves after a pause, or at once when the program is stopped. */
  pause(milliseconds: number): Promise<void>;
}

/** Runs until it has nothing more to do; the number is its exit code. A rejection is logged and exits with 1. */
export type Program = (context: ProgramContext) => Promise<number>;

/** For programs that serve until they are stopped. */
export function untilStopped(context: ProgramContext): Promise<number> {
  return new Promise((resolve) => {
    if (context.signal.aborted) resolve(0);
    else context.signal.addEventListener('abort', () => resolve(0), { once: true });
  });
}

export interface Target {
  host: string;
  port: number;
}

/** Reads "host:port" or "[v6]:port"; throws naming the variable. */
export function parseTarget(variable: string, text: string): Target {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) {
    throw new Error(`${variable} is "${text}"; expected host:port`);
  }
  return { host, port: Number(port) };
}

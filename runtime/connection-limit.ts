import type { Socket } from 'node:net';
import { isLoopback, plainAddress } from './address.ts';

/** Connections at once. */
const MOST_OF_ALL = 4_000;
/** Of them, from one address. */
const MOST_OF_ONE = 1_000;

export interface ConnectionLimitOptions {
  readonly ofAll?: number;
  readonly ofOne?: number;
  /** Addresses that stand for many. Default: this machine's own. */
  readonly isExempt?: (address: string) => boolean;
}

/** Keeps one address from taking all connections there are: what it opens beyond its share is closed at once. Given every new one. */
export function limitConnections({
  ofAll = MOST_OF_ALL,
  ofOne = MOST_OF_ONE,
  isExempt = isOwn,
}: ConnectionLimitOptions = {}): (socket: Socket) => void {
  const open = new Map<string, number>();
  let all = 0;
  return (socket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    const count = open.get(address) ?? 0;
    if (all >= ofAll || (count >= ofOne && !isExempt(address))) {
      socket.destroy();
      return;
    }
    all++;
    open.set(address, count + 1);
    socket.once('close', () => {
      all--;
      const left = open.get(address)! - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  };
}

/** Whether an address, as `plainAddress` writes it, is this machine's loopback. */
export function isOwn(address: string): boolean {
  return isLoopback({ kind: 'tcp', host: address, port: 0 });
}

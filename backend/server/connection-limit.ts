import type { Server } from 'node:net';
import { plainAddress } from '../auth/forwarded.ts';

/**
 * Keeps one address from taking all connections there are: what it opens beyond `most` is closed at once.
 *
 * @param isExempt addresses that stand for many: proxies, and this machine's own
 */
export function limitConnections(server: Server, most: number, isExempt: (address: string) => boolean): void {
  const open = new Map<string, number>();
  server.on('connection', (socket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (isExempt(address)) return;
    const count = open.get(address) ?? 0;
    if (count >= most) {
      socket.destroy();
      return;
    }
    open.set(address, count + 1);
    socket.once('close', () => {
      const left = open.get(address)! - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

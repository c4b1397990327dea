import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { limitConnections } from './connection-limit.ts';

/** For a busy machine; vitest’s own patience is a second. */
const SOON = { timeout: 20_000 };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Connects from addresses of this machine, and tells who is still connected. */
async function start(isExempt: (address: string) => boolean) {
  const server = createServer((socket) => socket.on('error', () => {}));
  limitConnections(server, 3, isExempt);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  closing.push(() => server.close());
  const sockets: Socket[] = [];
  const open = (localAddress: string) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress }).on('error', () => {});
    closing.push(() => socket.destroy());
    sockets.push(socket);
    return socket;
  };
  const settled = (count: number) =>
    vi.waitFor(() => {
      expect(sockets.every(({ connecting }) => !connecting)).toBe(true);
      expect(sockets.filter(({ destroyed }) => !destroyed).length).toBe(count);
    }, SOON);
  return { open, settled };
}

it('closes what one address opens beyond its share, and nobody else’s', async () => {
  const { open, settled } = await start(() => false);
  const first = Array.from({ length: 5 }, () => open('127.0.0.2'));
  await settled(3);
  open('127.0.0.3');
  await settled(4);
  first.find(({ destroyed }) => !destroyed)!.destroy();
  await settled(3);
  await vi.waitFor(async () => {
    const again = open('127.0.0.2');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(again.destroyed).toBe(false);
  }, SOON);
});

it('lets proxies have as many as they want', async () => {
  const { open, settled } = await start((address) => address === '127.0.0.2');
  for (let connection = 0; connection < 5; connection++) open('127.0.0.2');
  await settled(5);
});

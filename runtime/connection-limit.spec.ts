import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { type ConnectionLimitOptions, limitConnections } from './connection-limit.ts';
import { startGrpcServer } from './grpc/server.ts';
import { createLogger } from './log.ts';

/** For a busy machine; vitest’s own patience is a second. */
const SOON = { timeout: 20_000 };

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function plain(options: ConnectionLimitOptions): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}));
  server.on('connection', limitConnections(options));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function grpc(connections: ConnectionLimitOptions): Promise<number> {
  const log = createLogger('grpc');
  const server = await startGrpcServer({ address: '127.0.0.1:0', services: [], connections, log });
  closing.push(() => void server.stop(0));
  return Number(server.address.split(':').at(-1));
}

/** Connects from addresses of this machine, and tells who is still connected. */
async function start(listen: typeof plain, options: ConnectionLimitOptions) {
  const port = await listen(options);
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

it.each([plain, grpc])('closes what one address opens beyond its share, and nobody else’s (%o)', async (listen) => {
  const { open, settled } = await start(listen, { ofOne: 3, isExempt: () => false });
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
  const { open, settled } = await start(plain, { ofOne: 3, isExempt: (address) => address === '127.0.0.2' });
  for (let connection = 0; connection < 5; connection++) open('127.0.0.2');
  await settled(5);
});

it('all together have so many', async () => {
  const { open, settled } = await start(grpc, { ofAll: 4 });
  for (let connection = 0; connection < 6; connection++) open(`127.0.0.${2 + connection}`);
  await settled(4);
});

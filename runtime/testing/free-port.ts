import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what Linux hands to connections (net.ipv4.ip_local_port_range: 32768 and up), so that none takes it meanwhile. */
const FIRST = 20_000;
const LAST = 32_000;

const given = new Set<number>();

/** A TCP port on loopback that nobody listened on a moment ago; never the same twice from one process. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

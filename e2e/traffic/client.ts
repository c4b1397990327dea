// One pod of the fidelity test: makes every kind of traffic to the addresses it is given, then tells what it made.
//   node client.ts <address>... -- <name>...
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { lookup, resolve4, resolve6 } from 'node:dns/promises';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { parseAddress } from '#core/ip/address.ts';
import { icmpEcho } from './icmp-echo.ts';
import { PORT } from './ports.ts';

const separator = process.argv.indexOf('--');
const addresses = process.argv.slice(2, separator);
const names = process.argv.slice(separator + 1);
const made: Record<string, number> = {};

function count(what: string): void {
  made[what] = (made[what] ?? 0) + 1;
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** Reads to the end. */
async function drain(socket: Socket): Promise<number> {
  let bytes = 0;
  for await (const data of socket) bytes += data.length;
  return bytes;
}

async function fetchBytes(host: string, bytes: number): Promise<void> {
  const socket = await open(host, PORT.serve);
  socket.end(`${bytes}\n`);
  const got = await drain(socket);
  if (got !== bytes) throw new Error(`${host} sent ${got} of ${bytes} bytes`);
  count('tcp');
}

async function upload(host: string, bytes: number): Promise<void> {
  const socket = await open(host, PORT.sink);
  const answer = drain(socket);
  const chunk = Buffer.alloc(64 * 1024, 'w');
  for (let left = bytes; left > 0; left -= chunk.length) {
    if (!socket.write(chunk.subarray(0, Math.min(left, chunk.length)))) await once(socket, 'drain');
  }
  socket.end();
  await answer;
  count('tcp');
}

/** A connection that speaks now and then for longer than the record interval. */
async function longTalk(host: string): Promise<void> {
  const socket = await open(host, PORT.sink);
  const answer = drain(socket);
  for (let i = 0; i < 30; i++) {
    socket.write(Buffer.alloc(100 + i, 'w'));
    await pause(250);
  }
  socket.end();
  await answer;
  count('tcp');
}

async function resetByServer(host: string): Promise<void> {
  const socket = await open(host, PORT.reset);
  socket.write('x');
  socket.resume();
  await closed(socket);
  count('tcp');
}

async function resetByClient(host: string): Promise<void> {
  const socket = await open(host, PORT.sink);
  socket.write('x');
  await pause(20);
  socket.resetAndDestroy();
  await closed(socket);
  count('tcp');
}

async function refused(host: string): Promise<void> {
  const socket = connect(PORT.closed, host);
  socket.on('error', () => {});
  await closed(socket);
  count('tcp');
}

/** More connections than a server that never accepts has room for: the last ones' SYNs stay without an answer. */
async function halfOpen(host: string): Promise<void> {
  const sockets = Array.from({ length: 5 }, () => connect(PORT.stalled, host));
  for (const socket of sockets) socket.on('error', () => {});
  await pause(2_500);
  for (const socket of sockets) socket.destroy();
  await Promise.all(sockets.map(closed));
  count('tcp');
}

function closed(socket: Socket): Promise<void> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}

async function udpSocket(host: string, port: number): Promise<UdpSocket> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  socket.on('error', () => {});
  socket.connect(port, host);
  await once(socket, 'connect');
  return socket;
}

async function udpExchange(host: string, times: number, bytes: number): Promise<void> {
  const socket = await udpSocket(host, PORT.echo);
  for (let i = 0; i < times; i++) {
    const answer = once(socket, 'message', { signal: AbortSignal.timeout(5_000) });
    socket.send(Buffer.alloc(bytes, 'w'));
    await answer;
  }
  socket.close();
  count('udp');
}

async function udpOneWay(host: string, port: number): Promise<void> {
  const socket = await udpSocket(host, port);
  for (let i = 0; i < 20; i++) {
    await new Promise((resolve) => socket.send(Buffer.alloc(1_000, 'w'), resolve));
  }
  await pause(50);
  socket.close();
  count('udp');
}

async function inParallel(times: number, work: () => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: times }, work));
}

async function everything(host: string): Promise<void> {
  for (let round = 0; round < 5; round++) await inParallel(10, () => fetchBytes(host, 300));
  await fetchBytes(host, 0);
  await fetchBytes(host, 40 * 1024 * 1024);
  await upload(host, 20 * 1024 * 1024);
  await inParallel(3, () => resetByServer(host));
  await inParallel(3, () => resetByClient(host));
  await refused(host);
  await inParallel(10, () => udpExchange(host, 1, 40));
  await udpExchange(host, 200, 512);
  await udpExchange(host, 5, 8_000);
  await udpOneWay(host, PORT.silent);
  await udpOneWay(host, PORT.closed);
  for (const [times, size] of [
    [5, 56],
    [3, 4_000],
  ]) {
    const answered = icmpEcho(parseAddress(host), times, size);
    if (answered !== times) throw new Error(`${host} answered ${answered} of ${times} echo requests`);
    count('icmp');
  }
}

/** A Service that is new has a name once it is served. */
async function known(name: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const found = await lookup(name).catch(() => undefined);
    if (found !== undefined) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function ask(name: string): Promise<void> {
  // Only getaddrinfo, behind lookup, goes through the search list of resolv.conf.
  await known(name);
  if (name.includes('.')) await Promise.all([resolve4(name), resolve6(name)]);
  await lookup(name, { all: true });
  await lookup(`no-such-name.${name}`).catch(() => {});
  count('dns');
}

const patient = Promise.all(addresses.flatMap((host) => [longTalk(host), halfOpen(host)]));
for (const host of addresses) await everything(host);
for (const name of names) await ask(name);
await patient;
console.log(JSON.stringify(made));

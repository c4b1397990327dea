/**
 * For specs: a network namespace and a cgroup of their own, load-balancing on the cgroup, and a process inside both that does
 * with sockets what it is told.
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Backend, Frontend } from '#core/service/service.ts';
import { findCgroup2 } from '#runtime/cgroup-mount.ts';
import { ObedientProcess } from '#runtime/testing/obedient-process.ts';
import { type Datapath, type DatapathOptions, openDatapath } from '../loader/datapath.ts';
import { ServiceTable } from './service-table.ts';

let made = 0;

/** Evaluates one line of JSON text after another as the body of an async function, and answers each with a line. */
const WORKER = `
const net = require('net'), dgram = require('dgram'), AsyncFunction = (async () => {}).constructor;
const kept = {};
/** Connects; resolves with what the server said and who the peer is, or the error's code. */
const ask = (port, host, more) => new Promise((resolve) => {
  const socket = net.connect({ port, host, ...more }, () => { socket.peer = socket.remoteAddress + ' ' + socket.remotePort; });
  let said = '';
  socket.on('data', (data) => (said += data));
  socket.on('end', () => resolve({ said, peer: socket.peer }));
  socket.on('error', (error) => resolve({ error: error.code }));
});
/** A server that says its name to who connects, and echoes datagrams with its name before them. */
const serve = async (name, port, host) => {
  const udp = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (data, from) => udp.send(name + ' ' + data, from.port, from.address));
  await new Promise((resolve) => udp.bind(port, host, resolve));
  const tcp = net.createServer((socket) => { socket.on('error', () => {}); socket.end(name); });
  await new Promise((resolve) => tcp.listen(port, host, resolve));
};
/** Sends; resolves with the answer and its sender, or the error's code. */
const exchange = (socket, text, ...to) => new Promise((resolve) => {
  const done = (value) => { clearTimeout(timer); socket.removeAllListeners('message'); socket.removeAllListeners('error'); resolve(value); };
  const timer = setTimeout(() => done({ error: 'TIMEOUT' }), 3000);
  socket.on('message', (data, from) => done({ said: String(data), peer: from.address + ' ' + from.port }));
  socket.on('error', (error) => done({ error: error.code }));
  socket.send(text, ...to, (error) => error && done({ error: error.code }));
});
require('readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  let answer;
  try {
    const code = new AsyncFunction('net', 'dgram', 'kept', 'ask', 'serve', 'exchange', JSON.parse(line));
    answer = { value: await code(net, dgram, kept, ask, serve, exchange) };
  } catch (error) { answer = { error: String(error.stack) }; }
  console.log(JSON.stringify(answer));
});`;

export class ServiceStory {
  readonly netns = `wgs${process.pid % 100_000}x${made++}`;
  readonly cgroup: string;
  readonly datapath: Datapath;
  readonly table: ServiceTable;
  readonly #worker: ObedientProcess;
  #closed = false;

  constructor(options: DatapathOptions = {}) {
    const cgroup2 = findCgroup2();
    if (cgroup2 === undefined) throw new Error('no cgroup v2 mount on this machine');
    this.cgroup = join(cgroup2, this.netns);
    mkdirSync(this.cgroup);
    ip('netns', 'add', this.netns);
    ip('-n', this.netns, 'link', 'set', 'lo', 'up');
    ip('-n', this.netns, 'address', 'add', 'fd00:5::1/128', 'dev', 'lo', 'nodad');
    ip('-n', this.netns, 'address', 'add', 'fd00:5::2/128', 'dev', 'lo', 'nodad');
    ip('-n', this.netns, 'route', 'add', 'default', 'dev', 'lo');
    ip('-n', this.netns, '-6', 'route', 'add', 'default', 'dev', 'lo');
    this.datapath = openDatapath({ connections: 4096, ringBytes: 1 << 20, ...options });
    this.datapath.attachServices(this.cgroup);
    this.table = new ServiceTable(this.datapath.maps.services);
    this.#worker = new ObedientProcess(
      spawn(
        'sh',
        [
          '-c',
          `echo $$ > ${this.cgroup}/cgroup.procs; exec nsenter --net=/run/netns/${this.netns} "$0" -e "$1"`,
          process.execPath,
          WORKER,
        ],
        { stdio: ['pipe', 'pipe', 'inherit'] },
      ),
    );
  }

  /** Runs JavaScript in the process: `net`, `dgram`, `kept`, `ask`, `serve` and `exchange` are there. */
  run<T>(code: string): Promise<T> {
    return this.#worker.run(code);
  }

  /** Makes a Service of these backends, each `address:port`. */
  serve(frontend: string, backends: readonly string[], more: Partial<Frontend> = {}): void {
    for (const protocol of [6, 17]) this.table.set(storyFrontend(frontend, backends, { protocol, ...more }));
  }

  /** As an agent that ends: what is pinned stays at work. */
  closeDatapath(): void {
    if (!this.#closed) this.datapath.close();
    this.#closed = true;
  }

  async end(): Promise<void> {
    await this.#worker.kill();
    this.closeDatapath();
    ip('netns', 'delete', this.netns);
    for (const deadline = Date.now() + 5_000; ; ) {
      try {
        rmdirSync(this.cgroup);
        return;
      } catch (error) {
        if (Date.now() > deadline)
          throw new Error(`${error}: ${readFileSync(join(this.cgroup, 'cgroup.procs'), 'utf8')}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
}

/** @param frontend and each backend: `10.0.0.1:80` or `fd00::1 80` */
export function storyFrontend(frontend: string, backends: readonly string[], more: Partial<Frontend> = {}): Frontend {
  return {
    namespace: 'shop',
    service: 'web',
    portName: '',
    kind: 'cluster-ip',
    ...addressOf(frontend),
    protocol: 6,
    affinitySeconds: 0,
    algorithm: 'random',
    backends: backends.map(
      (backend): Backend => ({ ...addressOf(backend), node: '', pod: '', weight: 1, terminating: false }),
    ),
    ...more,
  };
}

function addressOf(text: string): { address: string; port: number } {
  const [, address = '', port] = /^(.*)[: ](\d+)$/.exec(text) ?? [];
  return { address, port: Number(port) };
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

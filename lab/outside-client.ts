// For specs: somebody outside the cluster, in a network namespace of its own on the lab's fabric.
import { execFileSync, spawn } from 'node:child_process';
import { ObedientProcess } from '#runtime/testing/obedient-process.ts';
import { labLayout } from './lab-layout.ts';

/** Evaluates one line of JSON text after another as the body of an async function, and answers each with a line. */
const WORKER = `
const net = require('net'), dgram = require('dgram'), AsyncFunction = (async () => {}).constructor;
const kept = {};
/** Resolves with what the server says to a line, or with the error's code: TIMEOUT after ten seconds, or more.timeout ms. */
const tcp = (host, port, more) => new Promise((resolve) => {
  const socket = net.connect({ host, port, timeout: 10_000, ...more }, () => socket.write('hello'));
  let said = '';
  socket.on('data', (data) => { said += data; socket.end(); });
  socket.on('close', () => resolve(said.trim()));
  socket.on('error', (error) => resolve(error.code));
  socket.on('timeout', () => { resolve('TIMEOUT'); socket.destroy(); });
});
const udp = (host, port, size) => new Promise((resolve) => {
  const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const done = (value) => { clearTimeout(timer); resolve(value); try { socket.close(); } catch {} };
  const timer = setTimeout(() => done('TIMEOUT'), 10_000);
  socket.on('message', (data) => done(String(data)));
  socket.on('error', (error) => done(error.code));
  socket.connect(port, host, () => socket.send('x'.repeat(size)));
});
require('readline').createInterface({ input: process.stdin }).on('line', async (line) => {
  let answer;
  try {
    answer = { value: await new AsyncFunction('net', 'kept', 'tcp', 'udp', JSON.parse(line))(net, kept, tcp, udp) };
  } catch (error) { answer = { error: String(error.stack) }; }
  console.log(JSON.stringify(answer));
}).on('close', () => process.exit());`;

export class OutsideClient {
  readonly #netns: string;
  readonly #worker: ObedientProcess;

  /**
   * @param addresses with the length of their network: `10.1.255.250/24`
   * @param routes `destination via gateway`
   */
  constructor(lab: string, addresses: readonly string[], routes: readonly string[]) {
    const { fabricNetns, netnsPrefix } = labLayout(lab);
    this.#netns = `${netnsPrefix}outside`;
    const ip = (...args: string[]) => execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    ip('netns', 'add', this.#netns);
    ip('-n', fabricNetns, 'link', 'add', 'outside', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', this.#netns);
    ip('-n', fabricNetns, 'link', 'set', 'outside', 'master', 'fabric', 'up');
    for (const link of ['lo', 'eth0']) ip('-n', this.#netns, 'link', 'set', link, 'up');
    for (const address of addresses) {
      ip('-n', this.#netns, 'address', 'add', address, 'dev', 'eth0', ...(address.includes(':') ? ['nodad'] : []));
    }
    for (const route of routes) ip('-n', this.#netns, 'route', 'add', ...route.split(' '));
    this.#worker = new ObedientProcess(
      spawn('nsenter', [`--net=/run/netns/${this.#netns}`, process.execPath, '-e', WORKER], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
  }

  /** Runs JavaScript out there: `net`, `kept`, `tcp(host, port)` and `udp(host, port, size)` are there. */
  run<T>(code: string): Promise<T> {
    return this.#worker.run(code);
  }

  async end(): Promise<void> {
    await this.#worker.end();
    execFileSync('ip', ['netns', 'delete', this.#netns], { stdio: 'ignore' });
  }
}

/** For specs: programs in pods that look, every millisecond, for what leaks and what breaks. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { TestPod } from '../testing/test-node.ts';
import { until } from '../testing/until.ts';

const UDP_PORT = 9999;
export const TCP_PORT = 8080;

const running = new Set<Probe>();

/** Ends all that were started. */
export function endProbes(): void {
  for (const probe of running) probe.end();
}

/** JavaScript in a pod that answers every line on its standard input with its counters. */
export class Probe {
  readonly #child: ChildProcess;
  #said = '';

  constructor(pod: TestPod, code: string) {
    const reporting = `const c={};process.stdin.on('data',()=>console.log(JSON.stringify(c)));${code}`;
    this.#child = spawn('nsenter', [`--net=/run/netns/${pod.namespace}`, process.execPath, '-e', reporting]);
    this.#child.stdout!.on('data', (chunk: Buffer) => (this.#said += chunk));
    running.add(this);
  }

  async counters(): Promise<Record<string, number>> {
    this.#said = '';
    this.#child.stdin!.write('?\n');
    const line = await until('a probe’s counters', () => (this.#said.includes('\n') ? this.#said : undefined));
    return JSON.parse(line) as Record<string, number>;
  }

  end(): void {
    this.#child.kill('SIGKILL');
    running.delete(this);
  }
}

/** Echoes TCP; counts datagrams by sender. */
export const SERVER = `
  require('dgram').createSocket('udp4').on('message',(m,r)=>{c[r.address]=(c[r.address]||0)+1}).bind(${UDP_PORT});
  require('net').createServer(s=>{s.on('error',()=>{});s.pipe(s)}).listen(${TCP_PORT},()=>{c.listening=1});`;

/** One connection, a byte every millisecond. */
export const connected = (to: TestPod) => `
  c.sent=0;c.answered=0;c.broken=0;c.open=0;
  const s=require('net').connect(${TCP_PORT},'${to.ip}');
  s.setNoDelay(true);s.on('connect',()=>{c.open=1;setInterval(()=>{c.sent++;s.write('x')},1)});
  s.on('data',d=>{c.answered+=d.length});s.on('error',()=>{c.broken++});s.on('close',()=>{c.broken++});`;

/** A datagram every millisecond, and a connection attempt every 20 ms. */
export const intruding = (to: TestPod) => `
  c.sent=0;c.connected=0;
  const u=require('dgram').createSocket('udp4');
  setInterval(()=>{c.sent++;u.send('x',${UDP_PORT},'${to.ip}',()=>{})},1);
  setInterval(()=>{const s=require('net').connect(${TCP_PORT},'${to.ip}');
    s.on('connect',()=>{c.connected++;s.destroy()});s.on('error',()=>{});setTimeout(()=>s.destroy(),500)},20);`;

/** Lets the probers go on until the connection has moved this many more bytes. */
export async function moves(probe: Probe, bytes: number): Promise<void> {
  const { answered } = await probe.counters();
  await until(
    `${bytes} more bytes`,
    async () => (await probe.counters()).answered > answered + bytes || undefined,
    60_000,
  );
}

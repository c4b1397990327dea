/** Two network namespaces joined by a veth, for tests: a node, and a pod behind it. Nothing but our own traffic passes. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { listLinks } from '../netlink/route-socket.ts';
import { unmountBpffs } from './bpffs.ts';
import { inNetworkNamespace } from './netns.ts';

export const NODE_ADDRESS = '10.99.0.1';
export const POD_ADDRESS = '10.99.0.2';

export class VethStory {
  readonly nodeNamespace: string;
  readonly podNamespace: string;
  /** The host side of the pod's veth. */
  readonly interfaceIndex: number;
  /** A place for pins; a BPF file system once a datapath has used it. */
  readonly pinDirectory: string;
  readonly #names: readonly string[];
  readonly #children: ChildProcess[] = [];

  constructor() {
    const tag = `wgt${randomBytes(3).toString('hex')}`;
    const node = `${tag}n`;
    const pod = `${tag}p`;
    this.#names = [node, pod];
    this.nodeNamespace = `/run/netns/${node}`;
    this.podNamespace = `/run/netns/${pod}`;
    this.pinDirectory = mkdtempSync(join(tmpdir(), 'waggle-pins-'));
    const [nodeMac, podMac] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
    for (const name of this.#names) ip('netns', 'add', name);
    // Fixed neighbours and no IPv6: not a packet that is not ours.
    ip(
      '-n',
      node,
      'link',
      'add',
      'pod0',
      'address',
      nodeMac,
      'type',
      'veth',
      'peer',
      'eth0',
      'address',
      podMac,
      'netns',
      pod,
    );
    for (const [name, link, address] of [
      [node, 'pod0', NODE_ADDRESS],
      [pod, 'eth0', POD_ADDRESS],
    ] as const) {
      ip('-n', name, 'link', 'set', link, 'addrgenmode', 'none');
      ip('-n', name, 'addr', 'add', `${address}/24`, 'dev', link);
      ip('-n', name, 'link', 'set', link, 'up');
      ip('-n', name, 'link', 'set', 'lo', 'up');
    }
    ip('-n', node, 'neigh', 'replace', POD_ADDRESS, 'lladdr', podMac, 'dev', 'pod0', 'nud', 'permanent');
    ip('-n', pod, 'neigh', 'replace', NODE_ADDRESS, 'lladdr', nodeMac, 'dev', 'eth0', 'nud', 'permanent');
    this.interfaceIndex = listLinks(this.nodeNamespace).find((link) => link.name === 'pod0')!.index;
  }

  /** Runs `action` on this thread inside the node's network namespace. */
  onNode<T>(action: () => T): T {
    return inNetworkNamespace(this.nodeNamespace, action);
  }

  /** Bytes and packets the host side has received from the pod, and sent to it; IP bytes, for every frame is Ethernet. */
  counted(): { fromPod: { packets: number; bytes: number }; toPod: { packets: number; bytes: number } } {
    const text = execFileSync('nsenter', [`--net=${this.nodeNamespace}`, 'cat', '/proc/thread-self/net/dev'], {
      encoding: 'utf8',
    });
    const fields = /pod0:\s*(.*)/.exec(text)![1]!.trim().split(/\s+/).map(Number);
    const ipBytes = (bytes: number, packets: number) => ({ packets, bytes: bytes - 14 * packets });
    return { fromPod: ipBytes(fields[0]!, fields[1]!), toPod: ipBytes(fields[8]!, fields[9]!) };
  }

  /** Starts a Node program inside the pod; resolves with its first line of output. */
  inPod(program: string): Promise<string> {
    return this.#start(this.podNamespace, program);
  }

  inNode(program: string): Promise<string> {
    return this.#start(this.nodeNamespace, program);
  }

  /** Gives the pod a neighbour that is not there: what it sends to `address` leaves and is never answered. */
  addAbsentNeighbour(address: string): void {
    ip(
      '-n',
      this.#names[1]!,
      'neigh',
      'replace',
      address,
      'lladdr',
      '02:00:00:00:00:77',
      'dev',
      'eth0',
      'nud',
      'permanent',
    );
  }

  /** Ends every program that was started. */
  removeTraffic(): void {
    for (const child of this.#children.splice(0)) child.kill('SIGKILL');
  }

  /** Takes the pod away, and with it both ends of the veth. */
  removePod(): void {
    this.removeTraffic();
    ip('netns', 'del', this.#names[1]!);
  }

  /** Removes everything the story made. */
  remove(): void {
    this.removeTraffic();
    for (const name of this.#names) if (existsSync(`/run/netns/${name}`)) ip('netns', 'del', name);
    while (readFileSync('/proc/self/mounts', 'utf8').includes(` ${this.pinDirectory} `))
      unmountBpffs(this.pinDirectory);
    rmSync(this.pinDirectory, { recursive: true, force: true });
  }

  #start(namespace: string, program: string): Promise<string> {
    const child = spawn('nsenter', [`--net=${namespace}`, process.execPath, '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#children.push(child);
    return new Promise((resolve, reject) => {
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
        const end = output.indexOf('\n');
        if (end >= 0) resolve(output.slice(0, end));
      });
      child.on('error', reject);
      child.on('exit', (code) => reject(new Error(`the program ended (${code}) without a line of output`)));
    });
  }
}

/** A TCP server that reads to the end, answers with as many bytes, and closes. Prints its port. */
export function echoServer(): string {
  return `require('node:net').createServer({ allowHalfOpen: true }, (s) => s.pipe(s)).listen(0, '0.0.0.0', function () {
    console.log(this.address().port);
  });`;
}

/** A TCP client that sends `bytes`, reads them back and closes. Prints how many came back. */
export function echoClient(address: string, port: number, bytes: number): string {
  return `const s = require('node:net').connect(${port}, '${address}', () => s.end(Buffer.alloc(${bytes})));
    let n = 0; s.on('data', (d) => { n += d.length; }); s.on('close', () => console.log(n));`;
}

/** A TCP client that tries to reach an address where nobody answers. Prints when it began. */
export function unansweredClient(address: string): string {
  return `require('node:net').connect(80, '${address}').on('error', () => {}); console.log('connecting');`;
}

/** Sends small UDP packets to a closed door, `perMillisecond` at a time, for ever. Prints when it began. */
export function udpSender(address: string, perMillisecond: number): string {
  return `const s = require('node:dgram').createSocket('udp4'); s.on('error', () => {});
    s.bind(0, () => { console.log('sending'); setInterval(() => {
      for (let i = 0; i < ${perMillisecond}; i++) s.send('x', 9, '${address}', () => {});
    }, 1); });`;
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

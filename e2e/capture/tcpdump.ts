import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type CapturedFrame, readPcap } from './pcap-file.ts';

export interface CaptureCounts {
  readonly captured: number;
  readonly receivedByFilter: number;
  readonly droppedByKernel: number;
}

const READY_MS = 60_000;
const STOP_MS = 60_000;
/** Enough of each frame for its headers; the rest only costs room in the buffer. */
const SNAP_BYTES = 128;
/** Kernel buffer in KiB: what a burst may put there while tcpdump waits for the processor. */
const BUFFER_KIB = 32_768;

/** A running tcpdump on one interface of a network namespace. */
export class Capture {
  readonly #process: ChildProcess;
  readonly #file: string;
  readonly #exit: Promise<void>;
  #said = '';

  private constructor(process: ChildProcess, file: string) {
    this.#process = process;
    this.#file = file;
    process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    this.#exit = new Promise((resolve) => process.once('close', () => resolve()));
  }

  /** Resolves once the capture sees every further frame. `netns` is a path such as /run/netns/x. */
  static async start(netns: string, device: string, file: string): Promise<Capture> {
    const tcpdump = ['tcpdump', '-i', device, '-n', '-s', `${SNAP_BYTES}`, '-B', `${BUFFER_KIB}`];
    const argv = [`--net=${netns}`, ...tcpdump, '--time-stamp-precision=nano', '-Z', 'root', '-U', '-w', file];
    const capture = new Capture(spawn('nsenter', argv, { stdio: ['ignore', 'ignore', 'pipe'] }), file);
    await capture.#listening(device);
    return capture;
  }

  async #listening(device: string): Promise<void> {
    const ended = this.#exit.then(() => false);
    const deadline = Date.now() + READY_MS;
    while (!/listening on /.test(this.#said)) {
      const running = await Promise.race([ended, pause(20).then(() => true)]);
      if (!running) throw new Error(`tcpdump on ${device} ended: ${this.#said.trim()}`);
      if (Date.now() > deadline) {
        this.#process.kill('SIGKILL');
        throw new Error(`tcpdump on ${device} was not ready after ${READY_MS} ms: ${this.#said.trim()}`);
      }
    }
  }

  /** Ends the capture; what was in the kernel's buffer is written first. */
  async stop(): Promise<CaptureCounts> {
    this.#process.kill('SIGINT');
    const forced = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS);
    await this.#exit;
    clearTimeout(forced);
    const count = (what: string) => {
      const found = new RegExp(`(\\d+) packets? ${what}`).exec(this.#said);
      if (found === null) throw new Error(`tcpdump did not tell how many packets were ${what}: ${this.#said.trim()}`);
      return Number(found[1]);
    };
    return {
      captured: count('captured'),
      receivedByFilter: count('received by filter'),
      droppedByKernel: count('dropped by kernel'),
    };
  }

  frames(): Iterable<CapturedFrame> {
    return readPcap(readFileSync(this.#file));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

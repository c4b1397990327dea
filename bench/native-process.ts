import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { BenchmarkContext } from './benchmark.ts';

/** A program of bench/native: takes commands on stdin, one a line, and answers each with a line. Ends with the benchmark. */
export class NativeProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #path: string;
  #said = '';

  /** @param descriptors the program's descriptors from 3 on: eBPF maps and programs are handed over like this. */
  constructor(path: string, args: readonly string[], context: BenchmarkContext, descriptors: readonly number[] = []) {
    this.#path = path;
    const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'pipe', ...descriptors] });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    child.on('error', (error) => {
      this.#said += error.message;
    });
    child.stdin!.on('error', () => {}); // it has ended; the missing answer says so
    this.#lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
    this.#child = child;
    context.cleanUp(() => {
      child.stdin!.end();
      child.kill();
    });
  }

  /** Gives a command and waits for its answer. Throws with what the program said when it ends instead. */
  async ask(command: string): Promise<string> {
    this.#child.stdin!.write(`${command}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#path} ended instead of answering "${command}": ${this.#said.trim()}`);
    return value;
  }

  /** The same for answers that are numbers. */
  async askNumbers(command: string): Promise<number[]> {
    return (await this.ask(command)).split(' ').map(Number);
  }
}

import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/**
 * The near end of a process, in another network namespace say, that reads lines of JavaScript as JSON text and answers each with
 * a line: `{"value": …}` or `{"error": "…"}`.
 */
export class ObedientProcess {
  readonly #child: ChildProcess;
  readonly #answers: ((line: string) => void)[] = [];
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;

  /** @param child with pipes for its input and output */
  constructor(child: ChildProcess) {
    this.#child = child;
    this.ended = new Promise((resolve) => child.once('exit', () => resolve()));
    void this.ended.then(() => {
      for (const answer of this.#answers.splice(0)) answer('{"error":"the process has ended"}');
    });
    createInterface({ input: child.stdout! }).on('line', (line) => this.#answers.shift()?.(line));
  }

  /** Runs code there; rejects with what it threw. */
  async run<T>(code: string): Promise<T> {
    const line = await new Promise<string>((resolve) => {
      this.#answers.push(resolve);
      this.#child.stdin!.write(`${JSON.stringify(code)}\n`);
    });
    const { value, error } = JSON.parse(line) as { value: T; error?: string };
    if (error !== undefined) throw new Error(error);
    return value;
  }

  /** Ends its input, which is for it to end by itself. */
  async end(): Promise<void> {
    this.#child.stdin!.end();
    await this.ended;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

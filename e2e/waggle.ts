import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The command as people start it. */
const WAGGLE = fileURLToPath(new URL('../cli/bin.mjs', import.meta.url));

export interface Outcome {
  /** Exit code; 128 + signal number when a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Milliseconds after which it is killed and the call fails. Default 120,000. */
  readonly timeoutMs?: number;
}

/** Runs `waggle …` to its end, whatever its exit code. */
export async function waggle(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const running = WaggleProcess.start(args, options.env);
  running.input(options.input ?? '');
  const { timeoutMs = 120_000 } = options;
  const killed = setTimeout(() => running.signal('SIGKILL'), timeoutMs);
  const status = await running.exit;
  clearTimeout(killed);
  if (status === 137) {
    throw new Error(`waggle ${args.join(' ')} was killed after ${timeoutMs} ms:\n${running.stdout}${running.stderr}`);
  }
  return { status, stdout: running.stdout, stderr: running.stderr };
}

/** Runs `waggle …` and returns its standard output; any exit code but 0 fails the call. */
export async function waggleOk(args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await waggle(args, options);
  if (status !== 0) throw new Error(`waggle ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`);
  return stdout;
}

/** A `waggle` command that goes on: demo, backend, observe. */
export class WaggleProcess {
  readonly #child: ChildProcess;
  readonly #args: readonly string[];
  /** Resolves with the exit code, never rejects. */
  readonly exit: Promise<number>;
  stdout = '';
  stderr = '';

  private constructor(child: ChildProcess, args: readonly string[]) {
    this.#child = child;
    this.#args = args;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    this.exit = new Promise((resolve) => {
      child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
    });
  }

  static start(args: readonly string[], env: Readonly<Record<string, string>> = {}): WaggleProcess {
    const child = spawn(process.execPath, [WAGGLE, ...args], { env: { ...process.env, ...env }, stdio: 'pipe' });
    child.stdin?.on('error', () => {}); // it may end before it has read everything
    return new WaggleProcess(child, args);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  input(text: string): void {
    this.#child.stdin?.end(text);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until its output, either stream, matches. Fails when it ends before, or after `timeoutMs`. */
  async says(pattern: RegExp, timeoutMs = 60_000): Promise<RegExpExecArray> {
    let ended = false;
    void this.exit.then(() => {
      ended = true;
    });
    for (const deadline = Date.now() + timeoutMs; ; ) {
      const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
      if (found !== null) return found;
      if (ended || Date.now() > deadline) {
        const why = ended ? 'ended without saying' : `did not say within ${timeoutMs} ms`;
        throw new Error(`waggle ${this.#args.join(' ')} ${why} ${pattern}:\n${this.stdout}${this.stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it as Ctrl-C does and returns its exit code; kills it and fails when that takes longer than `timeoutMs`. */
  async stop(timeoutMs = 30_000): Promise<number> {
    this.signal('SIGINT');
    const killed = setTimeout(() => this.signal('SIGKILL'), timeoutMs);
    const status = await this.exit;
    clearTimeout(killed);
    if (status === 137) {
      throw new Error(
        `waggle ${this.#args.join(' ')} did not end within ${timeoutMs} ms:\n${this.stdout}${this.stderr}`,
      );
    }
    return status;
  }
}

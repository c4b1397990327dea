import type { ProgramContext } from './program-context.ts';

const EVERY_MS = 10_000;

/** Counts what a client program achieved and logs it now and then; the first success and the first failure of each kind at once. */
export class Outcomes {
  readonly #context: ProgramContext;
  readonly #failures = new Map<string, number>();
  #ok = 0;
  #hasSucceeded = false;

  constructor(context: ProgramContext) {
    this.#context = context;
    context.every(EVERY_MS, () => this.#summary());
  }

  ok(): void {
    this.#ok++;
    if (!this.#hasSucceeded) this.#context.log('1 ok, the first');
    this.#hasSucceeded = true;
  }

  failed(reason: string): void {
    const count = this.#failures.get(reason) ?? 0;
    if (count === 0 && this.#failures.size < 20) this.#context.log(`failed: ${reason}`);
    if (count > 0 || this.#failures.size < 20) this.#failures.set(reason, count + 1);
  }

  #summary(): void {
    const failed = [...this.#failures].map(([reason, count]) => `, ${count} × ${reason}`).join('');
    this.#context.log(`${this.#ok} ok${failed} in ${EVERY_MS / 1000} s`);
    this.#ok = 0;
    this.#failures.clear();
  }
}

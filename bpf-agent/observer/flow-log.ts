import { FlowWindow } from '#core/flow/flow-window.ts';
import type { NodeBoot } from '#core/flow/node-boot.ts';
import type { BootHistory } from './boot-history.ts';
import { FlowRate } from './flow-rate.ts';
import { type LossEntry, LossLog } from './loss-log.ts';

/**
 * The flows and losses of this node's boot, and who waits for more. A flow's sequence is its position in the window plus
 * one: sequences count from 1 without gaps.
 */
export class FlowLog {
  readonly boot: NodeBoot;
  readonly window: FlowWindow;
  /** The window's number of this boot. */
  readonly node: number;
  readonly losses = new LossLog();
  readonly rate = new FlowRate();
  readonly history: BootHistory;
  readonly #waiting = new Set<() => void>();

  /** @param capacity flows held */
  constructor(boot: NodeBoot, capacity: number, history: BootHistory) {
    this.boot = boot;
    this.window = new FlowWindow(capacity);
    this.node = this.window.nodeNumber(boot);
    this.history = history;
  }

  get lastSequence(): number {
    return this.window.end;
  }

  /** To be called after rows were appended to the window. */
  appended(count: number): void {
    this.rate.add(count);
    this.#wake();
  }

  lost(entry: LossEntry): void {
    this.losses.note(entry);
    this.#wake();
  }

  /** Resolves at the next flow or loss, after `atMostMs`, or when the signal aborts. */
  news(signal: AbortSignal, atMostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = setTimeout(done, atMostMs);
      signal.addEventListener('abort', done);
      this.#waiting.add(done);
      if (signal.aborted) done();
    });
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}

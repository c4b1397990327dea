import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';

/** Between what one does and the next: a person looks at what came of it. */
const LOOK_MS = 350;

/** Of a click or key, from when the browser had it until the frame after it was painted, in milliseconds. */
export interface Interaction {
  /** What was done, in words. */
  readonly step: string;
  readonly milliseconds: number;
  /** Until the page began with it, and what it did at once. */
  readonly waited: number;
  readonly ran: number;
}

interface TimedEvent {
  /** By the page's clock. */
  readonly at: number;
  readonly milliseconds: number;
  readonly waited: number;
  readonly ran: number;
}

/** Whoever clicks and types in a page, step by step, each with a name; the browser times what comes of it. */
export class Person {
  readonly #page: Page;
  readonly #steps: { readonly name: string; readonly at: number }[] = [];

  private constructor(page: Page) {
    this.#page = page;
  }

  /** From now on the page's clicks and keys are timed. */
  static async before(page: Page): Promise<Person> {
    await page.evaluate(timeInteractions);
    return new Person(page);
  }

  /** `looks`: how many times as long as usual one looks at what came of it. */
  async does(name: string, act: () => Promise<unknown>, looks = 1): Promise<void> {
    const at = await this.#page.evaluate(() => performance.now());
    this.#steps.push({ name, at });
    await act();
    await sleep(looks * LOOK_MS);
  }

  async presses(key: string, where: string, looks = 1): Promise<void> {
    await this.does(`${key} ${where}`, () => this.#page.keyboard.press(key), looks);
  }

  async types(text: string, where: string): Promise<void> {
    for (const key of text) await this.presses(key, where, 0.5);
  }

  /** Everything until now, the longest first. */
  async interactions(): Promise<Interaction[]> {
    const told = await this.#page.evaluate(() => [
      ...(globalThis as unknown as { waggleInteractions: Map<number, TimedEvent> }).waggleInteractions.values(),
    ]);
    return told
      .map(({ at, ...times }) => ({ step: this.#steps.findLast((step) => step.at <= at)?.name ?? 'before', ...times }))
      .sort((a, b) => b.milliseconds - a.milliseconds);
  }
}

/** Runs in the page: the longest event of each interaction. */
function timeInteractions(): void {
  const all = new Map<number, TimedEvent>();
  const note = (event: PerformanceEventTiming & { interactionId?: number }) => {
    const { interactionId, duration, startTime, processingStart, processingEnd } = event;
    if (!interactionId || (all.get(interactionId)?.milliseconds ?? -1) >= duration) return;
    all.set(interactionId, {
      at: startTime,
      milliseconds: duration,
      waited: Math.round(processingStart - startTime),
      ran: Math.round(processingEnd - processingStart),
    });
  };
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) note(entry as PerformanceEventTiming);
  });
  observer.observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit);
  Object.assign(globalThis, { waggleInteractions: all });
}

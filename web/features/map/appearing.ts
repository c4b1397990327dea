const APPEAR_MS = 160;

/** Cards that have just come: they come up gently. */
export class Appearing {
  readonly #calm = matchMedia('(prefers-reduced-motion: reduce)');
  readonly #since = new Map<string, number>();

  add(keys: Iterable<string>): void {
    if (this.#calm.matches || document.documentElement.dataset.motion === 'reduced') return;
    const now = performance.now();
    for (const key of keys) this.#since.set(key, now);
  }

  /** Whether any is still coming up. */
  get any(): boolean {
    return this.#since.size > 0;
  }

  /** 0 to 1 while a card comes up. */
  shown(key: string, now: number): number {
    const since = this.#since.get(key);
    return since === undefined ? 1 : Math.min(1, Math.max(0.05, (now - since) / APPEAR_MS));
  }

  /** Forgets those that are up. */
  settle(now: number): void {
    for (const [key, since] of this.#since) if (now - since >= APPEAR_MS) this.#since.delete(key);
  }
}

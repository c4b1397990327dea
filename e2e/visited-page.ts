import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import { launchBrowser, WatchedPage } from './browser.ts';

/**
 * For all tests of a `describe`, or of a file: one of what is served, one browser, and a page for each test, which may leave
 * nothing to complain of. To be made where hooks are.
 */
export class VisitedPage<S> {
  readonly #urlOf: (served: S) => string;
  #served: S | undefined;
  #browser: Browser | undefined;
  #watched: WatchedPage | undefined;
  #complaints: string[] = [];

  constructor(start: () => Promise<S>, urlOf: (served: S) => string, stop: (served: S) => Promise<void>) {
    this.#urlOf = urlOf;
    beforeAll(async () => {
      [this.#served, this.#browser] = await Promise.all([start(), launchBrowser()]);
    }, 300_000);

    afterAll(async () => {
      await this.#browser?.close();
      if (this.#served !== undefined) await stop(this.#served);
    }, 60_000);

    afterEach(async () => {
      await this.close();
      expect(this.#complaints.splice(0)).toEqual([]);
    });
  }

  get served(): S {
    return this.#served!;
  }

  get browser(): Browser {
    return this.#browser!;
  }

  /** Opens a path of what is served, or any address, in a page that knows nothing of the one before, which is closed. */
  async visit(where: string, options: BrowserContextOptions = {}, before?: () => void): Promise<Page> {
    await this.close();
    const url = new URL(where, this.#urlOf(this.served)).href;
    this.#watched = await WatchedPage.open(this.browser, url, options, before);
    this.#watched.page.setDefaultTimeout(60_000);
    return this.#watched.page;
  }

  /** Forgets what the page complained of so far: what the test caused on purpose. */
  forgive(): void {
    this.#watched?.takeComplaints();
  }

  /** Closes the page; its complaints are kept for the end of the test. */
  async close(): Promise<void> {
    this.#complaints.push(...(this.#watched?.complaints ?? []));
    await this.#watched?.close();
    this.#watched = undefined;
  }
}

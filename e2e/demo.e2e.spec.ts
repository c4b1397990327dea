import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { agentProcess } from './agent-process.ts';
import { launchBrowser, WatchedPage } from './browser.ts';
import { Demo } from './demo.ts';
import { eventually } from './eventually.ts';

// A newcomer's first minutes: the real demo, with real traffic between network namespaces, in a real browser.

let demo: Demo;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  [demo, browser] = await Promise.all([Demo.start(), launchBrowser()]);
}, 150_000);

afterAll(async () => {
  await browser?.close();
  await demo?.stop();
}, 60_000);

async function visit(query = '', options = {}): Promise<void> {
  watched = await WatchedPage.open(browser, `${demo.url}/${query}`, options);
  page = watched.page;
}

/** Every test but the ones that break something ends without a word in the console. */
afterEach(async () => {
  const complaints = watched?.takeComplaints() ?? [];
  await watched?.close();
  expect(complaints).toEqual([]);
});

const table = (): Locator => page.getByRole('table', { name: /^Flows/ });
const rows = (): Locator => table().getByRole('row').filter({ has: page.getByRole('cell') });
const card = (name: string): Locator =>
  page.getByRole('treeitem', { name: new RegExp(`^${name}\\b`) }).or(page.getByRole('button', { name: new RegExp(`^${name}[, ]`) })).first();
const status = (): Locator => page.getByRole('status');

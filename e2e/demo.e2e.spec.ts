import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { agentProcess } from './agent-process.ts';
import { launchBrowser, WatchedPage } from './browser.ts';
import { Demo } from './demo.ts';
import { eventually } from './eventually.ts';

// A newcomer's first minutes: the demo as `npm start` runs it, with real traffic between network namespaces, in a real browser.

describe('the demo', () => {
  let demo: Demo;
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(async () => {
    [demo, browser] = await Promise.all([Demo.start(), launchBrowser()]);
  }, 150_000);

  afterAll(async () => {
    await browser?.close();
    expect(await demo?.stop()).toEqual([]);
  }, 60_000);

  /** Nothing a person does may leave a word in the console, break the content security policy or reach another server. */
  afterEach(async () => {
    const complaints = watched.complaints;
    await watched.close();
    expect(complaints).toEqual([]);
  });

  async function visit(query = '', options: BrowserContextOptions = {}): Promise<void> {
    watched = await WatchedPage.open(browser, `${demo.url}/${query}`, options);
    page = watched.page;
  }

  const cards = () => page.getByRole('tree', { name: 'Map' });
  const card = (name: string) => cards().getByRole('treeitem', { name: new RegExp(`^${name}\\b`) });
  const flows = () => page.getByRole('table', { name: /^Flows/ });
  const rows = () => flows().getByRole('row').filter({ has: page.getByRole('cell') });
  const namespaceSelect = () => page.getByRole('combobox', { name: /^Namespace:/ });
  const status = () => page.getByRole('contentinfo', { name: 'Status' });

  test('shows the guestbook: three cards, the way to 3306, and its flows', async () => {
    await visit();
    expect(await page.title()).toMatch(/Waggle/);
    for (const name of ['web', 'web2', 'maindb']) await card(name).waitFor();
    await visible(card('maindb').getByText(/3306/).or(page.getByRole('treeitem', { name: /maindb.*3306/ })));
    await visible(rows().filter({ hasText: 'web2' }).filter({ hasText: 'maindb' }).filter({ hasText: '3306' }));
    await visible(rows().filter({ hasText: 'maindb' }).getByText(/forwarded/i));
  });
});

async function visible(locator: Locator): Promise<void> {
  await locator.first().waitFor({ state: 'visible' });
}

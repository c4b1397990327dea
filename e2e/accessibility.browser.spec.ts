import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { axeFindings } from './axe.ts';
import { launchBrowser, WatchedPage } from './browser.ts';
import { Demo } from './demo.ts';
import { PageParts } from './page-parts.ts';

interface Screen {
  readonly name: string;
  readonly query: string;
  /** What a person does there. */
  readonly open?: (page: Page) => Promise<unknown>;
}

const SCREENS: readonly Screen[] = [
  { name: 'the map', query: '' },
  { name: 'the flow table', query: '?view=table' },
  { name: 'the list of workloads', query: '?view=list' },
  { name: 'a workload’s details', query: '', open: openDetails },
  {
    name: 'filters, one of them wrong',
    query: '?namespace=default&filter=port=3306&filter=port=banana&verdict=forwarded',
  },
  { name: 'a view that nothing matches', query: '?filter=port=1' },
  { name: 'the map in a frame', query: '?embed=map' },
  { name: 'the table in a frame', query: '?embed=table' },
  { name: 'the command palette', query: '?view=list', open: (page) => openByKey(page, 'Control+k') },
  { name: 'the keys', query: '?view=list', open: (page) => openByKey(page, '?') },
  { name: 'the settings', query: '?view=list', open: (page) => openByKey(page, ',') },
  { name: 'what happened', query: '?view=list', open: (page) => openByKey(page, 'e') },
  { name: 'the nodes', query: '?view=list', open: (page) => openPanel(page, /nodes? connected/, 'Nodes') },
  { name: 'the lost flows', query: '?view=list', open: (page) => openPanel(page, /lost, where/, 'Lost flows') },
  { name: 'the namespaces', query: '?view=list', open: (page) => openPanel(page, /^Namespace: /, 'Namespaces') },
];

describe('axe finds nothing, dark or light, on', () => {
  let demo: Demo;
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let watched: WatchedPage | undefined;

  beforeAll(async () => {
    [demo, browser] = await Promise.all([Demo.start('--replay'), launchBrowser()]);
  }, 150_000);

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
  }, 60_000);

  afterEach(async () => {
    await watched?.close();
  });

  async function expectNothing({ query, open }: Omit<Screen, 'name'>, viewport = { width: 1440, height: 900 }) {
    const options = { colorScheme: 'dark', reducedMotion: 'reduce', viewport } as const;
    watched = await WatchedPage.open(browser, `${demo.url}/${query}`, options);
    const { page } = watched;
    const parts = new PageParts(page);
    if (query === '?filter=port=1') await page.getByText(/Nothing matches/).waitFor();
    else if (/(view|embed)=table/.test(query)) await parts.rows.first().waitFor();
    else if (query === '?view=list') await page.getByRole('list', { name: 'Traffic of maindb' }).waitFor();
    else await parts.card('maindb').waitFor();
    await open?.(page);
    expect(await axeFindings(page), 'dark').toEqual([]);
    // The page follows; all that changes is its colours.
    await page.emulateMedia({ colorScheme: 'light' });
    await page.locator('html[data-theme=light]').waitFor();
    expect(await axeFindings(page, 'color-contrast'), 'light').toEqual([]);
  }

  test.for(SCREENS)('$name', async (screen) => {
    await expectNothing(screen);
  });

  test.for(['', '?view=table', '?embed=map', '?embed=table'])('480 pixels: %s', async (query) => {
    await expectNothing({ query }, { width: 480, height: 700 });
  });
});

async function openDetails(page: Page): Promise<void> {
  const card = new PageParts(page).card('maindb');
  await card.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'Details' }).getByRole('heading', { name: 'maindb' }).waitFor();
}

async function openByKey(page: Page, key: string): Promise<void> {
  await page.keyboard.press(key);
  await page.getByRole('dialog').waitFor();
}

async function openPanel(page: Page, button: RegExp, panel: string): Promise<void> {
  await page.getByRole('button', { name: button }).or(page.getByLabel(button)).first().click();
  await page.getByRole('dialog', { name: panel }).waitFor();
}

import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { axeFindings } from './axe.ts';
import { launchBrowser, WatchedPage } from './browser.ts';
import { Demo } from './demo.ts';
import { PageParts } from './page-parts.ts';

/** Each screen: its address, and what a person does there. */
const SCREENS: readonly (readonly [name: string, query: string, open?: (page: Page) => Promise<unknown>])[] = [
  ['the map', ''],
  ['the flow table', '?view=table'],
  ['the list of workloads', '?view=list'],
  ['a workload’s details', '', openDetails],
  [
    'a view with filters, one of them wrong',
    '?namespace=default&filter=port=3306&filter=port=banana&verdict=forwarded',
  ],
  ['a view that nothing matches', '?filter=port=1'],
  ['the map in a frame', '?embed=map'],
  ['the table in a frame', '?embed=table'],
  ['the command palette', '', (page) => openByKey(page, 'Control+k')],
  ['the keys', '', (page) => openByKey(page, '?')],
  ['the settings', '', (page) => openByKey(page, ',')],
  ['what happened', '', (page) => openByKey(page, 'e')],
  ['the nodes', '', (page) => openPanel(page, /nodes? connected/, 'Nodes')],
  ['the lost flows', '', (page) => openPanel(page, /lost, where/, 'Lost flows')],
  ['the namespaces', '', (page) => openPanel(page, /^Namespace: /, 'Namespaces')],
];

describe('axe finds nothing', () => {
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

  const cases = (['dark', 'light'] as const).flatMap((colorScheme) =>
    SCREENS.map((screen) => [...screen, colorScheme] as const),
  );
  test.for(
    cases.map((each) => ({
      name: each[0],
      query: each[1],
      open: each[2],
      colorScheme: each.at(-1) as 'dark' | 'light',
    })),
  )('on $name, $colorScheme', async ({ query, open, colorScheme }) => {
    watched = await WatchedPage.open(browser, `${demo.url}/${query}`, { colorScheme, reducedMotion: 'reduce' });
    const { page } = watched;
    if (query.includes('port=1'))
      await page
        .getByText(/Nothing matches|No flow/)
        .first()
        .waitFor();
    else
      await page
        .getByText(/maindb|productpage/)
        .first()
        .waitFor();
    await open?.(page);
    expect(await axeFindings(page)).toEqual([]);
  });

  test.for(['dark', 'light'] as const)('at 480 pixels, %s', async (colorScheme) => {
    watched = await WatchedPage.open(browser, demo.url, { colorScheme, viewport: { width: 480, height: 700 } });
    await new PageParts(watched.page).rows.first().waitFor();
    expect(await axeFindings(watched.page)).toEqual([]);
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

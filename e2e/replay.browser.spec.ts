import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { launchBrowser, WatchedPage } from './browser.ts';
import { Demo } from './demo.ts';
import { PageParts } from './page-parts.ts';

// The page where nothing can be observed: all of it works on the recording.

let demo: Demo;
let browser: Browser;
let watched: WatchedPage;
let page: Page;

beforeAll(async () => {
  [demo, browser] = await Promise.all([Demo.start('--replay'), launchBrowser()]);
}, 150_000);

afterAll(async () => {
  await browser?.close();
  expect(await demo?.stop()).toEqual([]);
}, 60_000);

beforeEach(async () => {
  watched = await WatchedPage.open(browser, demo.url);
  page = watched.page;
});

afterEach(async () => {
  expect(watched.takeComplaints()).toEqual([]);
  await watched.close();
});

const view = (name: string) =>
  page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name, exact: true }).click();

test('says that it is a recording, and why', async () => {
  await page.getByText(/These flows are a recording, not live traffic: a replay was asked for/).waitFor();
  const parts = new PageParts(page);
  for (const name of ['maindb', 'productpage-v1', 'backend']) await parts.card(name).waitFor();
});

test('policies have hits, and drops their policy', async () => {
  await view('Policies');
  const policies = page.getByRole('navigation', { name: 'List of policies' });
  await policies.getByRole('button', { name: /^backend-policy.*[1-9]\d* hits/s }).waitFor();
  await page.goto(`${demo.url}/?view=table&verdict=dropped`);
  await page
    .getByRole('row', { name: /dropped.*policy/is })
    .first()
    .waitFor();
});

test('Services have backends, and are traced', async () => {
  await view('Services');
  await page
    .getByRole('navigation', { name: 'List of Services' })
    .getByRole('button', { name: /^maindb/ })
    .click();
  await page.getByRole('row', { name: /maindb-.*ready/ }).waitFor();
  const address = (await page.getByRole('heading', { level: 4 }).textContent())!.split('/')[0]!;
  await page.getByLabel('Address and port').fill(address);
  await page.getByRole('button', { name: 'Trace' }).click();
  await page.getByText('Balanced').waitFor();
  await page.getByText(/When this was recorded, .* was Service default\/maindb/).waitFor();
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { launchBrowser, WatchedPage } from './browser.ts';
import { Demo } from './demo.ts';
import { PageParts } from './page-parts.ts';

let demo: Demo;
let browser: Browser;

beforeAll(async () => {
  demo = await Demo.start('guestbook', 'drops');
  browser = await launchBrowser();
}, 180_000);

afterAll(async () => {
  await browser?.close();
  expect(await demo?.stop()).toEqual([]);
});

test('the page of Services shows who stands behind them, and traces an address', async () => {
  const watched = await WatchedPage.open(browser, demo.url);
  const { page } = watched;
  await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Services' }).click();
  const list = page.getByRole('navigation', { name: 'List of Services' });
  await list.getByRole('button', { name: /empty none ready/ }).waitFor();
  await list.getByRole('button', { name: /^maindb/ }).click();
  expect(new URL(page.url()).searchParams.get('service')).toBe('default/maindb');
  const row = page.getByRole('row', { name: /maindb-.*ready/ });
  await row.waitFor();
  const address = (await page.getByRole('heading', { level: 4 }).textContent())!.split('/')[0]!;
  await page.getByLabel('Address and port').fill(address);
  await page.getByRole('button', { name: 'Trace' }).click();
  await page.getByText('Balanced').waitFor();
  await page.getByText('There is one backend: it is taken.').waitFor();
  expect(watched.takeComplaints()).toEqual([]);
  await watched.close();
});

test('the map shows Services between clients and backends, where that is asked for', async () => {
  const watched = await WatchedPage.open(browser, `${demo.url}/?namespace=default&services=1`);
  await new PageParts(watched.page).card('maindb', /Service/).waitFor();
  expect(watched.takeComplaints()).toEqual([]);
  await watched.close();
});

test('the table tells what a socket exchanged, in detail, and it can be hidden', async () => {
  const watched = await WatchedPage.open(browser, `${demo.url}/?view=table&filter=service=default/maindb`);
  const { page } = watched;
  const exchanged = page.getByRole('row', { name: /translated.*post-xlate-fwd · through default\/maindb:3306/ });
  await exchanged.first().click();
  await page.getByText('Program’s cgroup').waitFor();
  await page.getByText(/^cookie \d+$/).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^Show: / }).click();
  await page.getByRole('checkbox', { name: 'Translations' }).uncheck();
  await exchanged.first().waitFor({ state: 'detached' });
  await page
    .getByRole('row', { name: /forwarded.*through default\/maindb:3306/ })
    .first()
    .waitFor();
  expect(new URL(page.url()).search).toContain('!verdict=translated');
  expect(watched.takeComplaints()).toEqual([]);
  await watched.close();
});

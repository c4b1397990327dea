import type { Page } from 'playwright-core';
import { beforeEach, test } from 'vitest';
import { PageParts } from './page-parts.ts';
import { ReplayPage } from './replay-page.ts';

// The page where nothing can be observed: all of it works on the recording.

let page: Page;

const shown = new ReplayPage();

beforeEach(async () => {
  page = await shown.visit('/');
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
  await page.goto(`${shown.url}/?view=table&verdict=dropped`);
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

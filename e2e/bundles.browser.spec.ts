import { afterAll, beforeAll, expect, test } from 'vitest';
import { TO_ENDPOINT } from '#runtime/testing/sample-flows.ts';
import { launchBrowser, WatchedPage } from './browser.ts';
import { eventually } from './eventually.ts';
import { FakeCluster, pod } from './fake-agent.ts';
import { untidyCards } from './look.ts';
import { PageParts } from './page-parts.ts';

// Many small namespaces, as where each team, branch or tenant has one.

const NAMESPACES = 400;
const pods = Array.from({ length: NAMESPACES }, (_, index) => {
  const team = ['payments', 'search', 'ml', 'identity', 'data'][index % 5];
  return pod(
    `${team}-${index % 2 === 0 ? 'dev' : 'prod'}-${index}`,
    'api',
    'node-1',
    `10.0.${index >> 8}.${index & 255}`,
  );
});
const calls = pods.slice(1).map((destination, index) => ({
  ...TO_ENDPOINT,
  source: pods[index],
  destination,
  destinationPort: 8080,
}));

let cluster: FakeCluster;
let browser: Awaited<ReturnType<typeof launchBrowser>>;

beforeAll(async () => {
  [cluster, browser] = await Promise.all([FakeCluster.start(), launchBrowser()]);
  cluster.agents[0].keepObserving(2_000, ...calls);
}, 300_000);

afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
}, 60_000);

test('very many namespaces are bundles that can be read, opened and closed', async () => {
  const watched = await WatchedPage.open(browser, `${cluster.backend.url}/?embed=map`, { reducedMotion: 'reduce' });
  const { page } = watched;
  const parts = new PageParts(page);
  const bundle = parts.map.getByRole('treeitem', { name: /^payments-dev-\*, 40 namespaces, folded up/ });
  await bundle.waitFor({ state: 'attached', timeout: 60_000 });
  const cards = parts.map.locator('[data-card]');
  expect(await cards.count()).toBeLessThanOrEqual(60);
  await eventually('they stand beside each other', 20_000, async () => (await untidyCards(page)).length === 0);

  await bundle.focus();
  await page.keyboard.press('Enter');
  const member = parts.map.getByRole('treeitem', { name: /^api, payments-dev-0,/ });
  await member.waitFor({ state: 'attached' });
  expect(await bundle.count()).toBe(0);

  // The title of a plate that cannot be folded by itself closes the bundle it came from.
  await parts.map.getByRole('treeitem', { name: /^payments-dev-0, namespace, 1 workload/ }).focus();
  await page.keyboard.press('Enter');
  await bundle.waitFor({ state: 'attached' });

  await page.goto(`${cluster.backend.url}/?view=list`);
  const line = page.getByRole('button', { name: /^payments-dev-\* ?40 namespaces/ });
  await line.click();
  await line.waitFor({ state: 'detached' });
  await page.getByRole('heading', { name: /^payments-dev-0/ }).waitFor();
  expect(watched.complaints).toEqual([]);
  await watched.close();
});

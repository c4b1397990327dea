import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser, WatchedPage } from './browser.ts';
import { Demo } from './demo.ts';
import { eventually } from './eventually.ts';
import { PageParts } from './page-parts.ts';
import { waggleOk } from './waggle.ts';

// The demo of network policy as a person walks it: a stage by the command, then a look at the page.

const SOURCES = ['management-ui', 'client', 'frontend', 'backend'];
const PAIRS = SOURCES.flatMap((from) =>
  ['frontend', 'backend', 'client'].filter((to) => to !== from).map((to) => `${from}>${to}`),
);
const FROM_UI = PAIRS.filter((pair) => pair.startsWith('management-ui>'));
const OPEN: Readonly<Record<string, readonly string[]>> = {
  a: PAIRS,
  b: [],
  c: FROM_UI,
  d: [...FROM_UI, 'frontend>backend'],
  e: [...FROM_UI, 'frontend>backend', 'client>frontend'],
};
const POLICIES: Readonly<Record<string, readonly string[]>> = {
  a: [],
  b: ['default-deny', 'default-deny'],
  c: ['allow-ui', 'default-deny', 'allow-ui', 'default-deny'],
  d: ['allow-ui', 'default-deny', 'allow-ui', 'backend-policy', 'default-deny'],
  e: ['allow-ui', 'default-deny', 'allow-ui', 'backend-policy', 'default-deny', 'frontend-policy'],
};

describe('the demo of policies', () => {
  let demo: Demo;
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let watched: WatchedPage;
  let page: Page;

  beforeAll(async () => {
    [demo, browser] = await Promise.all([Demo.start('stars'), launchBrowser()]);
    watched = await WatchedPage.open(browser, demo.url);
    page = watched.page;
  }, 300_000);

  afterAll(async () => {
    await browser?.close();
    expect(await demo?.stop()).toEqual([]);
  }, 60_000);

  test.for(['a', 'b', 'c', 'd', 'e'])('stage %s: what it opens is seen, and what it denies', async (stage) => {
    await waggleOk(['lab', 'scenario', 'stars', '--name', demo.lab, '--stage', stage]);
    const parts = new PageParts(page);
    await page.getByRole('button', { name: 'Map', exact: true }).click();
    await eventually(`the map shows stage ${stage}`, 90_000, async () => {
      for (const pair of PAIRS) {
        const [from, to] = pair.split('>');
        const verdict = OPEN[stage].includes(pair) ? 'forwarded' : 'dropped';
        if ((await parts.arrow(from, to, new RegExp(`TCP, ${verdict}`)).count()) === 0) return false;
      }
      return true;
    });
    await page.getByRole('button', { name: 'Policies', exact: true }).click();
    const list = page.getByRole('navigation', { name: 'List of policies' }).getByRole('button');
    await eventually('its policies are listed', 30_000, async () => (await list.count()) === POLICIES[stage].length);
    const names = (await list.allTextContents()).map((text) => /^[a-z-]+(?=NetworkPolicy)/.exec(text)?.[0]);
    expect(names).toEqual(POLICIES[stage]);
  });

  test('in the end every rule was used, and three workloads are closed', async () => {
    const region = page.getByRole('region', { name: 'Policies', exact: true });
    await region.getByText('all used').waitFor();
    await region.getByText('3 of 5').waitFor();
    expect(watched.complaints).toEqual([]);
  });
});

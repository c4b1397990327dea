import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { freePort } from '#runtime/testing/free-port.ts';
import { type SampleFlow, TO_ENDPOINT, TO_STACK } from '#runtime/testing/sample-flows.ts';
import { axeFindings } from './axe.ts';
import { Backend } from './backend.ts';
import { ClusterPage } from './cluster-page.ts';
import { eventually } from './eventually.ts';
import { CLUSTER, droppedByPolicy, FakeCluster, pod, policy, WORLD } from './fake-agent.ts';
import { untidy } from './look.ts';
import { PageParts } from './page-parts.ts';

// What nobody means to show or ask for, and somebody will: names as long as they may be, labels that are markup, addresses
// made by machines, a clock that is wrong, a server that goes away and comes back.

const LONG = 'a-very-long-name-'.repeat(15).slice(0, 253);
const HOST_NAME = `${['x', 'y', 'z'].map((letter) => letter.repeat(60)).join('.')}.example.com`;
const LONG_POLICY = 'p'.repeat(253);
const MARKUP = '<img src=x onerror=alert(1)>';

const long = pod('n'.repeat(63), LONG, 'node-1', '10.0.1.1');
const hostile = {
  ...pod('shop', 'hostile', 'node-1', '10.0.1.2'),
  labels: [`k8s:app=${MARKUP}`, `k8s:${'k'.repeat(253)}/${'q'.repeat(63)}=${'v'.repeat(63)}`],
};
const unicode = pod('shop', '名前 <b>x</b>', 'node-1', 'fd00::1234');
const office = { ...WORLD, identity: 0x0100_0005, labels: ['cidrgroup:office', 'reserved:world'] };
const named = { ...WORLD, address: '203.0.113.9', names: [HOST_NAME] };

function call(source: Endpoint, destination: Endpoint, destinationPort: number, more: SampleFlow = {}): SampleFlow {
  return { ...TO_ENDPOINT, source, destination, destinationPort, rttMicros: 800, bytesOriginal: 900, ...more };
}

describe('strange input', () => {
  let page: Page;
  let parts: PageParts;

  const shown = new ClusterPage(async () => {
    const cluster = await FakeCluster.start();
    cluster.agents[0].keepObserving(
      500,
      call(long, hostile, 8080),
      call(hostile, unicode, 65_535),
      call(office, hostile, 443),
      { ...call(hostile, named, 443), ...TO_STACK },
      droppedByPolicy({ source: long, destination: hostile, destinationPort: 9000 }, policy('shop', LONG_POLICY)),
    );
    return cluster;
  });

  async function visit(query = '', options: BrowserContextOptions = {}, before?: () => void): Promise<void> {
    const look = { reducedMotion: 'reduce', ...options } as const;
    page = await shown.visit(`/${query}`, look, before);
    parts = new PageParts(page);
  }

  /** Nothing in it reaches beyond its right edge, nor does the page itself. */
  async function expectWithin(part: Locator): Promise<void> {
    expect(await untidy(page)).toEqual([]);
    const beyond = await part.evaluate((element) => {
      const { right } = element.getBoundingClientRect();
      return [...element.querySelectorAll('*')]
        .filter((each) => each.closest('.sr-only') === null && each.getBoundingClientRect().right > right + 1)
        .filter((each) => getComputedStyle(each).overflowX !== 'hidden' && each.closest('[class*=truncate]') === null)
        .map((each) => `${each.tagName} ${(each.textContent ?? '').slice(0, 30)}`);
    });
    expect(beyond).toEqual([]);
  }

  test.for([1440, 1024, 480])('names of 253 letters stay in their places: the panel, at %i pixels', async (width) => {
    const viewport = { width, height: 800 };
    await visit(`?select=${encodeURIComponent(`${CLUSTER}/${'n'.repeat(63)}/Deployment/${LONG}`)}`, { viewport });
    const details = page.getByRole('complementary', { name: 'Details' });
    await details
      .getByRole('heading', { name: LONG.slice(0, 20) })
      .first()
      .waitFor();
    await details.getByRole('article').getByText('Policy denied.').waitFor();
    await expectWithin(details);
  });

  test('names of 253 letters stay in their places: the list', async () => {
    await visit('?view=list', { viewport: { width: 1024, height: 800 } });
    const list = page.getByRole('region', { name: 'Workloads' });
    await list.getByRole('button', { name: HOST_NAME }).first().waitFor();
    await expectWithin(list);
  });

  test('names of 253 letters stay in their places: a flow', async () => {
    await visit('?view=table');
    await page.getByRole('button', { name: 'Pause' }).click();
    await parts.rows.filter({ hasText: '9000' }).first().click();
    const drawer = page.getByRole('dialog', { name: 'Flow', exact: true });
    await drawer.getByText(LONG_POLICY).first().waitFor();
    await expectWithin(drawer);
  });

  test('labels that are markup are text everywhere', async () => {
    await visit(`?name=app&select=${encodeURIComponent(`${CLUSTER}/shop/Deployment/hostile`)}`);
    await page.getByRole('button', { name: `app=${MARKUP}` }).waitFor();
    await parts.map.getByRole('treeitem', { name: MARKUP }).first().waitFor();
    await parts.rows.filter({ hasText: '<b>x</b>' }).first().waitFor();
    expect(await page.locator('img[src=x], b').count()).toBe(0);
  });

  test('a group of ranges is called by its name in the table as on the map', async () => {
    await visit();
    await parts.card('office').waitFor();
    await parts.rows
      .filter({ hasText: /office\s*world/ })
      .first()
      .waitFor();
  });

  test('an address nobody would write is answered in a few words, and what makes sense in it is used', async () => {
    const nonsense = [
      `namespace=${encodeURIComponent('日本,<b>,shop')}`,
      `name=${'é'.repeat(1_500)}`,
      `find=${encodeURIComponent('((((')}`,
      'filter=pod=*****a*****b****c*****',
      'filter=port=443',
      'view=%00&theme=pink&verdict=lost&quiet=-5&hops=1e9&sort=__proto__&flow=../../etc&select=%3E%3E%3E&group=planet',
    ];
    await visit(`?${nonsense.join('&')}`);
    const notice = page.getByRole('alert').filter({ hasText: 'Left out of the address' });
    await notice.getByText(/theme=pink \(there are dark, light, system\)/).waitFor();
    expect((await notice.boundingBox())!.height).toBeLessThan(120);
    expect(await untidy(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove filter pod=*****a*****b****c*****' }).click();
    await parts.card('hostile').waitFor();
    await parts.everyRow((text) => text.includes('443'), 'to 443');
  });

  test('a filter of ten thousand letters is shown short, can be removed, and breaks nothing', async () => {
    const addresses = Array.from({ length: 900 }, (_, index) => `10.7.${index >> 8}.${index & 255}`);
    await visit(`?filter=ip=${addresses.join(',')}`);
    await parts.card('hostile').waitFor();
    const remove = page.getByRole('button', { name: /^Remove filter ip=10\.7/ });
    const bar = (await page.getByRole('search', { name: 'Filter flows' }).boundingBox())!;
    const { x, width } = (await remove.boundingBox())!;
    expect(x + width).toBeLessThanOrEqual(bar.x + bar.width);
    expect(await untidy(page)).toEqual([]);
    await remove.click();
    await eventually('it is gone', 10_000, () => !page.url().includes('filter='));
    await page.getByRole('combobox', { name: 'Filter' }).fill(`ip=${addresses.join(',')}`);
    await page.keyboard.press('Enter');
    await page
      .getByRole('alert')
      .filter({ hasText: /at most 1024 characters/ })
      .waitFor();
    expect(await untidy(page)).toEqual([]);
  });

  test('a browser whose clock is wrong tells times by the server’s, and says so', async () => {
    const lateBy = 'const clock = Date.now; Date.now = () => clock() + 3_600_000;';
    // A worker of the tab's own: what is changed in it is what its script begins with.
    const context = { serviceWorkers: 'block' } as const;
    page = await shown.visit(`/healthz`, context, () => {
      delete (globalThis as { SharedWorker?: unknown }).SharedWorker;
      const clock = Date.now;
      Date.now = () => clock() + 3_600_000;
    });
    parts = new PageParts(page);
    await page.context().route(/(session|map)-worker[^/]*\.js/, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${lateBy}\n${await response.text()}` });
    });
    await page.goto(`${shown.cluster.backend.url}/`);
    await parts.status.getByText(/server (59 min|1 h) behind/).waitFor();
    await parts.rows.first().waitFor();
    await page.keyboard.press('r');
    await parts.everyRow((text) => /^(now|\d+ s ago)/.test(text.trim()), 'of seconds ago');
    expect(await parts.card('hostile', /quiet/).count()).toBe(0);
  });

  test('a server that dies and comes back: what was seen stays meanwhile, and goes on by itself', async () => {
    await visit();
    await parts.card('hostile').waitFor();
    await parts.rows.first().waitFor();
    await shown.cluster.backend.crashAndRestart();
    await parts.card('hostile').waitFor();
    await parts.status.getByText('live', { exact: true }).waitFor();
    await parts.status.getByRole('button', { name: '1/1 node connected' }).waitFor();
    const before = await parts.newestRow();
    await eventually('flows go on', 30_000, async () => (await parts.newestRow()) !== before);
    await parts.card('hostile').waitFor();
    // The browser's own words about a server that was gone.
    shown.forgive();
  });

  test('a worker that is lost, as with the tab whose process it lived in, is replaced', async () => {
    await visit();
    await parts.rows.first().waitFor();
    await parts.card('hostile').waitFor();
    const session = await shown.browser.newBrowserCDPSession();
    const { targetInfos } = await session.send('Target.getTargets');
    const mine = targetInfos.find(
      ({ type, url }) => type === 'shared_worker' && url.startsWith(shown.cluster.backend.url),
    );
    await session.send('Target.closeTarget', { targetId: mine!.targetId });
    await session.detach();
    const before = await parts.newestRow();
    await eventually('flows go on', 75_000, async () => (await parts.newestRow()) !== before);
    shown.cluster.agents[0]!.observe(call(long, pod('shop', 'newcomer', 'node-1', '10.0.1.3'), 8080));
    await parts.card('newcomer').waitFor();
  });

  test('a window at 400 % is scrolled: its parts do not lie over each other', async () => {
    await visit('', { viewport: { width: 360, height: 225 } });
    await parts.rows.first().waitFor();
    const boxes = await Promise.all(
      [page.getByRole('banner'), parts.map, page.getByRole('table', { name: /^Flows/ }), parts.status].map((part) =>
        part.boundingBox(),
      ),
    );
    for (const [at, box] of boxes.slice(1).entries()) {
      expect(box!.y).toBeGreaterThanOrEqual(boxes[at]!.y + boxes[at]!.height - 1);
    }
    await parts.status.scrollIntoViewIfNeeded();
    await expect.poll(async () => (await parts.status.boundingBox())!.y).toBeLessThan(225);
    expect(await untidy(page)).toEqual([]);
  });

  test('a cluster without a node, or with none that answers, is told apart from one where nobody talks', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'waggle-no-nodes-'));
    const empty = await Backend.start(stateDir);
    const deaf = await Backend.startWith(['--agent', `nobody=127.0.0.1:${await freePort()}`]);
    try {
      page = await shown.visit(empty.url);
      await page.getByText('No node is known yet').waitFor({ timeout: 60_000 });
      expect(await axeFindings(page)).toEqual([]);
      page = await shown.visit(deaf.url);
      await page.getByText('No node can be reached').waitFor({ timeout: 60_000 });
    } finally {
      await Promise.all([empty.stop(), deaf.stop()]);
      await rm(stateDir, { recursive: true });
      shown.forgive();
    }
  });
});

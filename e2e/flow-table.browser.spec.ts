import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { axeFindings } from './axe.ts';
import { ClusterPage } from './cluster-page.ts';
import { eventually } from './eventually.ts';
import { DB, droppedByPolicy, FakeCluster, pod, policy, WEB, WORLD } from './fake-agent.ts';
import { PageParts } from './page-parts.ts';

const CART = pod('shop', 'cart', 'node-1', '10.0.1.8');

describe('the flow table', () => {
  let page: Page;
  let table: Locator;
  let rows: Locator;
  let bar: Locator;
  let parts: PageParts;

  const shown = new ClusterPage(async () => {
    const cluster = await FakeCluster.start();
    cluster.agents[0].keepObserving(
      400,
      { source: WEB, destination: DB, bytesOriginal: 5_000, rttMicros: 84 },
      { source: CART, destination: DB, bytesOriginal: 900, retransmits: 2 },
      { source: WEB, destination: WORLD, destinationPort: 443, bytesOriginal: 70_000 },
      droppedByPolicy({ source: WEB, destination: CART, destinationPort: 9000 }, policy('shop', 'cart-only')),
    );
    return cluster;
  });

  async function visit(query = '?view=table', width = 1440): Promise<void> {
    const options = {
      permissions: ['clipboard-read', 'clipboard-write'],
      viewport: { width, height: 800 },
      acceptDownloads: true,
      timezoneId: 'Asia/Kolkata',
    };
    page = await shown.visit(`/${query}`, options);
    parts = new PageParts(page);
    table = page.getByRole('table', { name: /^Flows/ });
    rows = parts.rows;
    bar = page.getByRole('toolbar', { name: 'Flow table' });
    await rows.first().waitFor();
  }

  const header = (name: string) => table.getByRole('columnheader', { name, exact: true });
  const headers = () => table.getByRole('columnheader').allInnerTexts();
  const drawer = () => page.getByRole('dialog', { name: 'Flow', exact: true });
  const texts = (column: number) =>
    rows.evaluateAll((all, at) => all.map((row) => row.children[at]?.textContent ?? ''), column);
  const pause = () => bar.getByRole('button', { name: 'Pause' }).click();
  /** Of the row with these words; the table has to hold still. */
  const rowOf = (...words: (string | RegExp)[]) =>
    words.reduce((found, hasText) => found.filter({ hasText }), rows).first();

  test('columns are chosen, ordered and resized, by pointer and by keyboard, and remembered', async () => {
    await visit();
    expect(await headers()).toContain('Time');
    await bar.getByRole('button', { name: 'Columns' }).click();
    const menu = page.getByRole('dialog', { name: 'Columns' });
    await menu.getByRole('checkbox', { name: 'RTT' }).check();
    await menu.getByRole('checkbox', { name: 'Policy' }).check();
    await menu.getByRole('checkbox', { name: 'Source identity' }).check();
    await menu.getByRole('checkbox', { name: 'Time' }).uncheck();
    await menu.getByRole('button', { name: 'Move Verdict up' }).click();
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'detached' });
    let names = await headers();
    expect(names).not.toContain('Time');
    for (const name of ['RTT', 'Policy', 'Source identity']) expect(names).toContain(name);
    expect(names.indexOf('Verdict')).toBeLessThan(names.indexOf('Protocol'));
    await rowOf('cart', '9000').getByText('shop/cart-only').first().waitFor();

    // By keyboard: the port goes to the left, and gets wider.
    const port = header('Port').getByRole('button');
    await port.press('Alt+ArrowLeft');
    names = await headers();
    expect(names.indexOf('Port')).toBe(names.indexOf('Destination') - 1);
    const before = (await header('Port').boundingBox())!.width;
    await port.press('Shift+ArrowRight');
    await eventually('it is wider', 10_000, async () => (await header('Port').boundingBox())!.width > before);

    // By pointer: it is dragged behind another.
    const from = (await header('Port').boundingBox())!;
    const to = (await header('Verdict').boundingBox())!;
    await page.mouse.move(from.x + 10, from.y + 10);
    await page.mouse.down();
    await page.mouse.move(to.x + to.width - 4, from.y + 10, { steps: 8 });
    await page.mouse.up();
    await eventually('it is behind the verdict', 10_000, async () => {
      names = await headers();
      return names.indexOf('Port') === names.indexOf('Verdict') + 1;
    });

    const chosen = await headers();
    const width = (await header('Port').boundingBox())!.width;
    await page.reload();
    await rows.first().waitFor();
    expect(await headers()).toEqual(chosen);
    expect((await header('Port').boundingBox())!.width).toBe(width);
    await bar.getByRole('button', { name: 'Columns' }).click();
    await menu.getByRole('button', { name: 'Reset columns' }).click();
    expect((await headers())[0]).toBe('Time');
  });

  test('sorts by any column, both ways and not at all; the address keeps it', async () => {
    await visit();
    const bytes = (await headers()).indexOf('Bytes');
    const sorted = async (values: string) => (await texts(bytes))[0] === values;
    await header('Bytes').getByRole('button').click();
    await eventually('the most bytes first', 20_000, () => sorted('70 kB'));
    expect(await header('Bytes').getAttribute('aria-sort')).toBe('descending');
    await header('Bytes').getByRole('button').click();
    await eventually('the fewest bytes first', 20_000, () => sorted('60 B'));
    expect(new URL(page.url()).searchParams.get('sort')).toBe('bytes');
    await page.reload();
    await eventually('the same after a reload', 30_000, () => sorted('60 B'));
    await header('Bytes').getByRole('button').click();
    await eventually('no sort in the address', 10_000, async () => !page.url().includes('sort='));
    await header('Source').getByRole('button').click();
    await eventually('cart before web', 20_000, async () => (await texts(1))[0].startsWith('cart'));
  });

  test('follows what arrives, and holds still while somebody reads, scrolls or pauses', async () => {
    await visit();
    const newest = () => rows.first().textContent();
    const first = await newest();
    await eventually('newer flows on top', 20_000, async () => (await newest()) !== first);
    const arrived = bar.getByRole('button', { name: /new$/ });
    expect(await arrived.count()).toBe(0);

    await pause();
    const held = await newest();
    await eventually('it says how many came', 20_000, async () =>
      /[1-9]\d* new/.test((await arrived.textContent()) ?? ''),
    );
    expect(await newest()).toBe(held);
    await bar.getByRole('button', { name: 'Resume' }).click();
    await arrived.waitFor({ state: 'detached' });
    await eventually('it goes on', 20_000, async () => (await newest()) !== held);

    // More than fit.
    await eventually('many flows', 60_000, async () => Number(await table.getAttribute('aria-rowcount')) > 200);
    await table.evaluate((element) => element.scrollBy(0, 260));
    await arrived.waitFor();
    const scrolled = await rows.nth(20).textContent();
    await eventually('more came', 20_000, async () => /[1-9]\d* new/.test((await arrived.textContent()) ?? ''));
    expect(await rows.nth(20).textContent()).toBe(scrolled);
    // Elements are used again while it scrolls; at rest, who reads the document finds the rows in their order.
    await table.evaluate(async (element) => {
      for (let frame = 0; frame < 40; frame++) {
        element.scrollBy(0, 90);
        await new Promise(requestAnimationFrame);
      }
    });
    const order = () => rows.evaluateAll((all) => all.map((row) => Number(row.ariaRowIndex)));
    await eventually('rows in their order', 20_000, async () => {
      const now = await order();
      return now.length > 20 && now[0] > 100 && now.every((index, at) => index === now[0] + at);
    });
    await arrived.click();
    expect(await table.evaluate((element) => element.scrollTop)).toBe(0);
  });

  test('folds repeats into one row with a count', async () => {
    await visit();
    await bar.getByRole('button', { name: 'Aggregate' }).click();
    await eventually('four kinds of flows', 30_000, async () => (await rows.count()) === 4);
    const count = (await headers()).indexOf('Flows');
    const counts = async () => (await texts(count)).map(Number);
    const before = await counts();
    await eventually('the counts grow in place', 30_000, async () => {
      const now = await counts();
      return now.length === 4 && now.every((each, at) => each > before[at]);
    });
    expect(page.url()).toContain('aggregate=1');
    await header('Flows').getByRole('button').click();
    await rowOf('cart', '9000', 'dropped').waitFor();
  });

  test('tells everything about a flow, to be filtered by or copied', async () => {
    await visit();
    await pause();
    const pointed = rowOf('9000', 'dropped').getByRole('cell').filter({ hasText: 'cart' }).first();
    await pointed.hover();
    await eventually('its address', 10_000, async () =>
      /^cart-5f7c-a · 10\.0\.1\.8:9000$/.test((await pointed.getAttribute('title')) ?? ''),
    );
    await rowOf('9000', 'dropped').click();
    for (const text of ['Policy denied', 'shop/cart-only', 'k8s:app=web', '10.0.1.8']) {
      await drawer().getByText(text, { exact: false }).first().waitFor();
    }
    await drawer()
      .getByText(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC\+5:30 · (now|\d+ s ago)$/)
      .waitFor();
    await drawer().getByRole('radio', { name: 'JSON' }).click();
    const json = JSON.parse((await drawer().getByRole('region', { name: /JSON/ }).textContent()) ?? '');
    expect(json.flow).toMatchObject({
      verdict: 'DROPPED',
      drop_reason_desc: 'POLICY_DENIED',
      ingress_denied_by: [{ name: 'cart-only', namespace: 'shop', kind: 'NetworkPolicy' }],
      l4: { TCP: { destination_port: 9000, flags: { SYN: true } } },
    });
    await drawer().getByRole('radio', { name: 'Fields' }).click();

    const pod = drawer().getByRole('button', { name: 'Pod: cart-5f7c-a' });
    const menus = page.getByRole('menu');
    await pod.click();
    await menus.waitFor();
    // The page outside of a menu is inert to all but the pointer.
    await pod.click({ force: true });
    await menus.waitFor({ state: 'detached' });
    await pod.focus();
    await page.keyboard.press('ArrowDown');
    await menus.waitFor();
    await page.keyboard.press('Escape');
    await menus.waitFor({ state: 'detached' });
    expect(await pod.evaluate((value) => value === document.activeElement)).toBe(true);
    await pod.click();
    await page.getByRole('menuitem', { name: 'Copy value' }).click();
    await eventually(
      'the value on the clipboard',
      10_000,
      async () => (await page.evaluate(() => navigator.clipboard.readText())) === 'cart-5f7c-a',
    );
    await page.getByRole('menuitem', { name: 'Not pod=shop/cart-5f7c-a' }).click();
    await eventually('the filter in the address', 10_000, () => Promise.resolve(page.url().includes('!pod=shop/cart')));
    await drawer().getByRole('button', { name: 'Close flow' }).click();
    await drawer().waitFor({ state: 'detached' });
    await parts.everyRow((text) => !text.includes('cart'), 'without the cart');
  });

  test('a link leads to the same flow, and says when it has gone', async () => {
    await visit();
    await pause();
    await rowOf('443').click();
    await drawer().getByRole('button', { name: 'Copy link' }).click();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    expect(link).toContain('flow=');
    const id = new URL(link).searchParams.get('flow')!;

    // Somebody else's browser, with another view: the flow comes from the server.
    await visit(`?namespace=data&view=table&flow=${id}`);
    await drawer().getByText(id).waitFor();
    await drawer().getByText('93.184.216.34').first().waitFor();
    await visit(`?view=table&flow=${id.replace(/\/\d+$/, '/999999999')}`);
    await drawer()
      .getByText(/no longer held/)
      .waitFor();
    await page.keyboard.press('Escape');
    await drawer().getByRole('button', { name: 'Close flow' }).press('Escape');
    await drawer().waitFor({ state: 'detached' });
    expect(page.url()).not.toContain('flow=');
  });

  test('gives its flows away as CSV, as JSON lines, and as a command', async () => {
    await visit('?view=table&namespace=shop&filter=port=9000&filter=!ip=10.9.0.0/16');
    await parts.everyRow((text) => text.includes('9000'), 'to 9000');
    await bar.getByRole('button', { name: 'Export' }).click();
    const menu = page.getByRole('dialog', { name: 'Export' });
    const written = async (button: RegExp) => {
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        menu.getByRole('button', { name: button }).click(),
      ]);
      await menu.getByText(/\d+ flows written/).waitFor();
      return { name: download.suggestedFilename(), text: await readFile(await download.path(), 'utf8') };
    };
    const csv = await written(/CSV/);
    expect(csv.name).toMatch(/^waggle-flows-.*\.csv$/);
    const [head, ...lines] = csv.text.split('\r\n').slice(0, -1);
    expect(head).toMatch(/^time,verdict,drop_reason,policy,/);
    expect(lines.length).toBeGreaterThan(0);
    expect(lines.every((line) => line.includes(',DROPPED,Policy denied,'))).toBe(true);

    const jsonl = await written(/JSON lines/);
    const flows = jsonl.text.trimEnd().split('\n');
    expect(JSON.parse(flows[0])).toMatchObject({
      node_name: 'test/node-1',
      flow: { Type: 'L3_L4', verdict: 'DROPPED' },
    });

    const command = "waggle observe --namespace shop --port 9000 --last 4096 --follow '!ip=10.9.0.0/16'";
    await menu.getByRole('button', { name: 'Copy command' }).click();
    await eventually(
      'the command on the clipboard',
      10_000,
      async () => (await page.evaluate(() => navigator.clipboard.readText())) === command,
    );
  });

  test('goes by keyboard alone', async () => {
    await visit();
    await pause();
    await table.focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-rowindex'));
    await eventually('the second row has the focus', 10_000, async () => (await focused()) === '3');
    await page.keyboard.press('Enter');
    await drawer().getByText('Verdict').first().waitFor();
    const second = page.url();
    await page.keyboard.press('ArrowDown');
    await eventually('the next flow is told', 10_000, async () => page.url() !== second);
    await page.keyboard.press('End');
    const last = await table.getAttribute('aria-rowcount');
    await eventually('the last row has the focus', 10_000, async () => (await focused()) === last);
    await page.keyboard.press('Escape');
    await drawer().waitFor({ state: 'detached' });
  });

  test.for([1024, 480])('has nothing that axe would find, at %i pixels', async (width) => {
    await visit('?embed=table', width);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    expect(await axeFindings(page)).toEqual([]);
    await pause();
    await rows.first().click();
    await drawer().getByText('Verdict').first().waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await drawer()
      .getByRole('button', { name: /^Pod: / })
      .first()
      .click();
    await page.getByRole('menu').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await drawer().getByRole('button', { name: 'Close flow' }).click();
    for (const name of ['Columns', 'Export']) {
      await bar.getByRole('button', { name }).click();
      await page.getByRole('dialog', { name }).waitFor();
      expect(await axeFindings(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog', { name }).waitFor({ state: 'detached' });
    }
  });

  test('tabs share one stream: more of them than the browser has connections', async () => {
    await visit('?embed=table');
    const tabs: Page[] = [];
    for (let tab = 0; tab < 7; tab++) {
      const another = await page.context().newPage();
      await another.goto(page.url());
      tabs.push(another);
    }
    for (const tab of tabs) {
      await tab.getByRole('row').filter({ hasText: 'maindb' }).first().waitFor({ timeout: 60_000 });
    }
    for (const tab of tabs) await tab.close();
  });

  test('tabs with views of their own take turns, and the newest is served', async () => {
    await visit('?embed=table');
    const tabs: Page[] = [];
    for (let port = 1; port <= 7; port++) {
      const another = await page.context().newPage();
      await another.goto(`${page.url()}&filter=!port=${port}`);
      await another.getByRole('row').filter({ hasText: 'maindb' }).first().waitFor({ timeout: 60_000 });
      tabs.push(another);
    }
    for (const tab of tabs) await tab.close();
  });

  test('works where tabs cannot share a worker', async () => {
    page = await shown.visit(`/?embed=table`, {}, () => {
      delete (globalThis as { SharedWorker?: unknown }).SharedWorker;
    });
    await page.getByRole('row').filter({ hasText: 'maindb' }).first().waitFor({ timeout: 60_000 });
    expect(await page.evaluate(() => 'SharedWorker' in globalThis)).toBe(false);
  });
});

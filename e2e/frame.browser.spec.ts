import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { Code } from '#runtime/grpc/service.ts';
import { freePort } from '#runtime/testing/free-port.ts';
import { axeFindings } from './axe.ts';
import { Backend } from './backend.ts';
import { eventually } from './eventually.ts';
import { DB, dropped, FakeCluster, WEB } from './fake-agent.ts';
import { PageParts } from './page-parts.ts';
import { RefusingServer } from './refusing-server.ts';
import { ReplayPage } from './replay-page.ts';
import { StumblingProxy } from './stumbling-proxy.ts';

// The frame around map and table: what is found and done by keyboard, what is chosen, and what is told.

/** A page takes so long to learn how much is dropped usually. */
const LEARNING_MS = 7_000;

let page: Page;
let parts: PageParts;

const shown = new ReplayPage();

async function visit(query = '', options: BrowserContextOptions = {}, url = shown.url): Promise<void> {
  page = await shown.visit(`${url}/${query}`, options);
  parts = new PageParts(page);
}

const address = () => new URL(page.url()).searchParams;

describe('the command palette', () => {
  const field = () => page.getByRole('combobox', { name: /Find a workload, a namespace or an action/ });

  async function open(): Promise<void> {
    await page.keyboard.press('Control+k');
    await field().waitFor();
  }

  test('goes to a workload by a few letters, and gives the focus back', async () => {
    await visit();
    await parts.card('maindb').waitFor();
    const before = page.getByRole('button', { name: 'Flow table' });
    await before.focus();
    await open();
    await page.keyboard.type('maind');
    await page.getByRole('option', { name: /^maindb/, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Details' }).getByRole('heading', { name: 'maindb' }).waitFor();
    expect(address().get('select')).toContain('maindb');
    expect(await before.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  test('goes to a workload that the view leaves out', async () => {
    await visit('?namespace=bookinfo&filter=port=9080');
    await parts.card('productpage').waitFor();
    await open();
    await page.keyboard.type('maind');
    const elsewhere = page.getByRole('group', { name: 'Workloads that are not on the map now' });
    await elsewhere.getByRole('option', { name: /^maindb/, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('complementary', { name: 'Details' }).getByRole('heading', { name: 'maindb' }).waitFor();
    await parts.card('maindb').waitFor();
    expect(address().get('namespace')).toBe('bookinfo,default');
    expect(address().has('filter')).toBe(false);
  });

  test('goes to a namespace', async () => {
    await visit();
    await parts.card('maindb').waitFor();
    await open();
    await page.keyboard.type('bookin');
    const namespaces = page.getByRole('group', { name: 'Namespaces' });
    await namespaces.getByRole('option', { name: /^bookinfo/ }).click();
    await parts.card('maindb').waitFor({ state: 'detached' });
    expect(address().get('namespace')).toBe('bookinfo');
  });

  test('does what buttons and keys do, and takes a filter', async () => {
    await visit();
    await parts.card('maindb').waitFor();
    await open();
    await page.keyboard.type('flow table');
    await page.keyboard.press('Enter');
    await parts.card('maindb').waitFor({ state: 'detached' });
    expect(address().get('view')).toBe('table');
    await open();
    await page.keyboard.type('port=3306');
    await page.getByRole('option', { name: 'Filter by port=3306' }).waitFor();
    await page.keyboard.press('Enter');
    await parts.everyRow((text) => text.includes('3306'), 'to or from 3306');
    await open();
    await page.keyboard.type('remove all filters');
    await page.keyboard.press('Enter');
    await eventually('no filter in the address', 5_000, () => !address().has('filter'));
  });

  test('copies a link, also over plain HTTP, where a page has no clipboard', async () => {
    page = await shown.visit('/?view=table', {}, () => {
      Object.defineProperty(navigator, 'clipboard', { value: undefined });
      document.addEventListener('copy', () => {
        document.title = (document.activeElement as HTMLTextAreaElement).value;
      });
    });
    parts = new PageParts(page);
    await parts.rows.first().waitFor();
    await open();
    await page.keyboard.type('copy a link');
    await page.getByRole('option', { name: 'Copy a link to this view', selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await eventually('the link is copied', 10_000, async () => (await page.title()) === page.url());
  });

  test('is walked through with arrow keys, and closed with Escape', async () => {
    await visit();
    await parts.card('maindb').waitFor();
    await open();
    const selected = () => page.getByRole('option', { selected: true }).textContent();
    const first = await selected();
    await page.keyboard.press('ArrowDown');
    const second = await selected();
    expect(second).not.toBe(first);
    await page.keyboard.press('ArrowUp');
    expect(await selected()).toBe(first);
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('ArrowDown');
    expect(await selected()).toBe(first);
    await page.keyboard.type('nothing is called this');
    await page.getByText(/Nothing here is called/).waitFor();
    await page.keyboard.press('Enter');
    await field().waitFor();
    await page.keyboard.press('Escape');
    await field().waitFor({ state: 'detached' });
  });
});

describe('keys', () => {
  test('are listed, and do what they are listed for', async () => {
    await visit();
    await parts.card('maindb').waitFor();
    await page.keyboard.press('?');
    const help = page.getByRole('dialog', { name: 'Keys' });
    const names = ['Show the flow table', 'Write a filter', 'Find and do anything', 'Every field of the flow'];
    for (const name of names) await help.getByText(name).waitFor();
    // Each thing that keys do is told once.
    const told = await help.locator('section').evaluateAll((sections) =>
      sections.flatMap((section) => {
        const about = section.querySelector('h3')!.textContent;
        return [...section.querySelectorAll('dd')].map((keys) => `${about}: ${keys.textContent}`);
      }),
    );
    expect(told).toContain('Map: F');
    expect(told.filter((each, at) => told.indexOf(each) !== at)).toEqual([]);
    await help.getByRole('button', { name: 'Close' }).click();
    await help.waitFor({ state: 'detached' });
    await page.keyboard.press('3');
    await page.getByRole('region', { name: 'Workloads' }).waitFor();
    await page.keyboard.press('1');
    await parts.card('maindb').waitFor();
    await page.keyboard.press('l');
    const pause = page.getByRole('button', { name: 'Resume' });
    await pause.waitFor();
    await page.keyboard.press('l');
    await pause.waitFor({ state: 'detached' });
    await page.keyboard.press('a');
    await page.getByRole('button', { name: 'Aggregate', pressed: true }).waitFor();
  });

  test('belong to the text field they are typed in', async () => {
    await visit();
    await parts.card('maindb').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('123?,');
    expect(await page.getByRole('combobox', { name: 'Filter' }).inputValue()).toBe('123?,');
    expect(await page.getByRole('dialog').count()).toBe(0);
    expect(address().has('view')).toBe(false);
  });

  test('alone can be switched off', async () => {
    await visit();
    await parts.card('maindb').waitFor();
    await page.keyboard.press(',');
    await page.getByRole('switch', { name: 'Single-key shortcuts' }).uncheck();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('2');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog').waitFor();
    expect(address().has('view')).toBe(false);
  });
});

describe('settings', () => {
  test('take effect at once, and are there again after a reload', async () => {
    await visit('', { timezoneId: 'Europe/Berlin', colorScheme: 'dark' });
    await parts.status.getByText(/Europe\/Berlin/).waitFor();
    await page.getByRole('button', { name: 'Open settings' }).click();
    const dialog = page.getByRole('dialog', { name: 'Settings' });
    // By the name it has today; half an hour beside the full ones.
    await dialog.getByLabel('Time zone').selectOption('Asia/Kolkata');
    await parts.status.getByText(/Asia\/Kolkata/).waitFor();
    await dialog.getByLabel('Time zone').selectOption('Asia/Singapore');
    await dialog.getByRole('radio', { name: 'Light' }).click();
    await dialog.getByRole('radio', { name: 'How long ago' }).click();
    await dialog.getByText('1 min ago').waitFor();
    await dialog.getByRole('radio', { name: 'Reduced' }).click();
    const light = await parts.background();
    await page.reload();
    await parts.status.getByText(/Asia\/Singapore/).waitFor();
    expect(await parts.background()).toBe(light);
    await page.keyboard.press(',');
    for (const name of ['Light', 'How long ago', 'Reduced']) {
      await dialog.getByRole('radio', { name, checked: true }).waitFor();
    }
  });

  test('of one tab are those of the others', async () => {
    await visit('', { colorScheme: 'dark' });
    await parts.status
      .getByText(/UTC|\//)
      .first()
      .waitFor();
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.keyboard.press(',');
    await other.getByRole('dialog').getByLabel('Time zone').selectOption('Asia/Tokyo');
    await parts.status.getByText(/Asia\/Tokyo/).waitFor();
    const dark = await parts.background();
    await other.getByRole('radio', { name: 'Light' }).click();
    await eventually('light here too', 10_000, async () => (await parts.background()) !== dark);
  });

  test('times in the table are of day or relative', async () => {
    await visit('?view=table');
    await parts.rows.first().waitFor();
    await parts.everyRow((text) => /\d\d:\d\d:\d\d\.\d{3}/.test(text), 'with a time of day');
    await page.keyboard.press('r');
    await parts.everyRow((text) => /^(now|\d+ s ago|\d+ min ago)/.test(text.trim()), 'with how long ago');
  });
});

describe('the status line', () => {
  test('has each node and its state in a panel', async () => {
    await visit();
    await parts.status.getByRole('button', { name: '2/2 nodes connected' }).click();
    const panel = page.getByRole('dialog', { name: 'Nodes' });
    for (const node of ['node1', 'node2']) {
      await panel.getByRole('listitem').filter({ hasText: node }).filter({ hasText: 'connected' }).waitFor();
    }
    await page.keyboard.press('Escape');
    await panel.waitFor({ state: 'hidden' });
    await parts.status.getByRole('button', { name: '0 lost, where' }).click();
    await page
      .getByRole('dialog', { name: 'Lost flows' })
      .getByText(/Every flow .* has reached this page/)
      .waitFor();
  });

  test('counts down to the next attempt when the server is gone, and what was seen stays', async () => {
    const agent = `nobody=127.0.0.1:${await freePort()}`;
    const backend = await Backend.startWith(['--agent', agent]);
    let stopped = false;
    try {
      await visit('', {}, backend.url);
      await parts.status.getByRole('button', { name: '0/1 node connected' }).click();
      await page
        .getByRole('dialog', { name: 'Nodes' })
        .getByText(/not reached, again in \d+ s|not reached, trying/)
        .waitFor();
      await page.keyboard.press('Escape');
      await backend.stop();
      stopped = true;
      await parts.status.getByText('not connected').waitFor();
      await parts.status.getByText(/again in \d+ s/).waitFor({ timeout: 60_000 });
      // Nothing had been seen: the page says so in place of the map.
      await page.getByRole('heading', { name: /server does not answer/ }).waitFor();
      await page.getByRole('button', { name: 'Try now' }).first().click();
      expect(await axeFindings(page)).toEqual([]);
    } finally {
      if (!stopped) await backend.stop();
      // The browser's own words about a server that is gone.
      shown.forgive();
    }
  });
});

describe('what happens', () => {
  test('to nodes and to packets is told for a moment, and kept in the history', async () => {
    const cluster = await FakeCluster.start(['node-1', 'node-2']);
    const [first, second] = cluster.agents;
    try {
      first!.keepObserving(1_000, { source: WEB, destination: DB });
      await visit('', {}, cluster.backend.url);
      await parts.status.getByRole('button', { name: '2/2 nodes connected' }).waitFor({ timeout: 60_000 });
      await parts.card('maindb').waitFor();
      const told = page.getByRole('region', { name: 'Notifications' });
      await second!.stop();
      await told.getByText('Node node-2 went away').waitFor({ timeout: 60_000 });
      await told.getByRole('button', { name: 'Dismiss' }).click();
      await told.getByText('Node node-2 went away').waitFor({ state: 'detached' });

      // First the page learns what is usual.
      const learned = Date.now() + LEARNING_MS;
      await eventually('the page knows what is usual', LEARNING_MS + 5_000, () => Date.now() > learned);
      const drop = dropped({ source: WEB, destination: DB, destinationPort: 3306 }, 133);
      const stop = first!.keepObserving(500, ...Array(20).fill(drop));
      await told.getByText(/drops a minute/).waitFor({ timeout: 60_000 });
      await told.getByText(/web to maindb/).waitFor();
      stop();

      await second!.start();
      await told.getByText('Node node-2 is back').waitFor({ timeout: 90_000 });
      await page.getByRole('button', { name: /^Show what happened, \d new/ }).click();
      const history = page.getByRole('dialog', { name: 'What happened' });
      await history.getByRole('listitem').nth(2).waitFor();
      const events = await history.getByRole('listitem').allTextContents();
      expect(events).toEqual([
        expect.stringContaining('Node node-2 is back'),
        expect.stringMatching(/drops a minute.*web to maindb/),
        expect.stringContaining('Node node-2 went away'),
      ]);
      expect(await axeFindings(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Show what happened', exact: true }).waitFor();
    } finally {
      await cluster.stop();
      shown.forgive();
    }
  });

  test('is only in the history when notifications are switched off; what was lost says where', async () => {
    const cluster = await FakeCluster.start(['node-1']);
    const [agent] = cluster.agents;
    try {
      agent!.keepObserving(1_000, { source: WEB, destination: DB });
      await visit('', {}, cluster.backend.url);
      await parts.status.getByRole('button', { name: '1/1 node connected' }).waitFor({ timeout: 60_000 });
      await page.keyboard.press(',');
      await page.getByRole('switch', { name: 'Notifications' }).uncheck();
      await page.keyboard.press('Escape');
      await parts.card('maindb').waitFor();
      await agent!.stop();
      await page.getByRole('button', { name: 'Show what happened, 1 new' }).waitFor({ timeout: 60_000 });
      // It comes back as another, which cannot tell what the one before still held.
      agent!.reboot();
      await agent!.start();
      await parts.status.getByRole('button', { name: '1 lost, where' }).click({ timeout: 90_000 });
      const lost = page.getByRole('dialog', { name: 'Lost flows' });
      for (const where of ['agent restarts', 'node-1']) await lost.getByText(where).waitFor();
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Show what happened, 3 new' }).click({ timeout: 60_000 });
      await page.getByRole('listitem').filter({ hasText: 'lost on the way here' }).waitFor();
      await page.keyboard.press('Escape');
      expect(await page.getByText(/Node node-1 went away/).count()).toBe(0);
    } finally {
      await cluster.stop();
      shown.forgive();
    }
  });
});

describe('what cannot be shown', () => {
  test.for(['dark', 'light'] as const)('for want of permission is said in its place, %s', async (colorScheme) => {
    const server = await RefusingServer.start(Code.PERMISSION_DENIED, 'namespace "shop" is not yours');
    try {
      await visit('?namespace=shop', { colorScheme }, server.url);
      await page.getByRole('heading', { name: 'You may not see these flows' }).waitFor();
      await page.getByText(/namespace "shop" is not yours/).waitFor();
      await parts.status.getByText('stopped').waitFor();
      expect(await axeFindings(page)).toEqual([]);
      await page.getByRole('button', { name: 'Show everything' }).click();
      await eventually('all namespaces', 5_000, () => !address().has('namespace'));
    } finally {
      await server.stop();
      shown.forgive();
    }
  });

  test('because the server is too busy at first comes as soon as it is not', async () => {
    const proxy = await StumblingProxy.start(shown.url, /(session|map)-worker/, 2);
    try {
      await visit('', {}, proxy.url);
      await parts.card('maindb').waitFor();
      await parts.rows.first().waitFor();
      expect([...proxy.refused.values()]).toEqual([2, 2]);
    } finally {
      shown.forgive();
      await shown.close();
      await proxy.stop();
    }
  });

  test('because files of the page itself did not come is loaded again, until they do', async () => {
    const proxy = await StumblingProxy.start(shown.url, /assets\/index-.*\.(js|css)$/, 2);
    try {
      await visit('?view=list', {}, proxy.url);
      await page.getByRole('alert').filter({ hasText: 'did not give all of this page' }).waitFor();
      await page.getByRole('region', { name: 'Workloads' }).waitFor();
      // A page whose style alone did not come stands already, and is loaded again all the same.
      await eventually('a page that nothing is missing of', 30_000, async () => {
        const again = await page.evaluate(() => history.state).catch(() => 'being loaded');
        const said = page.getByRole('alert').filter({ hasText: 'did not give all of this page' });
        return again === null && (await said.count()) === 0;
      });
      await page.getByRole('region', { name: 'Workloads' }).waitFor();
      expect([...proxy.refused.values()]).toEqual([2, 2]);
      expect(new URL(page.url()).search).toBe('?view=list');
    } finally {
      shown.forgive();
      await shown.close();
      await proxy.stop();
    }
  });

  test('because nothing matches offers the way back', async () => {
    await visit('?filter=port=1');
    await page.getByText(/Nothing matches this view/).waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });
});

test('with reduced motion nothing moves by itself', async () => {
  await visit('', { reducedMotion: 'reduce' });
  await parts.rows.first().waitFor();
  const moving = await page.evaluate(
    () =>
      document.getAnimations().filter((animation) => Number(animation.effect?.getComputedTiming().activeDuration) > 0)
        .length,
  );
  expect(moving).toBe(0);
});

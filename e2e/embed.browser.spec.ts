import type { FrameLocator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { freePort } from '#runtime/testing/free-port.ts';
import { Backend } from './backend.ts';
import { launchBrowser, WatchedPage } from './browser.ts';
import { Demo } from './demo.ts';
import { eventually } from './eventually.ts';
import { PageParts } from './page-parts.ts';
import { PortalSite } from './portal-site.ts';

// Waggle inside of somebody's portal. The portal is a real one on an origin of its own.

describe('in a frame', () => {
  let demo: Demo;
  let backend: Backend;
  let portal: PortalSite;
  let stranger: PortalSite;
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let watched: WatchedPage | undefined;

  beforeAll(async () => {
    [demo, browser, portal, stranger] = await Promise.all([
      Demo.start('--replay'),
      launchBrowser(),
      PortalSite.start(),
      PortalSite.start(),
    ]);
    const agent = `nobody=127.0.0.1:${await freePort()}`;
    backend = await Backend.startWith(['--agent', agent, '--frame-ancestors', portal.origin]);
  }, 150_000);

  afterAll(async () => {
    await browser?.close();
    await Promise.all([portal?.stop(), stranger?.stop(), backend?.stop(), demo?.stop()]);
  }, 60_000);

  afterEach(async () => {
    await watched?.close();
    watched = undefined;
  });

  test.for([
    ['map', 'embed=map'],
    ['table', 'embed=table'],
    ['map', 'embed=1'],
    ['table', 'embed=1&view=table'],
  ] as const)('the %s is all there is, and fits 480 pixels: %s', async ([what, query]) => {
    watched = await WatchedPage.open(browser, `${demo.url}/?${query}`, { viewport: { width: 480, height: 360 } });
    const { page } = watched;
    const parts = new PageParts(page);
    if (what === 'map') await parts.card('maindb').waitFor();
    else await parts.rows.first().waitFor();
    expect((await parts.rows.count()) > 0).toBe(what === 'table');
    expect(await parts.map.count()).toBe(what === 'map' ? 1 : 0);
    expect(await page.getByRole('navigation').count()).toBe(0);
    expect(await page.getByRole('contentinfo').count()).toBe(0);
    const [content, room] = await page.evaluate(() => [document.body.scrollWidth, innerWidth]);
    expect(content).toBeLessThanOrEqual(room);
    expect(watched.complaints).toEqual([]);
  });

  test('the theme of a portal that may frame it is followed', async () => {
    const { frame, page } = await show(portal, `${backend.url}/?embed=map&theme=dark`);
    expect(await brightness(frame)).toBeLessThan(60);
    await say(page, { type: 'waggle:theme', theme: 'light' });
    await eventually('the frame is light', 10_000, async () => (await brightness(frame)) > 200);
    await say(page, { type: 'waggle:theme', theme: 'dark' });
    await eventually('the frame is dark again', 10_000, async () => (await brightness(frame)) < 60);
  });

  test('of a flood of words a few are followed, and the last of them', async () => {
    const { frame, page } = await show(portal, `${backend.url}/?embed=table`);
    const root = frame.locator('html');
    await root.evaluate(() => {
      const views: string[] = [];
      const replace = history.replaceState.bind(history);
      history.replaceState = (state, unused, url) => {
        views.push(String(url));
        replace(state, unused, url);
      };
      Object.assign(globalThis, { views });
    });
    await page.evaluate(() => {
      const { contentWindow } = document.querySelector('iframe')!;
      for (let at = 0; at <= 500; at++) {
        contentWindow!.postMessage({ type: 'waggle:view', view: `namespace=shop-${at}` }, '*');
      }
    });
    const views = () => root.evaluate(() => (globalThis as unknown as { views: string[] }).views);
    await eventually('the last is shown', 10_000, async () => (await views()).at(-1)?.includes('shop-500') === true);
    expect((await views()).length).toBeLessThan(100);
  });

  test('words that are no theme change nothing', async () => {
    const { frame, page } = await show(portal, `${backend.url}/?embed=map&theme=dark`);
    const themes = await themesFrom(frame);
    for (const word of [
      null,
      'light',
      { type: 'waggle:theme' },
      { type: 'waggle:theme', theme: { light: 1 } },
      { theme: 'light' },
    ]) {
      await say(page, word);
    }
    // A word that counts, behind those that do not.
    await say(page, { type: 'waggle:theme', theme: 'dark' });
    await eventually('a theme was taken', 10_000, async () => (await themes()).length > 0);
    expect(await themes()).toEqual(['dark']);
  });

  test('a page of the same origin is followed without being asked for', async () => {
    // Its own answers forbid frames, but for the one that probes ask for.
    watched = await WatchedPage.open(browser, `${demo.url}/healthz`, { colorScheme: 'dark' });
    const { page } = watched;
    await frameIt(page, `${demo.url}/?embed=table`);
    const frame = page.frameLocator('iframe');
    await frame.getByRole('table').waitFor();
    expect(await brightness(frame)).toBeLessThan(60);
    await say(page, { type: 'waggle:theme', theme: 'light' });
    await eventually('the frame is light', 10_000, async () => (await brightness(frame)) > 200);
  });

  test('a stranger can neither frame it nor speak to it', async () => {
    watched = await WatchedPage.open(browser, `${stranger.origin}/`, {});
    await frameIt(watched.page, `${backend.url}/?embed=map`);
    await eventually('the browser refuses', 10_000, () =>
      watched!.complaints.some((text) => /frame-ancestors|refused to connect|Framing/i.test(text)),
    );
    expect(await watched.page.frameLocator('iframe').getByRole('main').count()).toBe(0);
  });

  test('somebody else’s window is not heard, although it has the address', async () => {
    const { frame, page } = await show(portal, `${backend.url}/?embed=map&theme=dark`);
    // A frame beside it, of another origin: it can reach its sibling, and is not the page around it.
    await page.evaluate((address) => {
      const other = document.createElement('iframe');
      other.name = 'other';
      other.src = address;
      document.body.append(other);
    }, `${stranger.origin}/`);
    const other = await eventuallyFrame(page, stranger.origin);
    const themes = await themesFrom(frame);
    await other.evaluate(() => {
      parent.frames[0]!.postMessage({ type: 'waggle:theme', theme: 'light' }, '*');
    });
    await say(page, { type: 'waggle:theme', theme: 'dark' });
    await eventually('a theme was taken', 10_000, async () => (await themes()).length > 0);
    expect(await themes()).toEqual(['dark']);
  });

  async function show(where: PortalSite, address: string): Promise<{ frame: FrameLocator; page: Page }> {
    watched = await WatchedPage.open(browser, `${where.origin}/`, { colorScheme: 'dark' });
    const { page } = watched;
    await frameIt(page, address);
    const frame = page.frameLocator('iframe').first();
    await frame.getByRole('main').waitFor();
    return { frame, page };
  }
});

/** Puts Waggle into the page, and waits until it has said that it is ready. */
async function frameIt(page: Page, address: string): Promise<void> {
  await page.evaluate((source) => {
    const frame = document.createElement('iframe');
    frame.width = '480';
    frame.height = '400';
    frame.src = source;
    document.body.append(frame);
    return new Promise<void>((resolve) => {
      addEventListener('message', (event: MessageEvent) => event.data?.type === 'waggle:ready' && resolve());
      setTimeout(resolve, 5_000);
    });
  }, address);
}

async function say(page: Page, word: unknown): Promise<void> {
  await page.evaluate((message) => {
    document.querySelector('iframe')!.contentWindow!.postMessage(message, '*');
  }, word);
}

/** Every theme the page in the frame takes from now on. */
async function themesFrom(frame: FrameLocator): Promise<() => Promise<string[]>> {
  const root = frame.locator('html');
  await root.evaluate((element) => {
    const taken: string[] = [];
    Object.assign(globalThis, { taken });
    new MutationObserver(() => taken.push(element.dataset.theme ?? '')).observe(element, {
      attributeFilter: ['data-theme'],
    });
  });
  return () => root.evaluate(() => (globalThis as unknown as { taken: string[] }).taken);
}

/** 0 to 255, of the page in the frame. */
async function brightness(frame: FrameLocator): Promise<number> {
  const color = await frame.locator('body').evaluate((body) => getComputedStyle(body).backgroundColor);
  const [red, green, blue] = color.match(/\d+/g)!.map(Number);
  return (red! + green! + blue!) / 3;
}

async function eventuallyFrame(page: Page, origin: string) {
  let found = page.frames().find((each) => each.url().startsWith(origin) && each !== page.mainFrame());
  await eventually(`a frame of ${origin}`, 10_000, () => {
    found = page.frames().find((each) => each.url().startsWith(origin) && each !== page.mainFrame());
    return found !== undefined;
  });
  return found!;
}

import type { BrowserContextOptions, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { busyCluster } from './busy-cluster.ts';
import { ClusterPage } from './cluster-page.ts';
import { eventually } from './eventually.ts';
import { CLUSTER, FakeCluster } from './fake-agent.ts';
import { untidy, untidyCards, untidyDrawing } from './look.ts';
import { PageParts } from './page-parts.ts';

// What an eye would find wrong: things over one another, cut off, outside, or not painted. Not what they should look like.

const SIZES = {
  large: { width: 1440, height: 900 },
  small: { width: 1024, height: 640 },
  frame: { width: 480, height: 700 },
};
const FRONTEND = `${CLUSTER}/shop/Deployment/frontend`;

describe.for([3, 30, 300])('with %i workloads', (workloads) => {
  let page: Page;
  let parts: PageParts;

  const shown = new ClusterPage(async () => {
    const cluster = await FakeCluster.start(['node-1', 'node-2']);
    cluster.agents[0].keepObserving(500, ...busyCluster(workloads));
    return cluster;
  });

  async function visit(query: string, size: keyof typeof SIZES, options: BrowserContextOptions = {}): Promise<void> {
    const look = { viewport: SIZES[size], reducedMotion: 'reduce', acceptDownloads: true, ...options } as const;
    page = await shown.visit(`/${query}`, look);
    parts = new PageParts(page);
  }

  /** Until the map stands: what is drawn a moment after something came may be over something else. */
  async function expectTidy(cards: boolean): Promise<void> {
    let wrong: string[] = [];
    await eventually('the page is tidy', 20_000, async () => {
      wrong = [...(await untidy(page)), ...(cards ? await untidyCards(page) : [])];
      return wrong.length === 0;
    }).catch(() => {});
    expect(wrong).toEqual([]);
  }

  const mapIsThere = () => parts.map.getByRole('treeitem').first().waitFor({ state: 'attached' });

  test.for(['large', 'small'] as const)('map and table, %s', async (size) => {
    await visit('?theme=dark', size);
    await mapIsThere();
    await parts.rows.first().waitFor();
    await expectTidy(true);
  });

  test('the map in a frame', async () => {
    await visit('?embed=map&theme=light', 'frame');
    await mapIsThere();
    await expectTidy(true);
  });

  test('the table in a frame', async () => {
    await visit('?embed=table&theme=light', 'frame');
    await parts.rows.first().waitFor();
    await expectTidy(false);
  });

  test('the whole page, as narrow as a frame', async () => {
    await visit('?theme=light', 'frame');
    await mapIsThere();
    await expectTidy(true);
    // Of the table the first rows look out from below.
    const [map, table] = await Promise.all([
      page.getByRole('region', { name: 'Map' }).boundingBox(),
      page.getByRole('table', { name: /^Flows/ }).boundingBox(),
    ]);
    expect(map!.height).toBeGreaterThan(4 * table!.height);
    expect(await parts.rows.count()).toBeGreaterThan(0);
    const isCut = (element: HTMLElement) => element.scrollWidth > element.clientWidth;
    expect(await page.getByRole('table', { name: /^Flows/ }).evaluate(isCut)).toBe(false);
  });

  test.for(['large', 'small'] as const)('one namespace with the panel, %s', async (size) => {
    await visit(`?namespace=shop&select=${encodeURIComponent(FRONTEND)}&theme=light`, size);
    await page.getByRole('complementary', { name: 'Details' }).getByRole('heading', { name: 'frontend' }).waitFor();
    await mapIsThere();
    await expectTidy(true);
    if (size !== 'large') return;
    await parts.rows.first().waitFor();
    const ends = page.getByRole('table', { name: /^Flows/ }).getByRole('cell', { name: /^(→ )?[\w-]+ shop$/ });
    const cut = await ends.evaluateAll((cells) =>
      cells.filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map(({ textContent }) => textContent),
    );
    expect([await ends.count(), cut]).toEqual([expect.toSatisfy((count) => count > 0), []]);
  });

  if (workloads === 3) {
    test('nothing moves while numbers change', async () => {
      await visit(`?select=${encodeURIComponent(FRONTEND)}`, 'large');
      await page.getByRole('complementary', { name: 'Details' }).getByRole('heading', { name: 'frontend' }).waitFor();
      await parts.rows.first().waitFor();
      await mapIsThere();
      await parts.steady(parts.card('frontend'));
      // Each number has been as wide as it gets, and gets less.
      const calm = shown.cluster.agents[0].keepObserving(20, ...busyCluster(3));
      await eventually('much is going on', 20_000, async () => (await parts.flowsPerSecond()) >= 100).finally(calm);
      expect(await page.evaluate(placesOver, 8_000)).toEqual([]);
    });

    test.for(['small', 'frame'] as const)('what opens over the page, %s', async (size) => {
      await visit('', size);
      await parts.rows.first().waitFor();
      await mapIsThere();
      const opened = async (open: () => Promise<void>, name: RegExp) => {
        await open();
        await page.getByRole('dialog', { name }).waitFor();
        await expectTidy(false);
        await page.keyboard.press('Escape');
        await page.getByRole('dialog', { name }).waitFor({ state: 'hidden' });
      };
      const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
      await opened(() => page.keyboard.press('Control+k'), /Find and do anything/);
      await opened(() => page.keyboard.press('?'), /^Keys/);
      await opened(() => page.keyboard.press(','), /^Settings/);
      await opened(() => page.keyboard.press('e'), /^What happened/);
      await opened(() => press('2/2 nodes connected'), /^Nodes/);
      for (const name of ['Columns', 'Export']) await opened(() => press(name), new RegExp(`^${name}`));
    });
  }

  // With few cards there is nothing to get lost in, and no small map.
  if (workloads > 24) {
    test('the small map shows the whole of a large one, and leads elsewhere', async () => {
      await visit('', 'large');
      await mapIsThere();
      const card = parts.map.getByRole('treeitem', { name: /^(coredns|kube-system), / }).first();
      await parts.steady(card);
      const small = page.getByTitle('The whole map: press to go there');
      await small.waitFor({ state: 'hidden' });
      for (let step = 0; step < 8; step++) await page.getByRole('button', { name: 'Zoom in' }).click();
      await small.waitFor();
      const left = async () => (await card.boundingBox())!.x;
      await small.click({ position: { x: 8, y: 56 } });
      const before = await left();
      await small.click({ position: { x: 168, y: 56 } });
      await eventually('another part is seen', 10_000, async () => (await left()) < before - 300);
    });
  }

  if (workloads === 300) {
    test('a large map is painted by a thread of its own, and stays under its cards when it is moved', async () => {
      await visit('?embed=map&theme=dark', 'large');
      await mapIsThere();
      await page.getByRole('button', { name: 'What the map shows' }).click();
      await page.getByRole('button', { name: 'Unfold all' }).click();
      await page.keyboard.press('Escape');
      const cards = parts.map.locator('[data-card]');
      await eventually('the plates lie open', 30_000, async () => (await cards.count()) > 250);
      await eventually('its thread', 20_000, () =>
        page.workers().some((worker) => worker.url().includes('paint-worker')),
      );
      const paintedUnder = async () => {
        let unpainted: string[] = [];
        await eventually('every card is painted where it stands', 20_000, async () => {
          unpainted = (await untidyCards(page)).filter((line) => /not painted|no cards/.test(line));
          return unpainted.length === 0;
        }).catch(() => {});
        expect(unpainted).toEqual([]);
      };
      // Near enough that there is something on each card.
      for (let step = 0; step < 4; step++) await page.getByRole('button', { name: 'Zoom in' }).click();
      await paintedUnder();
      const left = async () => (await cards.first().boundingBox())!.x;
      const before = await left();
      await parts.map.getByRole('treeitem').first().focus();
      for (let step = 0; step < 12; step++) await page.keyboard.press('Shift+ArrowRight');
      await eventually('another part is seen', 10_000, async () => Math.abs((await left()) - before) > 200);
      await paintedUnder();
    });
  }

  test('the drawing of the map', async () => {
    await visit('?view=map&namespace=shop,payments&theme=dark', 'large');
    await mapIsThere();
    await parts.steady(parts.card('frontend'));
    expect(await untidyDrawing(shown.browser, page)).toEqual([]);
  });
});

/** In the page: what stood elsewhere at one time than at another, over so many milliseconds. */
async function placesOver(milliseconds: number): Promise<string[]> {
  const places = new Map<Element, Set<string>>();
  const watched =
    '[role=treeitem], [role=columnheader], [role=toolbar] button, header *, footer *, nav *, dl *, aside h3';
  for (const end = performance.now() + milliseconds; performance.now() < end; ) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    for (const element of document.querySelectorAll(watched)) {
      const { left, top } = element.getBoundingClientRect();
      const known = places.get(element) ?? new Set();
      places.set(element, known.add(`${Math.round(left)} ${Math.round(top)}`));
    }
  }
  return [...places]
    .filter(([element, { size }]) => element.isConnected && size > 1)
    .map(([{ tagName, textContent }, at]) => `<${tagName}> ${textContent}: ${[...at].join(', ')}`);
}

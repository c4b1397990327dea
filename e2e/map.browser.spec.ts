import { readFile } from 'node:fs/promises';
import type { BrowserContextOptions, Download, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import { type SampleFlow, TO_ENDPOINT, TO_STACK } from '#runtime/testing/sample-flows.ts';
import { ClusterPage } from './cluster-page.ts';
import { eventually } from './eventually.ts';
import { audited, dropped, FakeCluster, pod, WORLD } from './fake-agent.ts';
import { PageParts } from './page-parts.ts';

// The map as a person uses it: by pointer, by keyboard, by its list. Real backend, agents that say what is needed.

const page1 = pod('shop', 'page', 'node-1', '10.0.1.1');
const reviews1 = pod('shop', 'reviews', 'node-1', '10.0.1.2');
const reviews2 = pod('shop', 'reviews', 'node-2', '10.0.2.2', 'b');
const redis = pod('data', 'redis', 'node-2', '10.0.2.3');
const xwing = pod('alliance', 'xwing', 'node-1', '10.0.1.4');
const dns = { ...pod('kube-system', 'coredns', 'node-2', '10.0.2.4'), labels: ['k8s:k8s-app=kube-dns'] };
const api = { ...WORLD, address: '203.0.113.7', names: ['api.example.com'] };

function call(source: typeof page1, destination: typeof page1, destinationPort: number, more = {}): SampleFlow {
  return { ...TO_ENDPOINT, source, destination, destinationPort, rttMicros: 800, bytesOriginal: 900, ...more };
}

const TRAFFIC: SampleFlow[] = [
  call({ ...WORLD }, page1, 443),
  call(page1, reviews1, 9080),
  call(page1, reviews2, 9080),
  call(reviews1, redis, 6379),
  call(reviews2, redis, 6379),
  call(page1, dns, 53, { protocol: 17, tcpFlags: 0, rttMicros: 0 }),
  { ...call(page1, api, 443), ...TO_STACK },
  dropped({ source: xwing, destination: redis, destinationPort: 6379 }, DROP_REASON.POLICY_DENIED),
  audited({ source: xwing, destination: reviews1, destinationPort: 9080 }),
];

describe('the map', () => {
  let page: Page;
  let parts: PageParts;

  const shown = new ClusterPage(async () => {
    const cluster = await FakeCluster.start(['node-1', 'node-2']);
    cluster.agents[0].keepObserving(500, ...TRAFFIC);
    return cluster;
  });

  async function visit(query = '', options: BrowserContextOptions = {}): Promise<void> {
    page = await shown.visit(`/${query}`, options);
    parts = new PageParts(page);
  }

  const parameter = (name: string) => new URL(page.url()).searchParams.get(name);
  const names = async () => (await parts.map.getByRole('treeitem').allInnerTexts()).length;
  const gone = (name: string) => parts.card(name).waitFor({ state: 'detached' });
  /** Where each card stands on the map, wherever one looks at it from. */
  const places = async () =>
    (
      await parts.map
        .locator('[data-card]')
        .evaluateAll((cards) =>
          cards.map((card) => [(card as HTMLElement).dataset.card, (card as HTMLElement).style.cssText].join(' ')),
        )
    )
      .sort()
      .join('\n');
  /** Opens what the map shows, and leaves it open. */
  const display = () => page.getByRole('button', { name: 'What the map shows' }).click();

  test('tells what each card is, and each arrow’s verdict, in words', async () => {
    await visit();
    await parts.card('page', /shop, 1 pod, port 443 TCP, .*flows\/s/).waitFor();
    await parts.card('reviews', /shop, 2 pods, port 9080 TCP/).waitFor();
    await parts.card('coredns', /kube-system, cluster DNS, 1 pod, port 53 UDP/).waitFor();
    await parts.card('redis', /port 6379 TCP \d+% dropped/).waitFor();
    await parts.card('world', /1 address/).waitFor();
    await parts.card('api.example.com', /outside, 1 address/).waitFor();
    await parts.arrow('page', 'reviews', /port 9080 TCP, forwarded, [\d.]+ flows\/s/).waitFor({ state: 'attached' });
    await parts.arrow('xwing', 'redis', /port 6379 TCP, dropped/).waitFor({ state: 'attached' });
    await parts.arrow('xwing', 'reviews', /port 9080 TCP, audit/).waitFor({ state: 'attached' });
    await parts.map.getByRole('treeitem', { name: 'shop, namespace, 2 workloads' }).waitFor({ state: 'attached' });
  });

  test('an arrow says under the pointer how much goes over it, and a click selects it', async () => {
    await visit();
    const [from, to] = [parts.card('world'), parts.card('page')];
    await to.waitFor();
    await parts.steady(to);
    const [a, b] = [(await from.boundingBox())!, (await to.boundingBox())!];
    expect(a.x, 'arrows run to the right').toBeLessThan(b.x);
    // They enter on the left, at the height of the port. Should the map still settle, the pointer follows.
    const tip = async () => {
      const { x, y, width, height } = (await to.boundingBox())!;
      return [x - width / 16, y + height * 0.8] as const;
    };
    const words = /world → page.*port 443 TCP, forwarded.*flows.*\/s.*B\/s.*B\/s.*0\.8 ms/s;
    await eventually('the arrow tells its numbers', 30_000, async () => {
      const [x, y] = await tip();
      await page.mouse.move(x, y);
      await page.mouse.move(x + 1, y);
      return words.test((await page.getByRole('region', { name: 'Map' }).textContent()) ?? '');
    });
    await page.mouse.click(...(await tip()));
    await eventually('the arrow is selected', 10_000, () => /world>.*page$/.test(parameter('select') ?? ''));
    await page.getByRole('complementary', { name: 'Details' }).waitFor();
  });

  test('two clicks show the neighbourhood, more or fewer hops of it, and “back” returns', async () => {
    await visit();
    const card = parts.card('page');
    await card.waitFor();
    await parts.card('redis').waitFor();
    await parts.steady(card);
    const stood = await places();
    const box = (await card.boundingBox())!;
    await page.mouse.dblclick(box.x + box.width / 2, box.y + 14);
    const focus = page.getByRole('group', { name: 'Focus' });
    await focus.getByText('1 hop').waitFor();
    await gone('redis');
    expect(parameter('focus')).toMatch(/page$/);
    await focus.getByRole('button', { name: 'More hops' }).click();
    await parts.card('redis').waitFor();
    expect(parameter('hops')).toBe('2');
    await page.goBack();
    await focus.waitFor({ state: 'detached' });
    await parts.card('xwing').waitFor();
    await eventually('all stands where it stood', 10_000, async () => (await places()) === stood);
  });

  test('finds cards by expressions, and goes from one to the next', async () => {
    await visit('?find=port=6379');
    const find = page.getByRole('search', { name: 'On the map' });
    const field = find.getByRole('textbox', { name: 'Find on the map' });
    const help = find.getByRole('note', { name: 'What can be looked for' });
    await find.getByRole('status').getByText('3 found').waitFor();
    await field.press('Enter');
    await find.getByRole('status').getByText('1/3').waitFor();
    await find.getByRole('button', { name: 'Next found card' }).click();
    await find.getByRole('status').getByText('2/3').waitFor();
    await field.fill('rate>soon');
    await find.getByText(/“rate>soon”: "soon" is not a number/).waitFor();
    await field.fill('namespace!=shop and port=6379');
    await find.getByRole('status').getByText('2 found').waitFor();
    await field.fill('');
    await help.getByText('label:app=web*').waitFor();
    await field.fill('redis');
    await help.waitFor({ state: 'detached' });
    await find.getByRole('button', { name: 'Stop finding' }).click();
    await eventually('nothing is looked for', 10_000, () => parameter('find') === null);
  });

  test('leaves out what an expression names, and says so', async () => {
    await visit();
    await parts.card('coredns').waitFor();
    await display();
    await page.getByLabel('Leave out').fill('ns=kube-system or kind=world');
    await gone('coredns');
    await gone('world');
    await page.getByText('3 cards left out').first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Show', exact: true }).click();
    await parts.card('coredns').waitFor();
  });

  test('groups by app, workload or node, and names cards by a label', async () => {
    await visit();
    await parts.card('reviews').waitFor();
    await display();
    await page.getByRole('radio', { name: 'Node' }).click();
    const plate = (name: string) => parts.map.getByRole('treeitem', { name: new RegExp(`^${name}, `) });
    await plate('node-1, node').waitFor({ state: 'attached' });
    await eventually('reviews stands on both nodes', 30_000, async () => (await parts.card('reviews').count()) === 2);
    expect(parameter('group')).toBe('node');
    await page.getByRole('radio', { name: 'App' }).click();
    await plate('redis, app').waitFor({ state: 'attached' });
    await page.getByRole('radio', { name: 'Workload' }).click();
    await plate('redis, app').waitFor({ state: 'detached' });
    await page.getByLabel('Name cards by').selectOption('app');
    expect(parameter('name')).toBe('app');
    await parts.card('page').waitFor();
    await page.getByLabel('Width of arrows').selectOption('bytes');
    await page.getByRole('region', { name: 'Map' }).getByText('width = bytes/s').waitFor();
    expect(parameter('width')).toBe('bytes');
  });

  test('folds a namespace up and opens it again; the choice is remembered', async () => {
    await visit();
    const shop = parts.map.getByRole('treeitem', { name: 'shop, namespace, 2 workloads' });
    await shop.waitFor({ state: 'attached' });
    await parts.card('xwing').waitFor();
    await parts.steady(parts.card('reviews'));
    const stood = await places();
    await shop.focus();
    await page.keyboard.press('Enter');
    const folded = parts.map.getByRole('treeitem', { name: 'shop, 2 workloads, folded up' });
    await folded.waitFor();
    await gone('reviews');
    await folded.focus();
    await page.keyboard.press('Enter');
    await eventually('all stands where it stood', 10_000, async () => (await places()) === stood);
    await shop.focus();
    await page.keyboard.press('Enter');
    await folded.waitFor();
    await parts.arrow('shop', 'redis', /6379/).waitFor({ state: 'attached' });
    await page.reload();
    await folded.waitFor();
    await parts.steady(folded);
    await parts.click(folded);
    await parts.card('reviews').waitFor();
  });

  test('a card that is dragged stays where it was put, in this view', async () => {
    await visit('?namespace=shop');
    const card = parts.card('reviews');
    await card.waitFor();
    await parts.steady(card);
    const before = (await card.boundingBox())!;
    await page.mouse.move(before.x + before.width / 2, before.y + 14);
    await page.mouse.down();
    await page.mouse.move(before.x + before.width / 2, before.y + 14 + before.height * 1.5, { steps: 6 });
    await page.mouse.up();
    await parts.card('reviews', /pinned/).waitFor();
    await eventually('it stands lower', 20_000, async () => ((await card.boundingBox())?.y ?? 0) > before.y + 20);
    await page.reload();
    await parts.card('reviews', /pinned/).waitFor();
    await page.getByRole('button', { name: /^Tidy/ }).click();
    await eventually('it is let go', 20_000, async () => (await parts.card('reviews', /pinned/).count()) === 0);
  });

  test('goes by keyboard: cards, arrows, focus, pins, back out', async () => {
    await visit();
    await parts.card('page').waitFor();
    await parts.card('page').focus();
    await page.keyboard.press('p');
    await parts.card('page', /pinned/).waitFor();
    await page.keyboard.press('Alt+ArrowDown');
    await page.keyboard.press('p');
    await eventually('it is let go', 20_000, async () => (await parts.card('page', /pinned/).count()) === 0);
    await page.keyboard.press('ArrowRight');
    await eventually('an arrow has the focus', 10_000, async () =>
      /^page to /.test((await page.locator(':focus').getAttribute('aria-label')) ?? ''),
    );
    await page.keyboard.press('Enter');
    await eventually('it is selected', 10_000, () => (parameter('select') ?? '').includes('>'));
    await page.keyboard.press('ArrowLeft');
    await page.keyboard.press('f');
    await page.getByRole('group', { name: 'Focus' }).waitFor();
    await page.keyboard.press('Escape');
    expect(parameter('select')).toBeNull();
    await page.keyboard.press('Escape');
    await page.getByRole('group', { name: 'Focus' }).waitFor({ state: 'detached' });
    await parts.card('xwing').waitFor();
  });

  test('zooms and pans by keys', async () => {
    await visit();
    const card = parts.card('page');
    await card.waitFor();
    await parts.steady(card);
    const width = async () => (await card.boundingBox())!.width;
    const before = await width();
    await card.focus();
    await page.keyboard.press('+');
    await eventually('it is larger', 10_000, async () => (await width()) > before * 1.2);
    const { x } = (await card.boundingBox())!;
    await page.keyboard.press('Shift+ArrowLeft');
    await eventually('the map moved right', 10_000, async () => (await card.boundingBox())!.x > x + 40);
    await page.keyboard.press('0');
    await eventually('all of it is seen again', 10_000, async () => Math.abs((await width()) - before) < 2);
  });

  test('is exported as a picture and as a drawing', async () => {
    await visit('?namespace=shop,data');
    await parts.card('redis').waitFor();
    const save = async (format: RegExp): Promise<Download> => {
      await page.getByRole('button', { name: 'Export the map' }).click();
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: format }).click(),
      ]);
      return file;
    };
    const svg = await save(/SVG/);
    expect(svg.suggestedFilename()).toMatch(/^waggle-shop\+data-|^waggle-data\+shop-/);
    const drawing = await readFile(await svg.path(), 'utf8');
    expect(drawing).toMatch(/^<svg /);
    for (const word of ['redis', 'reviews', '6379', 'shop']) expect(drawing).toContain(`>${word}`);
    const png = await save(/PNG/);
    const picture = await readFile(await png.path());
    expect(picture.subarray(1, 4).toString()).toBe('PNG');
    expect(picture.readUInt32BE(16)).toBeGreaterThan(400);
  });

  test('the list tells the same, and selects the same', async () => {
    await visit('?view=list');
    const list = page.getByRole('region', { name: 'Workloads' });
    await list.getByRole('heading', { name: /^shop namespace, 2 workloads/ }).waitFor();
    await list.getByRole('button', { name: /^reviews shop · 2 pods/ }).waitFor();
    const traffic = list.getByRole('list', { name: 'Traffic of redis' });
    await traffic.getByRole('button', { name: /^from xwing port 6379 TCP dropped/ }).waitFor();
    await traffic.getByRole('button', { name: /^from reviews port 6379 TCP forwarded/ }).click();
    expect(parameter('select')).toMatch(/reviews>.*redis$/);
    await list
      .getByRole('heading', { name: /^shop namespace/ })
      .getByRole('button')
      .click();
    await list.getByRole('button', { name: /^shop 2 workloads/ }).waitFor();
  });

  test('a bad option in the address is said, and the rest works', async () => {
    await visit('?group=colour&hops=99');
    await page.getByRole('alert').filter({ hasText: 'group=colour' }).waitFor();
    await parts.card('redis').waitFor();
    expect(await names()).toBeGreaterThan(4);
  });

  test('what is quiet fades, then leaves after the chosen time', async () => {
    const lone = pod('shop', 'loner', 'node-1', '10.0.1.9');
    await visit('?quiet=15s');
    shown.cluster.agents[1].observe(call(lone, redis, 6379));
    await parts.card('loner').waitFor();
    await parts.card('loner', /quiet/).waitFor();
    await gone('loner');
    await parts.card('page').waitFor();
  });

  test('works in a frame of 480 pixels', async () => {
    await visit('?embed=map', { viewport: { width: 480, height: 700 } });
    await parts.card('redis').waitFor();
    await page.getByRole('textbox', { name: 'Find on the map' }).fill('redis');
    await page.getByRole('status').getByText('1 found').waitFor();
    const [content, room] = await page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    expect(content).toBeLessThanOrEqual(room);
  });
});

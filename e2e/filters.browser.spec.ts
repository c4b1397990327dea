import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { axeFindings } from './axe.ts';
import { ClusterPage } from './cluster-page.ts';
import { eventually } from './eventually.ts';
import { allowed, CLUSTER, DB, droppedByPolicy, FakeCluster, pod, policy, WEB, WORLD } from './fake-agent.ts';
import { PageParts } from './page-parts.ts';

const CART = pod('shop', 'cart', 'node-1', '10.0.1.8');
const DNS = { ...pod('kube-system', 'coredns', 'node-1', '10.0.1.53'), labels: ['k8s:k8s-app=kube-dns'] };
const HOST = {
  ...NO_ENDPOINT,
  address: '10.0.1.1',
  cluster: CLUSTER,
  identity: 1,
  labels: ['reserved:host'],
  node: 'node-1',
};

describe('filters', () => {
  let page: Page;
  let parts: PageParts;
  let field: Locator;

  const shown = new ClusterPage(async () => {
    const cluster = await FakeCluster.start();
    cluster.agents[0].keepObserving(
      500,
      { source: WEB, destination: DB },
      allowed({ source: CART, destination: DB }, policy('data', 'allow-cart', 0)),
      { source: WEB, destination: DNS, destinationPort: 53, protocol: 17 },
      { source: HOST, destination: WEB, destinationPort: 8080 },
      { source: WEB, destination: WORLD, destinationPort: 443 },
      droppedByPolicy({ source: WEB, destination: CART, destinationPort: 9000 }, policy('shop', 'cart-only')),
    );
    return cluster;
  });

  async function visit(query = ''): Promise<void> {
    const options = { permissions: ['clipboard-read', 'clipboard-write'] };
    page = await shown.visit(`/${query}`, options);
    parts = new PageParts(page);
    field = page.getByRole('combobox', { name: 'Filter' });
  }

  const filters = () => new URL(page.url()).searchParams.getAll('filter');
  const offered = () => page.getByRole('listbox', { name: 'Filters' }).getByRole('option').allInnerTexts();
  const offers = (expected: readonly string[]) =>
    eventually(`${expected} are offered`, 20_000, async () => {
      const tokens = (await offered()).map((text) => text.split('\n')[0].trim());
      return JSON.stringify(tokens) === JSON.stringify(expected);
    });

  test('live values are offered, narrowed by the other tokens, and chosen by keyboard', async () => {
    await visit('?filter=from:workload=shop/web');
    await parts.card('maindb').waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('to:');
    await page.keyboard.type('po');
    await offers(['to:pod=', 'to:port=']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    expect(await field.inputValue()).toBe('to:port=');
    // Of the sender that the other token names: not the port that only the host uses.
    await eventually('its ports are offered', 20_000, async () => (await offered()).length === 4);
    expect((await offered()).sort()).toEqual(['to:port=3306', 'to:port=443', 'to:port=53', 'to:port=9000']);
    await page.keyboard.type('33');
    await offers(['to:port=3306']);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await eventually('the token is used', 10_000, () => filters().includes('to:port=3306'));
    // Map and table alike, asked of the server.
    await parts.card('world').waitFor({ state: 'detached' });
    await parts.card('maindb').waitFor();
    await parts.everyRow((text) => text.includes('maindb') && text.includes('web'), 'of web to maindb');
  });

  test('alternatives stand in one token, conditions in several, and ! turns one around', async () => {
    await visit('?filter=to:port=3306,443&filter=!to:identity=world');
    await parts.card('maindb').waitFor();
    await parts.everyRow((text) => text.includes('3306'), 'to 3306');
    expect(await parts.card('world').count()).toBe(0);
  });

  test('what is wrong is said where it stands, and can be mended there', async () => {
    await visit();
    await field.click();
    await field.fill('port=80,banana');
    await page.keyboard.press('Enter');
    const alert = page.getByRole('alert').filter({ hasText: '"banana" is not a port' });
    await alert.waitFor();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    expect(filters()).toEqual([]);
    await field.fill('port=80,3306');
    await alert.waitFor({ state: 'detached' });
    // Left alone it is marked too: nothing else would say that it is not used.
    await field.fill('nothing=like this');
    await field.blur();
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    await field.fill('port=80,3306');
    expect(await field.getAttribute('aria-invalid')).toBe('false');
    await page.keyboard.press('Enter');
    await eventually('the token is used', 10_000, () => filters().join() === 'port=80,3306');
    await page.getByRole('button', { name: 'Edit filter port=80,3306' }).click();
    expect(await field.inputValue()).toBe('port=80,3306');
    await field.fill('port=443');
    await page.keyboard.press('Enter');
    await eventually('the edited token is used', 10_000, () => filters().join() === 'port=443');
    await page.keyboard.press('Backspace');
    await eventually('the token is taken back', 10_000, () => filters().length === 0);
  });

  test('a value alone is offered as what it may be, and what was pasted is parted', async () => {
    await visit();
    await parts.card('maindb').waitFor();
    await field.fill('3306');
    await offers(['port=3306']);
    await field.fill('10.0');
    await offers(['ip=10.0.0.0/16']);
    await field.fill('dropp');
    await page.getByRole('option', { name: 'verdict=dropped' }).waitFor();
    await field.fill('');
    // As `waggle observe` has them.
    await page.evaluate(() => navigator.clipboard.writeText("'!port=53' from:ns=shop, proto = TCP"));
    await page.keyboard.press('Control+v');
    await eventually('three filters', 10_000, () => filters().join(' ') === '!port=53 from:ns=shop proto=tcp');
    await parts.everyRow((text) => text.includes('shop') && !text.includes('coredns'), 'of the shop, and not to DNS');
    await page.evaluate(() =>
      navigator.clipboard.writeText(Array.from({ length: 80 }, (_, port) => `!port=${port + 1000}`).join(' ')),
    );
    await page.keyboard.press('Control+v');
    await page.getByRole('alert').filter({ hasText: 'A view has at most 63 filters' }).waitFor();
    expect(filters()).toHaveLength(63);
    const [ends, room] = await field.evaluate((element) =>
      [element, element.closest('search')!].map((each) => each.getBoundingClientRect().right),
    );
    expect(ends, 'where the next is written is in view').toBeLessThanOrEqual(room);
    expect(await field.inputValue()).toBe(Array.from({ length: 20 }, (_, at) => `!port=${1060 + at}`).join(', '));
    // The verdict chosen beside them is one more, which the server takes.
    await page.getByRole('radiogroup', { name: 'Verdict' }).getByRole('radio', { name: 'Forwarded' }).click();
    await parts.everyRow((text) => text.includes('forwarded'), 'forwarded');
  });

  test('nothing is hidden unless asked; what is hidden is counted, and comes back', async () => {
    await visit();
    for (const name of ['coredns', 'host', 'world', 'web']) await parts.card(name).waitFor();
    await page.getByRole('button', { name: 'Show: everything' }).click();
    const menu = page.getByRole('dialog', { name: 'What is shown' });
    for (const name of ['Host', 'Remote nodes', 'kube-dns', 'Prometheus']) {
      expect(await menu.getByRole('checkbox', { name }).isChecked(), name).toBe(true);
    }
    await menu.getByRole('checkbox', { name: 'kube-dns' }).uncheck();
    await parts.card('coredns').waitFor({ state: 'detached' });
    await menu.getByText(/\d+ flows hidden/).waitFor();
    expect(filters()).toEqual(['!label k8s-app=kube-dns']);
    const counted = async () =>
      Number(/hides ([\d.]+)/.exec((await page.getByText(/k8s-app=kube-dns hides /).textContent()) ?? '')?.[1] ?? 0);
    await eventually('hidden flows are counted', 20_000, async () => (await counted()) > 0);
    const before = await counted();
    await eventually('their count grows', 20_000, async () => (await counted()) > before);
    await menu.getByRole('checkbox', { name: 'Host' }).uncheck();
    await parts.card('host').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Show 2 hidden: Host, kube-dns' }).click();
    await menu.getByRole('checkbox', { name: 'kube-dns' }).check();
    await parts.card('coredns').waitFor();
    expect(filters()).toEqual(['!identity=host']);
  });

  test('a verdict is chosen quickly, and a policy is asked for by name', async () => {
    await visit();
    await page.getByRole('radiogroup', { name: 'Verdict' }).getByRole('radio', { name: 'Dropped' }).click();
    await parts.everyRow((text) => /dropped/i.test(text), 'dropped');
    await page.getByRole('radiogroup', { name: 'Verdict' }).getByRole('radio', { name: 'All' }).click();
    await field.fill('policy=data/');
    await offers(['policy=data/allow-cart']);
    await page.keyboard.press('Enter');
    await parts.card('world').waitFor({ state: 'detached' });
    await parts.everyRow((text) => text.includes('cart') && text.includes('maindb'), 'of cart to maindb');
  });

  test('a field that flows do not carry says so and breaks nothing', async () => {
    await visit('?filter=http.status=5xx');
    await page.getByText(/http.status=5xx matches nothing: no flow tells requests here/).waitFor({ state: 'attached' });
    await page.getByText('Nothing matches this view').waitFor();
    await page.getByRole('button', { name: 'Remove filter http.status=5xx' }).click();
    await parts.card('maindb').waitFor();
  });

  test('views are saved under a name, remembered, handed on and read in', async () => {
    await visit('?namespace=shop&filter=to:port=443');
    await page.getByRole('button', { name: 'Saved views' }).click();
    const menu = page.getByRole('dialog', { name: 'Saved views' });
    await menu.getByRole('textbox', { name: 'Name of this view' }).fill('Out to the world');
    await page.keyboard.press('Enter');
    const saved = menu.getByRole('link', { name: 'Out to the world' });
    await saved.waitFor();
    expect(await saved.getAttribute('aria-current')).toBe('true');
    expect(await axeFindings(page)).toEqual([]);

    // What another tab saves is here too, and nothing of it is lost.
    const other = await page.context().newPage();
    await other.goto(`${shown.cluster.backend.url}/?verdict=audit`);
    await other.getByRole('button', { name: 'Saved views' }).click();
    await other.getByRole('textbox', { name: 'Name of this view' }).fill('Audited');
    await other.keyboard.press('Enter');
    await other.getByRole('link', { name: 'Out to the world' }).waitFor();
    await other.close();
    await menu.getByRole('link', { name: 'Audited' }).waitFor();
    await menu.getByRole('button', { name: 'Rename Audited' }).click();
    await menu.getByRole('textbox', { name: 'New name of Audited' }).fill('Out to the world');
    await page.keyboard.press('Enter');
    await menu.getByText('There is a view Out to the world already.').waitFor();
    await page.keyboard.type('Would be dropped');
    await page.keyboard.press('Escape');
    await menu.getByRole('button', { name: 'Rename Audited' }).click();
    await page.keyboard.type('Would be dropped');
    await page.keyboard.press('Enter');
    await menu.getByRole('link', { name: 'Would be dropped' }).waitFor();
    await menu.getByRole('button', { name: 'Remove Would be dropped' }).click();

    await page.goto(`${shown.cluster.backend.url}/`);
    await page.getByRole('button', { name: 'Saved views' }).click();
    await saved.click();
    await eventually('the view is there again', 10_000, () =>
      page.url().endsWith('/?namespace=shop&filter=to:port=443'),
    );
    await menu.getByText('Hand on, or read in').click();
    await menu.getByRole('button', { name: 'Copy all as links' }).click();
    const links = await page.evaluate(() => navigator.clipboard.readText());
    expect(links).toBe(`Out to the world ${shown.cluster.backend.url}/?namespace=shop&filter=to:port=443`);
    await menu.getByRole('button', { name: 'Remove Out to the world' }).click();
    await saved.waitFor({ state: 'detached' });
    await menu.getByRole('textbox', { name: /^Links, one a line/ }).fill(`${links}\nDrops ?verdict=dropped`);
    await menu.getByRole('button', { name: 'Read in' }).click();
    await menu.getByText('2 views read.').waitFor();
    await menu.getByRole('link', { name: 'Drops' }).click();
    await eventually('the view that was read in is opened', 10_000, () => page.url().endsWith('/?verdict=dropped'));
    await saved.waitFor();
  });

  test('axe finds nothing in the field with what it offers, nor in the menu', async () => {
    await visit('?filter=port=banana&filter=http.status=5xx&filter=!identity=host');
    await field.click();
    await field.fill('verdict=');
    await page.getByRole('option', { name: 'verdict=dropped' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await field.fill('');
    await page.getByRole('button', { name: 'Show 1 hidden: Host' }).click();
    await page.getByRole('checkbox', { name: 'Host' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });
});

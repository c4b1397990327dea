import type { Locator, Page } from 'playwright-core';
import { describe, expect, test } from 'vitest';
import { DROP_REASON } from '#core/flow/drop-reason.ts';
import { axeFindings } from './axe.ts';
import { ClusterPage } from './cluster-page.ts';
import { eventually } from './eventually.ts';
import { audited, CLUSTER, DB, dropped, droppedByPolicy, FakeCluster, pod, policy, WEB, WORLD } from './fake-agent.ts';
import { PageParts } from './page-parts.ts';

const WEB_B = pod('shop', 'web', 'node-2', '10.0.2.8', 'b');
const CART = pod('shop', 'cart', 'node-1', '10.0.1.8');
const XWING = pod('default', 'xwing', 'node-1', '10.0.1.20');
const LATE = pod('default', 'late', 'node-1', '10.0.1.21');
const WEB_KEY = `${CLUSTER}/shop/Deployment/web`;
const DB_KEY = `${CLUSTER}/data/Deployment/maindb`;
/** What a backend sees this soon after its start may have been there before. */
const SETTLING_MS = 61_000;

describe('the panel', () => {
  let startedMs: number;
  let page: Page;
  let details: Locator;

  const shown = new ClusterPage(async () => {
    const cluster = await FakeCluster.start(['node-1', 'node-2']);
    startedMs = Date.now();
    const [one, two] = cluster.agents;
    one.keepObserving(
      500,
      { source: WEB, destination: DB, rttMicros: 840, bytesReply: 4_000, packetsReply: 4 },
      { source: WORLD, destination: WEB, destinationPort: 8080 },
      droppedByPolicy({ source: XWING, destination: DB, destinationPort: 3306 }, policy('data', 'maindb-allow')),
      audited({ source: CART, destination: DB, destinationPort: 3306 }, policy('data', 'deny-legacy')),
      dropped({ source: CART, destination: WEB, destinationPort: 80 }, DROP_REASON.SERVICE_BACKEND_NOT_FOUND),
    );
    two.keepObserving(500, { source: WEB_B, destination: DB, destinationPort: 33060 });
    return cluster;
  });

  async function visit(select: string): Promise<void> {
    const options = { permissions: ['clipboard-read', 'clipboard-write'] };
    page = await shown.visit(`/?select=${encodeURIComponent(select)}`, options);
    details = page.getByRole('complementary', { name: 'Details' });
  }

  const rowOf = (table: string, text: string) =>
    details.getByRole('table', { name: table }).getByRole('row').filter({ hasText: text });
  const searched = (name: string) => new URL(page.url()).searchParams.getAll(name);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());

  test('of a workload: who connects, whom it reaches, how much and how well', async () => {
    await visit(WEB_KEY);
    await details.getByRole('heading', { name: 'web', exact: true }).waitFor();
    await details.getByText(/Deployment · shop · 2 pods on node-1, node-2/).waitFor();
    await rowOf('Who connects', 'world').getByText(':8080').waitFor();
    const toDatabase = rowOf('Whom it reaches', 'maindb').filter({ hasText: ':3306 ' }).first();
    const database = rowOf('Whom it reaches', ':3306').first();
    await database.or(toDatabase).first().waitFor();
    await database.getByText('100%').waitFor();
    await database.getByText('0.8 ms').waitFor();
    await database.getByText(/since/).waitFor();
    await database
      .getByRole('img', { name: /^Flows of from web to maindb, 3306 TCP over the last .* now [\d.]+\/s/ })
      .waitFor();
    await details.getByRole('img', { name: /^Flows of web over the last/ }).waitFor();
    await rowOf('Who connects', 'cart').getByText('0%').waitFor();
  });

  test('of a workload: its pods with addresses and nodes, its labels and identity, to copy and to filter by', async () => {
    await visit(WEB_KEY);
    const second = rowOf('Pods', 'web-5f7c-b');
    await second.getByText('10.0.2.8').waitFor();
    await second.getByText('node-2').waitFor();
    await second.getByRole('button', { name: 'Copy web-5f7c-b' }).click();
    await eventually('the name is copied', 10_000, async () => (await copied()) === 'web-5f7c-b');
    const labels = details.getByRole('list', { name: 'Labels and identity' });
    await labels.getByRole('button', { name: 'identity 1073741827' }).waitFor();
    await labels.getByRole('button', { name: 'app=web' }).click();
    await eventually('the label is a filter', 10_000, () => searched('filter').join() === 'label app=web');
  });

  test('of an edge: its ports, how they fared, what went last; by a link, and back to its ends', async () => {
    await visit(WEB_KEY);
    await rowOf('Whom it reaches', ':33060')
      .getByRole('button', { name: /show what goes from web to maindb/ })
      .click();
    await eventually('the edge is selected', 10_000, () => searched('select').join() === `${WEB_KEY}>${DB_KEY}`);
    const address = page.url();
    await details.getByRole('button', { name: 'Copy link to this' }).click();
    await eventually('the link is copied', 10_000, async () => (await copied()) === address);
    await visit(`${WEB_KEY}>${DB_KEY}`);
    await details.getByRole('heading', { name: 'web to maindb' }).waitFor();
    await rowOf('Ports', '3306 TCP').waitFor();
    await rowOf('Ports', '33060 TCP').waitFor();
    await details.getByText('forwarded', { exact: true }).first().waitFor();
    await rowOf('Latest flows', '3306 TCP').first().waitFor();
    await page.getByRole('table', { name: 'Flows of web to maindb' }).waitFor();
    const parts = new PageParts(page);
    await parts.everyRow((text) => text.includes('web') && text.includes('maindb'), 'of web to maindb');
    await details.getByRole('button', { name: 'maindb' }).click();
    await details.getByRole('heading', { name: 'maindb', exact: true }).waitFor();
    await page.goBack();
    await details.getByRole('heading', { name: 'web to maindb' }).waitFor();
  });

  test('of a drop: why, by which policy, what to do next, and the flows themselves', async () => {
    await visit(DB_KEY);
    const note = details.getByRole('article').filter({ hasText: 'from xwing to maindb dropped' });
    await note.getByText('Policy denied.').waitFor();
    await note.getByText(/denied by default, selected by NetworkPolicy data\/maindb-allow/).waitFor();
    await note.getByText(/add a rule that allows this peer and port/).waitFor();
    await note.getByText(/on 3306 TCP · entering the pod on node-1/).waitFor();
    await note.getByRole('button', { name: 'Copy what is said here' }).click();
    await eventually('the words are copied', 10_000, async () => /maindb-allow/.test(await copied()));
    await note.getByRole('button', { name: 'Show these flows' }).click();
    const expected = ['from:workload=default/Deployment/xwing', 'to:workload=data/Deployment/maindb', 'to:port=3306'];
    await eventually('the drop is a filter', 10_000, () => {
      return searched('filter').join() === [...expected, 'reason=policy-denied'].join();
    });
    await new PageParts(page).everyRow((text) => /dropped/i.test(text) && text.includes('xwing'), 'dropped from xwing');
  });

  test('of another drop: another reason and another next step', async () => {
    await visit(`${CLUSTER}/shop/Deployment/cart>${WEB_KEY}`);
    const note = details.getByRole('article').filter({ hasText: 'from cart to web dropped' });
    await note.getByText('Service backend not found.').waitFor();
    await note.getByText(/whether the Service's selector matches pods/).waitFor();
    await details.getByText('dropped', { exact: true }).first().waitFor();
  });

  test('of what policy would drop: the share that was audited', async () => {
    await visit(`${CLUSTER}/shop/Deployment/cart>${DB_KEY}`);
    await details.getByText('audited', { exact: true }).waitFor();
    await rowOf('Latest flows', 'audit').first().waitFor();
    expect(await details.getByRole('article').count()).toBe(0);
  });

  test('leads to the neighbourhood of a workload on the map, and back to the whole', async () => {
    await visit(DB_KEY);
    await details.getByRole('button', { name: 'Focus on its neighbourhood' }).click();
    await page.getByRole('group', { name: 'Focus' }).getByText('maindb').waitFor();
    expect(searched('focus')).toEqual([DB_KEY]);
    await details.getByRole('button', { name: 'Show the whole map' }).click();
    await page.getByRole('group', { name: 'Focus' }).waitFor({ state: 'detached' });
    await details.getByRole('heading', { name: 'maindb', exact: true }).waitFor();
  });

  test('of what is not on the map: that it is not', async () => {
    await visit(`${CLUSTER}/shop/Deployment/nobody`);
    await details.getByRole('heading', { name: 'nobody' }).waitFor();
    await details.getByText('Not on the map').waitFor();
    await details.getByRole('button', { name: 'Close details' }).click();
    await details.waitFor({ state: 'detached' });
  });

  test('what was never seen before is marked, and nothing else', async () => {
    await visit(DB_KEY);
    await rowOf('Who connects', 'web').first().waitFor();
    await eventually(
      'the backend has looked for a while',
      SETTLING_MS + 10_000,
      () => Date.now() - startedMs > SETTLING_MS,
    );
    shown.cluster.agents[0].keepObserving(500, { source: LATE, destination: DB });
    await rowOf('Who connects', 'late').getByText('new: never seen before').waitFor();
    expect(await details.getByText('new: never seen before').count()).toBe(1);
    await rowOf('Who connects', 'late').getByRole('button', { name: /^late/ }).click();
    await details.getByRole('heading', { name: /late.*never seen before/ }).waitFor();
  });

  test('axe finds nothing, of a workload and of an edge, in either theme', async () => {
    for (const select of [DB_KEY, `${CLUSTER}/default/Deployment/xwing>${DB_KEY}`]) {
      for (const theme of ['dark', 'light']) {
        await visit(select);
        await page.goto(`${page.url()}&theme=${theme}`);
        await details.getByRole('article').first().waitFor();
        expect(await axeFindings(page), `${select} ${theme}`).toEqual([]);
      }
    }
  });
});

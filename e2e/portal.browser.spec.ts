import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, FrameLocator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { TestAuthority } from '#runtime/testing/certificates.ts';
import { freePort } from '#runtime/testing/free-port.ts';
import { ReviewServer } from '#runtime/testing/review-server.ts';
import { buildWeb } from '../scripts/build-web.ts';
import { launchBrowser, WatchedPage } from './browser.ts';
import { eventually } from './eventually.ts';
import { allowed, DB, droppedByPolicy, FakeAgent, pod, policy, WEB, WORLD } from './fake-agent.ts';
import { PageParts } from './page-parts.ts';
import { PortalSite } from './portal-site.ts';
import { missingProxies, ReverseProxy } from './reverse-proxy.ts';
import { WaggleProcess } from './waggle.ts';

// Waggle where people have it: behind a proxy that serves it under a path, with people who may see different namespaces, with two
// replicas of the backend.

const PREFIX = '/tools/waggle';
const VAULT = pod('vault', 'topsecret', 'node-1', '10.0.3.3');

if (missingProxies.length > 0)
  console.warn(`SKIPPED: tests through proxies; not installed: ${missingProxies.join(', ')}`);

describe.skipIf(missingProxies.length > 0)('in a portal', () => {
  let folder: string;
  let browser: Browser;
  const agent = new FakeAgent('node-1');
  const reviews = new ReviewServer();
  let settings: string[];
  const watched: WatchedPage[] = [];
  const stopping: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'waggle-portal-'));
    await buildWeb();
    await reviews.start();
    reviews.tokens.set('janes', { user: 'jane' });
    reviews.tokens.set('joes', { user: 'joe' });
    reviews.tokens.set('roots', { user: 'root' });
    reviews.grant('jane', 'shop');
    reviews.grant('joe', 'data');
    reviews.grant('root', '*');
    await Promise.all([
      writeFile(join(folder, 'kubeconfig'), reviews.kubeconfig),
      writeFile(join(folder, 'keys'), `${'k'.repeat(44)}\n`),
    ]);
    await agent.start();
    agent.keepObserving(
      300,
      allowed({ source: WEB, destination: DB }, policy('data', 'allow-web', 0)),
      droppedByPolicy({ source: VAULT, destination: DB }, policy('data', 'closed')),
      { source: VAULT, destination: WORLD, destinationPort: 443 },
      { source: WEB, destination: WORLD, destinationPort: 443 },
    );
    settings = ['--agent', agent.target, '--auth', 'token', '--kubeconfig', join(folder, 'kubeconfig')];
    settings.push('--session-key-file', join(folder, 'keys'), '--trusted-proxies', '127.0.0.1');
    // Shared workers are not told of a context's `ignoreHTTPSErrors`.
    browser = await launchBrowser(['--ignore-certificate-errors']);
  }, 150_000);

  afterEach(async () => {
    for (const each of watched.splice(0)) await each.close();
    for (const stop of stopping.splice(0).reverse()) await stop();
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await agent.stop();
    await reviews.stop();
    await rm(folder, { recursive: true });
  }, 60_000);

  async function backend(
    more: readonly string[] = [],
    port?: number,
  ): Promise<{ port: number; kill(): Promise<void> }> {
    const http = port ?? (await freePort());
    const listen = ['--listen', `127.0.0.1:${http}`, '--grpc-listen', `127.0.0.1:${await freePort()}`];
    const process = WaggleProcess.start(['backend', ...listen, ...settings, ...more]);
    await process.says(/Waggle's page: /);
    const kill = async () => {
      process.signal('SIGKILL');
      await process.exit;
    };
    stopping.push(kill);
    return { port: http, kill };
  }

  async function proxy(kind: 'nginx' | 'haproxy', ...backends: number[]): Promise<ReverseProxy> {
    const made = await ReverseProxy[kind]({ backends, prefix: PREFIX });
    stopping.push(() => made.stop());
    return made;
  }

  async function open(address: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const page = await WatchedPage.open(browser, address, options);
    watched.push(page);
    return page;
  }

  async function signIn(address: string, token: string): Promise<WatchedPage> {
    const opened = await open(address);
    await fillIn(opened.page, token);
    return opened;
  }

  for (const kind of ['nginx', 'haproxy'] as const) {
    test(`through ${kind}, under a path: signed in, live, and out again`, async () => {
      const { origin } = await proxy(kind, (await backend()).port);
      const { page, complaints } = await signIn(`${origin}${PREFIX}/?view=table&namespace=shop`, 'janes');
      const parts = new PageParts(page);
      await parts.rows.first().waitFor();
      expect(page.url()).toBe(`${origin}${PREFIX}/?view=table&namespace=shop`);
      // What happens is told as it happens: a proxy that kept answers back would make it wait for the end of the stream.
      await newFlowArrives(page);
      await page.goto(`${origin}${PREFIX}/`);
      await parts.card('web').waitFor();
      await page.getByRole('button', { name: 'jane: your session' }).click();
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Signed out' }).or(page.getByLabel('Token')).first().waitFor();
      expect(new URL(page.url()).pathname).toBe(`${PREFIX}/login`);
      await page.goto(`${origin}${PREFIX}/`);
      await page.getByLabel('Token').waitFor();
      expect(complaints).toEqual([]);
    });
  }

  test('two people see their namespaces, side by side, and nothing else', async () => {
    const { origin } = await proxy('nginx', (await backend()).port);
    const [jane, joe] = await Promise.all(['janes', 'joes'].map((token) => signIn(`${origin}${PREFIX}/`, token)));
    const [janes, joes] = [new PageParts(jane!.page), new PageParts(joe!.page)];
    await Promise.all([janes.card('web').waitFor(), joes.card('maindb').waitFor()]);
    // The other end is there, with its namespace and no name.
    await Promise.all([janes.card('hidden').first().waitFor(), joes.card('hidden').first().waitFor()]);
    await jane!.page.goto(`${origin}${PREFIX}/?view=table`);
    await joe!.page.goto(`${origin}${PREFIX}/?view=table`);
    await Promise.all([janes.rows.first().waitFor(), joes.rows.first().waitFor()]);
    const [janesText, joesText] = await Promise.all(
      [jane!, joe!].map(({ page }) => page.locator('body').textContent()),
    );
    expect(janesText).not.toMatch(/maindb|topsecret|10\.0\.2\.9|10\.0\.3\.3|allow-web/);
    expect(joesText).not.toMatch(/\bweb\b|topsecret|10\.0\.1\.7|10\.0\.3\.3/);
    expect(joesText).toMatch(/maindb/);
    expect([jane!.complaints, joe!.complaints]).toEqual([[], []]);
  });

  test('who may not see anything any more is told so, and what they saw is gone', async () => {
    reviews.tokens.set('temps', { user: 'temp' });
    reviews.grant('temp', 'shop');
    const { origin } = await proxy('nginx', (await backend()).port);
    const { page } = await signIn(`${origin}${PREFIX}/`, 'temps');
    await new PageParts(page).card('web').waitFor();
    reviews.grants.delete('temp');
    const started = Date.now();
    await page.getByRole('heading', { name: 'You may not see these flows' }).waitFor({ timeout: 35_000 });
    expect(Date.now() - started).toBeLessThan(30_000);
    expect(await new PageParts(page).map.count()).toBe(0);
    reviews.tokens.delete('temps');
    // What a token is worth is asked every few seconds.
    await eventually('one has to sign in', 30_000, async () => {
      await page.reload();
      return page.getByLabel('Token').isVisible();
    });
  });

  test('whose session has ended is told so, and led to where one signs in', async () => {
    reviews.tokens.set('brief', { user: 'root' });
    const { origin } = await proxy('nginx', (await backend()).port);
    const { page } = await signIn(`${origin}${PREFIX}/?view=table`, 'brief');
    await new PageParts(page).rows.first().waitFor();
    reviews.tokens.delete('brief');
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor({ timeout: 35_000 });
    await page.getByRole('button', { name: 'Sign in' }).click();
    await fillIn(page, 'roots');
    await new PageParts(page).rows.first().waitFor();
    expect(page.url()).toBe(`${origin}${PREFIX}/?view=table`);
  });

  test('who signs in again in one tab goes on in the others, and none shows what another person saw', async () => {
    reviews.tokens.set('short', { user: 'joe' });
    const { origin } = await proxy('nginx', (await backend()).port);
    const { page } = await signIn(`${origin}${PREFIX}/`, 'short');
    await new PageParts(page).card('maindb').waitFor();
    const other = await page.context().newPage();
    await other.goto(`${origin}${PREFIX}/`);
    await new PageParts(other).card('maindb').waitFor();
    reviews.tokens.delete('short');
    await page.getByRole('heading', { name: 'You are not signed in' }).waitFor({ timeout: 35_000 });
    await page.getByRole('button', { name: 'Sign in' }).click();
    await fillIn(page, 'janes');
    // The other tab, with the same view, is still there: their worker is the same.
    for (const tab of [page, other]) {
      await new PageParts(tab).card('web').waitFor();
      expect(await new PageParts(tab).card('maindb').count()).toBe(0);
      await new PageParts(tab).rows.first().waitFor();
    }
  });

  test('eight tabs share one stream, where a browser has six connections to a place', async () => {
    const { origin } = await proxy('nginx', (await backend()).port);
    const { page } = await signIn(`${origin}${PREFIX}/?view=table`, 'roots');
    const tabs = [page];
    for (let tab = 1; tab < 8; tab++) {
      const next = await page.context().newPage();
      await next.goto(`${origin}${PREFIX}/?view=table`);
      tabs.push(next);
    }
    for (const tab of tabs) await new PageParts(tab).rows.first().waitFor();
    await tabs.at(-1)!.getByText('Live', { exact: true }).waitFor();
  });

  for (const kind of ['nginx', 'haproxy'] as const) {
    test(`one of two replicas behind ${kind} is killed, then the other: the page goes on`, async () => {
      const ports = [await freePort(), await freePort()];
      const replicas = ['--replicas', ports.map((port) => `127.0.0.1:${port}`).join()];
      const [first, second] = [await backend(replicas, ports[0]), await backend(replicas, ports[1])];
      const { origin } = await proxy(kind, first.port, second.port);
      const { page } = await signIn(`${origin}${PREFIX}/?view=table`, 'roots');
      await newFlowArrives(page);
      await first.kill();
      await newFlowArrives(page);
      const again = await backend(replicas, first.port);
      await second.kill();
      await newFlowArrives(page);
      // Nobody had to sign in again.
      expect(await page.getByLabel('Token').count()).toBe(0);
      await again.kill();
    });
  }

  test('who signs out at one replica is signed out at the other, also when the one is killed at once', async () => {
    const ports = [await freePort(), await freePort()];
    const replicas = ['--replicas', ports.map((port) => `127.0.0.1:${port}`).join()];
    const [first] = await Promise.all(ports.map((port) => backend(replicas, port)));
    const [here, there] = ports.map((port) => `http://127.0.0.1:${port}/?view=table`);
    const { page } = await signIn(here!, 'roots');
    await new PageParts(page).rows.first().waitFor();
    // To a browser, a cookie of one port is one of the other.
    const other = await page.context().newPage();
    await other.goto(there!);
    await newFlowArrives(other);
    await eventually('they hear of each other', 30_000, async () => {
      const headers = { authorization: 'Bearer roots' };
      const metrics = await fetch(`http://127.0.0.1:${ports[0]}/metrics`, { headers });
      return (await metrics.text()).includes('waggle_backend_replicas 1');
    });
    const kept = await page.context().cookies();
    await page.getByRole('button', { name: 'root: your session' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await first!.kill();
    const started = Date.now();
    await other.getByRole('heading', { name: 'You are not signed in' }).waitFor({ timeout: 35_000 });
    expect(Date.now() - started).toBeLessThan(30_000);
    // Whoever kept the cookie is led to where one signs in.
    await page.context().addCookies(kept);
    await other.goto(there!);
    await other.getByLabel('Token').waitFor();
  });

  test('in a frame of another site: signed in there, chosen and themed by its portal', async () => {
    const authority = new TestAuthority();
    stopping.push(async () => authority.remove());
    const tls = authority.issue(['waggle.example']);
    const portal = await PortalSite.start('localhost');
    stopping.push(() => portal.stop());
    const { port } = await backend(['--session-same-site', 'none', '--frame-ancestors', portal.origin]);
    const nginx = await ReverseProxy.nginx({ backends: [port], prefix: PREFIX, tls });
    stopping.push(() => nginx.stop());
    const { page } = await open(portal.origin, { colorScheme: 'dark' });
    await page.evaluate((source) => {
      const frame = document.createElement('iframe');
      Object.assign(frame, { width: '640', height: '480', src: source });
      const heard: unknown[] = [];
      Object.assign(globalThis, { heard });
      addEventListener('message', (event: MessageEvent) => heard.push(event.data));
      document.body.append(frame);
    }, `${nginx.origin}${PREFIX}/?embed=map&theme=dark`);
    const frame = page.frameLocator('iframe');
    await fillIn(frame, 'janes');
    const card = frame.getByRole('treeitem', { name: /^web,/ });
    await card.waitFor();
    const cookies = await page.context().cookies();
    expect(cookies).toMatchObject([
      { name: '__Secure-waggle-session', sameSite: 'None', secure: true, httpOnly: true },
    ]);
    await say(page, { type: 'waggle:theme', theme: 'light' });
    await eventually(
      'it is light',
      10_000,
      async () => (await frame.locator('html').getAttribute('data-theme')) === 'light',
    );
    await say(page, { type: 'waggle:view', view: 'verdict=dropped' });
    await card.waitFor({ state: 'hidden' });
    await say(page, { type: 'waggle:view', view: '' });
    await card.waitFor();
    await say(page, { type: 'waggle:select', select: 'test/shop/Deployment/web' });
    await eventually('the portal hears of it', 10_000, async () =>
      (await page.evaluate(() => (globalThis as unknown as { heard: { type: string; select?: string }[] }).heard)).some(
        ({ type, select }) => type === 'waggle:selected' && select === 'test/shop/Deployment/web',
      ),
    );
  });
});

async function fillIn(page: Page | FrameLocator, token: string): Promise<void> {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Waits for a flow that was not in the table before. */
async function newFlowArrives(page: Page): Promise<void> {
  const rows = new PageParts(page).rows;
  await rows.first().waitFor({ timeout: 60_000 });
  const first = () => rows.first().textContent();
  const before = await first();
  await eventually('a new flow arrives', 60_000, async () => (await first()) !== before);
}

async function say(page: Page, word: unknown): Promise<void> {
  await page.evaluate((message) => document.querySelector('iframe')!.contentWindow!.postMessage(message, '*'), word);
}

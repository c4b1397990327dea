import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { FakeHubble, type FlowInit, type Layer7Init, requestFlow } from '#runtime/testing/fake-hubble.ts';
import { buildWeb } from '../scripts/build-web.ts';
import { axeFindings } from './axe.ts';
import { Backend } from './backend.ts';
import { launchBrowser, WatchedPage } from './browser.ts';
import { eventually } from './eventually.ts';
import { FakeCluster } from './fake-agent.ts';
import { PageParts } from './page-parts.ts';

// Who comes from Cilium has flows of HTTP, DNS and Kafka: a backend in front of their Hubble shows them, and what they say of an edge.

const WEB = { namespace: 'shop', name: 'web', address: '10.0.0.1' };
const CART = { namespace: 'shop', name: 'cart', address: '10.0.0.2' };
const COREDNS = { namespace: 'kube-system', name: 'coredns', address: '10.0.0.53' };
const ORDERS = { namespace: 'data', name: 'orders', address: '10.0.0.9' };
const MS = 1_000_000n;

function http(type: 1 | 2, code: number, method: string, path: string, latencyNs = 0n): Layer7Init {
  const headers = [
    { key: 'X-Request-Id', value: `id-${path}` },
    { key: 'Cookie', value: 'session=s3cr3t' },
  ];
  const value = { code, method, url: `http://cart${path}`, protocol: 'HTTP/1.1', headers };
  return { type, latencyNs, record: { case: 'http', value } };
}

function dns(type: 1 | 2, more: object): Layer7Init {
  const value = { query: 'cart.shop.svc.cluster.local.', qtypes: ['A'], observationSource: 'proxy', ...more };
  return { type, latencyNs: type === 2 ? MS / 2n : 0n, record: { case: 'dns', value } };
}

const toCart = { client: WEB, server: CART, port: 80 };
const lookup = { client: WEB, server: COREDNS, port: 53, direction: 2, udp: true } as const;
const toOrders = { client: CART, server: ORDERS, port: 9092 };
const produced = { apiVersion: 2, apiKey: 'produce', correlationId: 7, topic: 'orders' };
const BANK = '198.51.100.7';
const bank: FlowInit = {
  verdict: 1,
  Type: 1,
  IP: { source: WEB.address, destination: BANK, ipVersion: 1 },
  l4: { protocol: { case: 'TCP', value: { sourcePort: 41_000, destinationPort: 443, flags: { SYN: true } } } },
  source: {
    namespace: 'shop',
    podName: 'web-1',
    clusterName: 'kind',
    identity: 1_003,
    labels: ['k8s:app=web'],
    workloads: [{ kind: 'Deployment', name: 'web' }],
  },
  destination: { identity: 2, labels: ['reserved:world'] },
  eventType: { type: 4, subType: 3 },
  traceObservationPoint: 3,
  trafficDirection: 2,
  isReply: false,
};
const TRAFFIC = [
  requestFlow(toCart, http(1, 0, 'GET', '/items?token=s3cr3t')),
  requestFlow(toCart, http(2, 200, 'GET', '/items?token=s3cr3t', 12n * MS)),
  requestFlow(toCart, http(1, 0, 'POST', '/pay')),
  requestFlow(toCart, http(2, 503, 'POST', '/pay', 1_500n * MS)),
  requestFlow(lookup, dns(1, {})),
  requestFlow(lookup, dns(2, { ips: ['10.0.0.2'], ttl: 30, rrtypes: ['A'] })),
  requestFlow(toOrders, { type: 1, record: { case: 'kafka', value: produced } }),
];

describe('requests', () => {
  let hubble: FakeHubble;
  let backend: Backend;
  let browser: Awaited<ReturnType<typeof launchBrowser>>;
  let watched: WatchedPage;
  let page: Page;
  let parts: PageParts;

  beforeAll(async () => {
    hubble = new FakeHubble();
    await hubble.start();
    hubble.keepTelling(250, ...TRAFFIC);
    [, browser] = await Promise.all([buildWeb(), launchBrowser()]);
    backend = await Backend.startWith(['--hubble', hubble.address]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await backend?.stop();
    await hubble?.stop();
  }, 60_000);

  afterEach(async () => {
    const complaints = watched?.complaints;
    await watched?.close();
    expect(complaints).toEqual([]);
  });

  async function visit(query: string, url = backend.url): Promise<void> {
    watched = await WatchedPage.open(browser, `${url}/${query}`);
    page = watched.page;
    parts = new PageParts(page);
  }

  async function visitAgain(query: string): Promise<void> {
    await page.goto(`${backend.url}/${query}`);
  }

  const drawer = () => page.getByRole('dialog', { name: 'Flow', exact: true });

  test('stand in the table, every field in the drawer, each a filter, and no credentials anywhere', async () => {
    await visit('?view=table');
    await parts.rows.filter({ hasText: '← 503 1.5 s POST /pay' }).first().waitFor();
    for (const text of ['→ GET /items?token=HUBBLE_REDACTED', '→ DNS cart.shop', '← DNS 10.0.0.2', '→ Kafka produce']) {
      await parts.rows.filter({ hasText: text }).first().waitFor();
    }
    await page.getByRole('toolbar', { name: 'Flow table' }).getByRole('button', { name: 'Pause' }).click();
    await parts.rows.filter({ hasText: '← 503' }).first().click();
    await drawer().getByText('Request', { exact: true }).waitFor();
    for (const fact of ['Kind: HTTP response', 'Method: POST', 'URL: http://cart/pay', 'Latency: 1.5 s']) {
      await drawer().getByRole('button', { name: fact, exact: true }).waitFor();
    }
    await drawer().getByRole('button', { name: 'Header: Cookie: HUBBLE_REDACTED' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await drawer()
      .getByRole('radio', { name: 'JSON' })
      .or(drawer().getByRole('button', { name: 'JSON' }))
      .first()
      .click();
    await drawer().getByText('"latency_ns": "1500000000"').waitFor();
    expect(await page.content()).not.toContain('s3cr3t');
    await drawer()
      .getByRole('radio', { name: 'Fields' })
      .or(drawer().getByRole('button', { name: 'Fields' }))
      .first()
      .click();
    await drawer().getByRole('button', { name: 'Status: 503' }).click();
    await page.getByRole('menuitem', { name: 'Only http.status=5xx' }).click();
    await eventually('the filter is in the address', 10_000, async () => page.url().includes('http.status'));
    await parts.everyRow((text) => text.includes('503'), 'a failure');
  });

  test('are completed with what flows have', async () => {
    await visit('?view=table');
    await parts.rows.first().waitFor();
    const field = page.getByRole('combobox', { name: /filter/i }).first();
    await field.click();
    await field.fill('http.path=');
    await page
      .getByRole('option', { name: /http\.path=\/pay/ })
      .first()
      .click();
    await parts.everyRow((text) => text.includes('/pay'), 'of /pay');
  });

  test('say how an edge fares', async () => {
    const pair = new URLSearchParams({ select: 'kind/shop/Deployment/web>kind/shop/Deployment/cart' });
    await visit(`?${pair}`);
    const panel = page.getByRole('complementary', { name: 'Details' });
    const figure = (name: string) =>
      panel
        .locator('dl > div')
        .filter({ has: page.getByText(name, { exact: true }) })
        .first();
    await eventually('the panel tells requests', 30_000, async () =>
      /8\/s/.test((await figure('Requests').textContent()) ?? ''),
    );
    await eventually('half of the answers fail', 30_000, async () =>
      ((await figure('Answered').textContent()) ?? '').includes('50'),
    );
    expect(await figure('p50').textContent()).toMatch(/1[0-4](\.\d)? ms/);
    expect(await figure('p99').textContent()).toMatch(/1\.[3-6]\d? s/);
    expect(await axeFindings(page)).toEqual([]);
  });

  test('say that a proxy denied them, and what to compare', async () => {
    const policy = [{ name: 'only-reads', namespace: 'shop', kind: 'CiliumNetworkPolicy' }];
    hubble.keepTelling(
      250,
      requestFlow(toCart, http(1, 0, 'DELETE', '/items'), { verdict: 2, ingressDeniedBy: policy }),
    );
    const pair = new URLSearchParams({ select: 'kind/shop/Deployment/web>kind/shop/Deployment/cart' });
    await visit(`?${pair}`);
    const note = page.getByRole('region', { name: 'Drops' }).getByRole('article').first();
    await note.getByText('HTTP denied by proxy.').waitFor();
    expect(await note.textContent()).toContain('no HTTP rule of the policies that sent it there allows it');
    expect(await note.textContent()).toMatch(/\d+ requests? from web to cart dropped.*only-reads/s);
    await note.getByRole('button', { name: 'Show these flows' }).click();
    await parts.rows.filter({ hasText: 'DELETE /items · denied' }).first().waitFor();
    expect(page.url()).toContain('reason=http-denied-by-proxy');
  });

  test('name the world by what was asked for', async () => {
    hubble.tell(requestFlow(lookup, dns(2, { query: 'Bank.example.', ips: [BANK], ttl: 30 })));
    hubble.keepTelling(250, bank);
    await visit('');
    await parts.card('bank.example').waitFor();
    await parts.arrow('web', 'bank.example', /port 443/).waitFor();
    await visitAgain('?view=table&filter=to:dns%3D*.example');
    await parts.everyRow((text) => text.includes('bank.example'), 'of the bank');
  });

  test('are said not to be told where they are not, and why', async () => {
    const cluster = await FakeCluster.start();
    try {
      cluster.agents[0].keepObserving(400, {});
      const pair = new URLSearchParams({ select: 'test/shop/Deployment/web>test/data/Deployment/maindb' });
      await visit(`?${pair}`, cluster.backend.url);
      const said = page.getByText('no layer 7 is told here');
      await said.waitFor();
      expect(await said.getAttribute('title')).toContain('told by a Hubble whose proxies read them');
      expect(watched.complaints).toEqual([]);
      await watched.close();
    } finally {
      await cluster.stop();
    }
  });
});

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, test } from 'vitest';
import { WORLD_NAME } from '#core/card/card-name.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { RuleEffect } from '#proto/gen/waggle/v1/agent_pb.ts';
import { axeFindings } from './axe.ts';
import { ClusterPage } from './cluster-page.ts';
import { eventually } from './eventually.ts';
import { allowed, DB, droppedByPolicy, FakeCluster, pod, policy, WEB } from './fake-agent.ts';
import { PageParts } from './page-parts.ts';

const SPY = pod('other', 'spy', 'node-1', '10.0.1.30');
const DNS = { ...pod('kube-system', 'coredns', 'node-2', '10.0.2.53'), labels: ['k8s:k8s-app=kube-dns'] };

describe('policies', () => {
  let folder: string;
  let page: Page;

  // The last to run.
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const shown = new ClusterPage(async () => {
    folder = mkdtempSync(join(tmpdir(), 'waggle-policies-'));
    for (const endpoint of [WEB, DB, SPY, DNS]) putPod(endpoint);
    putPolicy('data', 'to-db', {
      podSelector: { matchLabels: { app: 'maindb' } },
      ingress: [
        { from: [{ namespaceSelector: named('shop') }], ports: [{ port: 3306 }] },
        { from: [{ namespaceSelector: named('other') }], ports: [{ port: 9999 }] },
      ],
    });
    putPolicy('shop', 'no-way-out', {
      podSelector: {},
      policyTypes: ['Egress'],
      egress: [{ to: [{ namespaceSelector: named('data') }] }],
    });
    const cluster = await FakeCluster.start(['node-1', 'node-2'], ['--state-dir', folder]);
    const [one, two] = cluster.agents;
    const rule = { ...policy('data', 'to-db', 0), path: 'spec.ingress[0]' };
    const last = timestampFromMs(Date.now());
    one.ruleHits = {
      since: timestampFromMs(Date.now() - 90_000),
      rules: [{ effect: RuleEffect.ALLOW, policies: [rule], hits: 41n, packets: 400n, last }],
    };
    two.ruleHits = {
      since: timestampFromMs(Date.now() - 60_000),
      rules: [
        {
          effect: RuleEffect.DEFAULT_DENY,
          policies: [policy('data', 'to-db')],
          direction: 1,
          hits: 7n,
          packets: 7n,
          last,
        },
      ],
    };
    one.keepObserving(
      500,
      allowed({ source: WEB, destination: DB }, rule),
      droppedByPolicy({ source: SPY, destination: DB, destinationPort: 3306 }, policy('data', 'to-db')),
      { source: SPY, destination: DNS, protocol: 17, destinationPort: 53 },
    );
    return cluster;
  });

  function named(name: string) {
    return { matchLabels: { 'kubernetes.io/metadata.name': name } };
  }

  function put(kind: string, namespace: string, name: string, object: object): void {
    const path = join(folder, kind, namespace);
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, `${name}.yaml`), JSON.stringify(object));
  }

  function putPod({ namespace, pod: name, workloadName, address, node, labels }: Endpoint): void {
    const own = labels.map((label) => label.replace('k8s:', '').split('=') as [string, string]);
    const owner = { kind: 'ReplicaSet', name: `${workloadName}-5f7c`, controller: true };
    const hash = { 'pod-template-hash': '5f7c' };
    const metadata = { name, namespace, uid: name, labels: { ...Object.fromEntries(own), ...hash } };
    put('Pod', namespace, name, {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, ownerReferences: [owner] } },
      ...{ spec: { nodeName: node }, status: { phase: 'Running', podIPs: [{ ip: address }] } },
    });
    const space = { name: namespace, labels: { 'kubernetes.io/metadata.name': namespace } };
    put('Namespace', '_cluster', namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: space });
  }

  function putPolicy(namespace: string, name: string, spec: object): void {
    const metadata = { name, namespace, uid: name, creationTimestamp: new Date(Date.now() - 120_000).toISOString() };
    put('NetworkPolicy', namespace, name, {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata,
      spec,
    });
  }

  async function visit(query: string): Promise<void> {
    page = await shown.visit(`/${query}`);
  }

  const details = () => page.getByRole('article', { name: /^Policy / });

  test('are reached from the rail, and tell rule by rule what was used', async () => {
    await visit('');
    await page.getByRole('navigation', { name: 'Views' }).getByRole('button', { name: 'Policies' }).click();
    expect(new URL(page.url()).searchParams.get('view')).toBe('policies');
    await page
      .getByRole('navigation', { name: 'List of policies' })
      .getByRole('button', { name: /^to-db/ })
      .click();
    expect(new URL(page.url()).searchParams.get('policy')).toBe('NetworkPolicy/data/to-db');
    const rules = details().getByRole('region', { name: 'Rules' }).getByRole('row');
    const row = (text: RegExp) => rules.filter({ hasText: text });
    await row(/TCP 3306/)
      .getByRole('cell', { name: '41', exact: true })
      .waitFor();
    expect(await row(/TCP 3306/).textContent()).toMatch(/now|ago/);
    expect(await row(/TCP 9999/).textContent()).toMatch(/unused for \d+ min/);
    expect(await row(/no rule of any policy/).textContent()).toMatch(/7(now|\d+ (s|min) ago)/);
    await details()
      .getByText(/applied \d+ min ago/)
      .waitFor();
    await details()
      .getByRole('region', { name: 'Whom it selects' })
      .getByRole('row', { name: /maindb data.*protected.*open/ })
      .waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });

  test('are told on the plates of the map', async () => {
    await visit('');
    const plate = (name: string) => new PageParts(page).map.getByRole('treeitem', { name, exact: true });
    await plate('data, namespace, 1 workload · 1 policy · default deny in').waitFor({ state: 'attached' });
    await plate('shop, namespace, 1 workload · 1 policy · default deny out').waitFor({ state: 'attached' });
    await plate('other, namespace, 1 workload').waitFor({ state: 'attached' });
  });

  test('say who is covered, and lead to the policies that do it', async () => {
    await visit('?view=policies&tab=coverage');
    const table = page.getByRole('region', { name: 'Coverage' });
    await table.getByRole('row', { name: /web shop.*open.*protected.*shop\/no-way-out/ }).waitFor();
    await table.getByRole('radio', { name: 'No policy' }).click();
    expect(await table.getByRole('row', { name: /no policy/ }).count()).toBe(2);
    expect(await table.getByRole('row', { name: /maindb/ }).count()).toBe(0);
    expect(await axeFindings(page)).toEqual([]);
    await table.getByRole('radio', { name: 'All' }).click();
    await table.getByRole('button', { name: 'data/to-db' }).click();
    await details().getByRole('heading', { name: 'to-db' }).waitFor();
  });

  test('are found wrong by number, with what mends it', async () => {
    await visit('?view=policies&tab=findings');
    const finding = page.getByRole('article', { name: /WP202/ });
    await finding.getByText('cannot ask DNS (shop/web)').waitFor();
    expect(await finding.textContent()).toContain('To mend it: allow egress to the cluster DNS pods on port 53');
    expect(await axeFindings(page)).toEqual([]);
  });

  test('follow the namespaces of the view, and a change of the cluster', async () => {
    await visit('?view=policies&namespace=shop');
    const list = page.getByRole('navigation', { name: 'List of policies' });
    await list.getByRole('button', { name: /^no-way-out/ }).waitFor();
    expect(await list.getByRole('button', { name: /^to-db/ }).count()).toBe(0);
    putPolicy('shop', 'late', { podSelector: {} });
    await list.getByRole('button', { name: /^late/ }).waitFor();
    rmSync(join(folder, 'NetworkPolicy/shop/late.yaml'));
    await list.getByRole('button', { name: /^late/ }).waitFor({ state: 'detached' });
  });

  test('that cannot be used are marked, with why, and close what they may be about', async () => {
    await visit('?view=policies&namespace=shop');
    const entry = page.getByRole('navigation', { name: 'List of policies' }).getByRole('button', { name: /^misspelt/ });
    putPolicy('shop', 'misspelt', { podSelector: {}, ingres: [] });
    await entry.click();
    expect(await entry.textContent()).toContain('unusable, closed');
    await details().getByText('unusable, closed').waitFor();
    await details()
      .getByText(/spec\.ingres is no field; did you mean ingress\?/)
      .first()
      .waitFor();
    await details()
      .getByRole('region', { name: 'Whom it selects' })
      .getByRole('row', { name: /web shop.*protected/ })
      .waitFor();
    rmSync(join(folder, 'NetworkPolicy/shop/misspelt.yaml'));
    await entry.waitFor({ state: 'detached' });
  });

  test('are found by name in the palette', async () => {
    await visit('?view=list');
    await page.getByRole('list', { name: 'Traffic of maindb' }).waitFor();
    await page.keyboard.press('ControlOrMeta+k');
    await page.getByRole('dialog').getByRole('combobox').fill('to-db');
    await page.getByRole('option', { name: /to-db.*NetworkPolicy/ }).click();
    await details().getByRole('heading', { name: 'to-db' }).waitFor();
  });

  test('stand on the map: what is allowed and not done, what no policy decides, and what is denied', async () => {
    await visit('');
    const parts = new PageParts(page);
    await parts.arrow('spy', 'maindb', /3306 TCP, dropped/).waitFor();
    expect(await parts.arrow('spy', 'maindb', /9999 TCP/).count()).toBe(0);
    await page.getByRole('button', { name: 'Show what policies allow' }).click();
    await parts.arrow('spy', 'maindb', /9999 TCP, allowed, never seen/).waitFor({ state: 'attached' });
    await parts.arrow('spy', 'coredns', /no policy decides/).waitFor({ state: 'attached' });
    await parts.arrow('web', 'maindb', /3306 TCP, forwarded,/).waitFor({ state: 'attached' });
    // Nobody outside was ever seen: the world stands there for the rule about it.
    putPolicy('data', 'office', {
      podSelector: { matchLabels: { app: 'maindb' } },
      ingress: [{ from: [{ ipBlock: { cidr: '198.51.100.0/24' } }], ports: [{ port: 22 }] }],
    });
    await parts.arrow('world', 'maindb', /22 TCP, allowed, never seen/).waitFor({ state: 'attached' });
    expect(new URL(page.url()).searchParams.get('reach')).toBe('1');
    const { reach, select } = { reach: '1', select: `${WORLD_NAME.key}>test/data/Deployment/maindb` };
    await page.goto(`${shown.cluster.backend.url}/?${new URLSearchParams({ reach, select })}`);
    const panel = page.getByRole('complementary', { name: 'Details' });
    await panel.getByText('Allowed, never seen').waitFor();
    const allowed = panel.getByRole('region', { name: 'Allowed by policy' });
    expect(await allowed.getByRole('listitem').allTextContents()).toEqual([
      expect.stringMatching(/^data\/office.*22 TCP.*198\.51\.100\.0\/24/),
    ]);
    rmSync(join(folder, 'NetworkPolicy/data/office.yaml'));
    await page.getByRole('button', { name: 'Show only what is seen' }).click();
    await eventually('the map shows only what is seen', 20_000, async () => {
      return (await parts.arrow('spy', 'maindb', /9999 TCP/).count()) === 0;
    });
  });

  test('are one step from an arrow, and from a flow', async () => {
    const keys = ['other/Deployment/spy', 'data/Deployment/maindb'].map((key) => `test/${key}`);
    await visit(`?select=${encodeURIComponent(keys.join('>'))}`);
    const panel = page.getByRole('complementary', { name: 'Details' });
    await panel.getByRole('region', { name: 'Allowed by policy' }).getByRole('button', { name: 'data/to-db' }).click();
    await details().locator('tr[aria-current]').filter({ hasText: 'TCP 9999' }).waitFor();
    await page.goBack();
    await panel.getByRole('region', { name: 'Drops' }).getByRole('button', { name: 'data/to-db' }).click();
    await details().getByRole('heading', { name: 'to-db' }).waitFor();

    await details().getByRole('button', { name: 'Its flows' }).click();
    const parts = new PageParts(page);
    await parts.everyRow((text) => /maindb/.test(text), 'decided by the policy');
    await parts.rows.filter({ hasText: 'dropped' }).first().click();
    const drawer = page.getByRole('dialog', { name: 'Flow' });
    await drawer.getByRole('button', { name: 'Closed by: NetworkPolicy data/to-db' }).click();
    await page.getByRole('menuitem', { name: 'Open the policy' }).click();
    await details().getByRole('heading', { name: 'to-db' }).waitFor();
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { apiServerObstacle, TestApiServer } from '#runtime/testing/api-server.ts';
import { TokenReviews, tokenReview } from '../auth/token-reviews.ts';
import { accessReview } from './access-review.ts';
import { Permissions } from './permissions.ts';

const obstacle = apiServerObstacle();
if (obstacle !== undefined) console.warn(`SKIPPED: sign-in at a real API server: ${obstacle}`);

const NAMESPACES = ['shop', 'data', 'vault'];
const RBAC = '/apis/rbac.authorization.k8s.io/v1';

describe.skipIf(obstacle !== undefined)('at a real API server', () => {
  let directory: string;
  let server: TestApiServer;
  let client: ApiClient;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'waggle-access-api-'));
    server = await TestApiServer.start({ directory });
    client = await server.client();
    for (const name of NAMESPACES) await client.request('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
    await client.request('POST', `${RBAC}/clusterroles`, {
      body: { metadata: { name: 'reader' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
    });
  }, 120_000);

  afterAll(async () => {
    client?.close();
    await server?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const binding = (name: string, kind: string) => ({
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name, namespace: 'shop' }],
    kind,
  });

  /** A new service account's token; without audiences, for the API server itself. */
  async function account(name: string, audiences?: readonly string[]): Promise<string> {
    await client.request('POST', '/api/v1/namespaces/shop/serviceaccounts', { body: { metadata: { name } } });
    const path = `/api/v1/namespaces/shop/serviceaccounts/${name}/token`;
    const made = await client.request<{ status: { token: string } }>('POST', path, { body: { spec: { audiences } } });
    return made.status.token;
  }

  it('a token names its owner, until they are gone', async () => {
    const token = await account('short-lived');
    const reviews = new TokenReviews(tokenReview(client), 50);
    const caller = await reviews.of(token);
    expect(caller).toMatchObject({ user: 'system:serviceaccount:shop:short-lived' });
    expect(caller!.groups).toContain('system:serviceaccounts:shop');
    expect(await caller!.current?.()).toMatchObject({ user: caller!.user });
    expect(await reviews.of(`${token.slice(0, -4)}AAAA`)).toBeUndefined();
    await client.request('DELETE', '/api/v1/namespaces/shop/serviceaccounts/short-lived');
    // The API server keeps what it has checked for ten seconds.
    for (const deadline = Date.now() + 30_000; (await caller!.current?.()) !== undefined; ) {
      if (Date.now() > deadline) throw new Error('the token is still accepted');
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  });

  it('a token names its owner to those that it was made for', async () => {
    const [own, others] = [await account('own'), await account('others', ['waggle', 'somebody'])];
    expect(await tokenReview(client)(own)).toMatchObject({ user: 'system:serviceaccount:shop:own' });
    expect(await tokenReview(client, ['waggle'])(own)).toBeUndefined();
    expect(await tokenReview(client)(others)).toBeUndefined();
    expect(await tokenReview(client, ['waggle'])(others)).toMatchObject({ user: 'system:serviceaccount:shop:others' });
    expect(await tokenReview(client, ['nobody'])(others)).toBeUndefined();
  });

  it('its roles say which namespaces somebody sees, and for how long', async () => {
    const token = await account('reader');
    const caller = (await new TokenReviews(tokenReview(client)).of(token))!;
    const permissions = new Permissions(accessReview(client), () => NAMESPACES, 50);
    const seen = async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      const permitted = await permissions.of(caller);
      return permitted === 'all' ? permitted : [...permitted].sort();
    };
    const eventually = async (what: unknown) => {
      let last: unknown;
      for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
        last = await seen();
        if (JSON.stringify(last) === JSON.stringify(what)) return;
      }
      expect(last).toEqual(what);
    };
    await eventually([]);
    for (const namespace of ['shop', 'data']) {
      await client.request('POST', `${RBAC}/namespaces/${namespace}/rolebindings`, {
        body: binding('reader', 'RoleBinding'),
      });
    }
    await eventually(['data', 'shop']);
    await client.request('DELETE', `${RBAC}/namespaces/data/rolebindings/reader`);
    await eventually(['shop']);
    await client.request('POST', `${RBAC}/clusterrolebindings`, { body: binding('reader', 'ClusterRoleBinding') });
    await eventually('all');
  });

  it('another rule than getting pods', async () => {
    const token = await account('other');
    const caller = (await new TokenReviews(tokenReview(client)).of(token))!;
    const rule = { verb: 'list', group: 'waggle.dev', resource: 'flows' };
    await client.request('POST', `${RBAC}/namespaces/vault/roles`, {
      body: {
        metadata: { name: 'flows' },
        rules: [{ apiGroups: ['waggle.dev'], resources: ['flows'], verbs: ['list'] }],
      },
    });
    await client.request('POST', `${RBAC}/namespaces/vault/rolebindings`, {
      body: {
        ...binding('other', 'RoleBinding'),
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'flows' },
      },
    });
    const ask = accessReview(client, rule);
    const { signal } = new AbortController();
    for (const deadline = Date.now() + 20_000; !(await ask(caller, 'vault', signal)); ) {
      if (Date.now() > deadline) throw new Error('it is not allowed');
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(await ask(caller, 'shop', signal)).toBe(false);
    expect(await accessReview(client)(caller, 'vault', signal)).toBe(false);
  });
});

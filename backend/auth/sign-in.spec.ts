import { readFile, stat, writeFile } from 'node:fs/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCidr } from '#core/ip/cidr.ts';
import { ViewService, WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { Code } from '#runtime/grpc/service.ts';
import { SignInSite } from '../testing/sign-in-site.ts';

let site: SignInSite;

beforeEach(async () => {
  site = await SignInSite.create();
});

afterEach(() => site.close());

describe('without having signed in', () => {
  it('nothing but health is served', async () => {
    const { ask, call, html, backend } = await site.start();
    expect((await ask('/healthz')).status).toBe(200);
    expect(JSON.parse((await ask('/readyz')).text)).toEqual({ ready: true });
    const page = await ask('/?namespace=shop&theme=dark', { headers: html });
    expect([page.status, page.headers.location]).toEqual([303, '/login?next=%2F%3Fnamespace%3Dshop%26theme%3Ddark']);
    for (const path of ['/metrics', '/embed.json', '/session.json', '/index.html', '/assets/x.js']) {
      expect([path, (await ask(path)).status]).toEqual([path, 401]);
    }
    expect(await call()).toMatchObject({ code: Code.UNAUTHENTICATED });
    const client = createClient(ViewService, backend.relayAddress);
    site.closing.push(() => client.close());
    await expect(client.listNamespaces({})).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
  });

  it('no cache in between keeps an answer', async () => {
    const { ask, call, html, own } = await site.start({ options: { basePath: '/waggle/' } });
    const admin = { authorization: 'Bearer admins-token' };
    for (const [path, headers, status] of [
      ['/', html, 303],
      ['/waggle', {}, 308],
      ['/nothing', {}, 401],
      ['/nothing', admin, 404],
      ['/readyz', {}, 200],
      ['/session.json', admin, 200],
      ['/metrics', admin, 200],
      ['/metrics', { authorization: 'Bearer janes-token' }, 403],
    ] as const) {
      const answer = await ask(path, { headers });
      expect([path, answer.status, answer.headers['cache-control']]).toEqual([path, status, 'no-store']);
    }
    expect(await call({ ...own, ...admin })).toMatchObject({ code: Code.OK });
  });

  it('the form says nothing of the cluster and runs no scripts', async () => {
    const { ask, html } = await site.start();
    const { text, headers } = await ask('/login?next=/%3Fview=table', { headers: html });
    expect(text).toContain('name="next" value="/?view=table"');
    expect(text).not.toContain('<script');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'self'");
    expect(headers['cache-control']).toBe('no-store');
  });
});

describe('with a token', () => {
  it('a session begins, tells who one is, and ends', async () => {
    const { ask, signIn, call, own, jar } = await site.start();
    const welcome = await signIn('janes-token', own, '/?view=table');
    expect([welcome.status, welcome.headers.location]).toEqual([303, '/?view=table']);
    expect(String(welcome.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=Lax$/);
    const namespaces = await call();
    expect([namespaces.code, namespaces.text?.includes('shop'), namespaces.text?.includes('vault')]).toEqual([
      0,
      true,
      false,
    ]);
    expect(JSON.parse((await ask('/session.json')).text)).toMatchObject({
      mode: 'token',
      user: 'jane',
      canSignOut: true,
    });
    const stolen = new Map(jar);
    expect((await ask('/logout', { method: 'POST', headers: own })).status).toBe(204);
    expect(await call()).toMatchObject({ code: Code.UNAUTHENTICATED });
    // Nor does the cookie serve anybody who kept it.
    for (const [name, value] of stolen) jar.set(name, value);
    expect(await call()).toMatchObject({ code: Code.UNAUTHENTICATED });
    const events = await site.audited();
    expect(events.map(({ event, user, by, from }) => [event, user, by, from])).toEqual([
      ['signed-in', 'jane', 'token', '127.0.0.1'],
      ['signed-out', 'jane', 'token', '127.0.0.1'],
    ]);
    expect(events[0]!.session).toBe(events[1]!.session);
    expect(await readFile(site.auditFile, 'utf8')).not.toContain('janes-token');
    expect(((await stat(site.auditFile)).mode & 0o777).toString(8)).toBe('600');
  });

  it('the cookie says nothing, and cannot be changed', async () => {
    const { signIn, jar, call } = await site.start();
    await signIn('janes-token');
    const [name, value] = [...jar][0]!;
    expect(Buffer.from(value, 'base64url').toString('latin1')).not.toContain('jane');
    for (const at of [0, 20, 40, value.length - 2]) {
      jar.set(name, `${value.slice(0, at)}${value[at] === 'A' ? 'B' : 'A'}${value.slice(at + 1)}`);
      expect(await call()).toMatchObject({ code: Code.UNAUTHENTICATED });
    }
    jar.set('waggle-sign-in', value);
    jar.set(name, '');
    expect(await call()).toMatchObject({ code: Code.UNAUTHENTICATED });
  });

  it('tools show it with every request', async () => {
    const { call, backend } = await site.start();
    expect(await call({ authorization: 'Bearer janes-token' })).toMatchObject({ code: Code.OK });
    expect(await call({ authorization: 'Bearer nobodys' })).toMatchObject({ code: Code.UNAUTHENTICATED });
    expect(await call({ authorization: 'Basic amFuZTpqYW5l' })).toMatchObject({ code: Code.UNAUTHENTICATED });
    expect(backend.url).toMatch(/^http:/);
  });

  it('and by gRPC with every call', async () => {
    const { backend } = await site.start();
    const client = createClient(ViewService, backend.relayAddress, { security: { token: () => 'janes-token' } });
    site.closing.push(() => client.close());
    expect((await client.listNamespaces({})).namespaces.map(({ name }) => name)).toEqual(['shop']);
  });

  it('metrics are for those who see all namespaces', async () => {
    const { ask } = await site.start();
    expect((await ask('/metrics', { headers: { authorization: 'Bearer janes-token' } })).status).toBe(403);
    expect((await ask('/metrics', { headers: { authorization: 'Bearer admins-token' } })).status).toBe(200);
  });

  /** What an open stream says until it is cut off. */
  const watched = async ({ backend, jar }: Pick<Awaited<ReturnType<SignInSite['start']>>, 'backend' | 'jar'>) => {
    const message = toBinary(WatchRequestSchema, create(WatchRequestSchema, { map: true }));
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const stream = await fetch(`${backend.url}/api/waggle.v1.ViewService/Watch`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/grpc-web+proto' },
      body: Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]),
    });
    return { ended: stream.text() };
  };

  it('it ends with the token, and an open stream with it', async () => {
    const replica = await site.start();
    await replica.signIn('admins-token');
    expect(await replica.call()).toMatchObject({ code: Code.OK });
    const { ended } = await watched(replica);
    site.reviews.tokens.delete('admins-token');
    expect(await ended).toMatch(/grpc-status: ?16/);
    expect(await replica.call()).toMatchObject({ code: Code.UNAUTHENTICATED });
  });

  it('an open stream ends with the group by which its reader might see it', async () => {
    const replica = await site.start();
    await replica.signIn('janes-token');
    const { ended } = await watched(replica);
    site.reviews.tokens.set('janes-token', { user: 'jane', groups: [] });
    expect(await ended).toMatch(/grpc-status: ?7/);
    expect(await replica.call()).toMatchObject({ code: Code.PERMISSION_DENIED });
  });

  it('it ends in time', async () => {
    const { signIn, call } = await site.start({ lengthMs: 3_000 });
    await signIn('janes-token');
    expect(await call()).toMatchObject({ code: Code.OK });
    await expect.poll(() => call(), { timeout: 20_000, interval: 200 }).toMatchObject({ code: Code.UNAUTHENTICATED });
  });

  it('nobody gets in while the API server is away', async () => {
    const { signIn, call, ask } = await site.start();
    await signIn('janes-token');
    site.reviews.broken = true;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await call()).toMatchObject({ http: 503 });
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('another replica with the same keys knows the session, also when keys are replaced', async () => {
    const first = await site.start();
    const second = await site.start();
    await first.signIn('janes-token');
    for (const [name, value] of first.jar) second.jar.set(name, value);
    expect(await second.call(second.own)).toMatchObject({ code: Code.OK });
    await writeFile(site.keyFile, `${'n'.repeat(40)}\n${'k'.repeat(40)}\n`);
    second.seal.look();
    expect(await second.call(second.own)).toMatchObject({ code: Code.OK });
    await writeFile(site.keyFile, `${'n'.repeat(40)}\n`);
    second.seal.look();
    expect(await second.call(second.own)).toMatchObject({ code: Code.UNAUTHENTICATED });
    // A file that cannot be used changes nothing.
    await writeFile(site.keyFile, 'short\n');
    first.seal.look();
    expect(await first.call()).toMatchObject({ code: Code.OK });
  });
});

describe('behind a proxy that signs people in', () => {
  const trusted = { trustedProxies: [parseCidr('127.0.0.1')!] };

  it('its headers say who somebody is', async () => {
    const { ask, call } = await site.start({ mode: 'proxy', options: trusted });
    const jane = { 'x-forwarded-user': 'jane', 'x-forwarded-groups': 'shop-team, other' };
    expect(await call(jane)).toMatchObject({ code: Code.OK });
    expect(JSON.parse((await ask('/session.json', { headers: jane })).text)).toMatchObject({
      mode: 'proxy',
      user: 'jane',
      canSignOut: false,
    });
    expect(await call({ 'x-forwarded-user': 'joe' })).toMatchObject({ code: Code.PERMISSION_DENIED });
    expect(await call({})).toMatchObject({ code: Code.UNAUTHENTICATED });
    expect((await ask('/', { headers: { accept: 'text/html' } })).status).toBe(401);
    expect((await site.audited()).map(({ event, user }) => [event, user])).toContainEqual(['seen', 'jane']);
  });

  it('nobody makes themselves a part of the cluster', async () => {
    const { call } = await site.start({ mode: 'proxy', options: trusted });
    for (const user of ['system:admin', 'system:serviceaccount:kube-system:default', '']) {
      expect(await call({ 'x-forwarded-user': user })).toMatchObject({ code: Code.UNAUTHENTICATED });
    }
    const masters = { 'x-forwarded-user': 'joe', 'x-forwarded-groups': 'system:masters' };
    expect(await call(masters)).toMatchObject({ code: Code.PERMISSION_DENIED });
  });

  it('who does not come through it is nobody', async () => {
    const { call, ask } = await site.start({
      mode: 'proxy',
      options: { trustedProxies: [parseCidr('192.0.2.0/24')!] },
    });
    expect(await call({ 'x-forwarded-user': 'jane', 'x-forwarded-groups': 'shop-team' })).toMatchObject({
      code: Code.UNAUTHENTICATED,
    });
    expect((await ask('/', { headers: { 'x-forwarded-user': 'jane' } })).text).toContain('Come through the proxy');
  });

  it('says where people really are, under which path and name, and that they came by HTTPS', async () => {
    const { ask, html, jar } = await site.start({ options: trusted });
    const headers = {
      ...html,
      host: 'backend.internal',
      'x-forwarded-host': 'waggle.example',
      'x-forwarded-proto': 'https',
      'x-forwarded-prefix': '/tools/waggle',
      'x-forwarded-for': '6.6.6.6, 203.0.113.9, 127.0.0.1',
    };
    expect((await ask('/', { headers })).headers.location).toBe('/tools/waggle/login?next=%2Ftools%2Fwaggle%2F');
    const signedIn = await ask('/login', {
      method: 'POST',
      headers: {
        ...headers,
        origin: 'https://waggle.example',
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: 'token=janes-token&next=/tools/waggle/?view=list',
    });
    expect(signedIn.headers.location).toBe('/tools/waggle/?view=list');
    expect(String(signedIn.headers['set-cookie'])).toMatch(
      /^__Secure-waggle-session=.*Path=\/tools\/waggle\/; HttpOnly; SameSite=Lax; Secure$/,
    );
    // The last before the trusted ones: what stands before it can be made up.
    expect((await site.audited()).at(-1)!.from).toBe('203.0.113.9');
    jar.clear();
    expect((await ask('/', { headers: { ...headers, 'x-forwarded-prefix': '/a"><b' } })).headers.location).toMatch(
      /^\/login/,
    );
  });
});

it('in frames of other sites the cookie has a jar of its own', async () => {
  const { ask, own } = await site.start({ sameSite: 'none', options: { trustedProxies: [parseCidr('127.0.0.1')!] } });
  const signedIn = await ask('/login', {
    method: 'POST',
    headers: { ...own, 'x-forwarded-proto': 'https', 'content-type': 'application/x-www-form-urlencoded' },
    body: 'token=janes-token',
  });
  expect(String(signedIn.headers['set-cookie'])).toMatch(
    /^__Host-waggle-session=.*; Path=\/; HttpOnly; SameSite=None; Secure; Partitioned$/,
  );
});

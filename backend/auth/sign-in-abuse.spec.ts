import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { Code } from '#runtime/grpc/service.ts';
import { browser, SignInSite } from '../testing/sign-in-site.ts';

let site: SignInSite;

beforeEach(async () => {
  site = await SignInSite.create();
});

afterEach(() => site.close());

it('against session fixation: a cookie from before is not taken over', async () => {
  const mallory = await site.start();
  await mallory.signIn('admins-token');
  const victim = browser(mallory.backend);
  for (const [name, value] of mallory.jar) victim.jar.set(name, value);
  await victim.signIn('janes-token');
  expect([...victim.jar.values()]).not.toEqual([...mallory.jar.values()]);
  expect(JSON.parse((await victim.ask('/session.json')).text).user).toBe('jane');
  expect(JSON.parse((await mallory.ask('/session.json')).text).user).toBe('admin');
  // What a stranger made up is no session.
  const other = browser(mallory.backend);
  other.jar.set('waggle-session', 'AAAA');
  expect(await other.call()).toMatchObject({ code: Code.UNAUTHENTICATED });
});

it('against cross-site requests: sign-in, sign-out and calls', async () => {
  const { signIn, ask, call, own, jar } = await site.start();
  const evil: Record<string, string>[] = [
    { host: own.host, origin: 'http://evil.example' },
    { host: own.host, origin: 'null' },
    { host: own.host, 'sec-fetch-site': 'cross-site' },
    { host: own.host, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' },
  ];
  for (const headers of evil) expect((await signIn('janes-token', headers)).status).toBe(403);
  expect(jar.size).toBe(0);
  await signIn('janes-token');
  for (const headers of evil) {
    expect((await ask('/logout', { method: 'POST', headers })).status).toBe(403);
    expect(await call(headers)).toEqual({ http: 403 });
  }
  expect((await ask('/logout', { headers: { ...own, accept: 'text/html' } })).status).not.toBe(204);
  expect(await call()).toMatchObject({ code: Code.OK });
});

it('against DNS rebinding: a name that somebody else owns is not answered, signed in or not', async () => {
  const { signIn, call, own, jar } = await site.start();
  await signIn('janes-token');
  for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1']) {
    expect(await call({ host, origin: `http://${host}` })).toEqual({ http: 421 });
  }
  expect((await signIn('janes-token', { ...own, host: 'evil.example' })).status).toBe(421);
  expect(jar.size).toBe(1);
});

it('against clickjacking: only pages that were named may frame it, the form included', async () => {
  const { ask, html } = await site.start({ options: { frameAncestors: ['https://portal.example'] } });
  for (const path of ['/login', '/']) {
    const { headers } = await ask(path, { headers: html });
    expect(headers['content-security-policy']).toContain('frame-ancestors https://portal.example');
  }
});

it('against leading people elsewhere after they signed in', async () => {
  const { signIn, own, ask } = await site.start();
  const elsewhere = [
    'https://evil.example/',
    '//evil.example',
    '/\\evil.example',
    '/%0d%0aSet-Cookie: a=b',
    '/\t/evil.example',
    'javascript:alert(1)',
    '/a/..//evil.example',
    '\0/',
    'x'.repeat(10_000),
  ];
  for (const next of elsewhere) {
    const { headers } = await signIn('janes-token', own, next);
    const target = new URL(String(headers.location), 'http://here.example');
    expect([next, target.host, headers.location]).toEqual([
      next,
      'here.example',
      expect.stringMatching(/^\/(?![/\\])/),
    ]);
  }
  const { text } = await ask(`/login?next=${encodeURIComponent('/"><script>alert(1)</script>')}`);
  expect(text).not.toContain('<script>');
});

it('against trying many tokens: in the form and by tools', async () => {
  const { signIn, call, own } = await site.start();
  for (let attempt = 0; attempt < 10; attempt++) expect((await signIn(`guess-${attempt}`)).status).toBe(401);
  const refused = await signIn('janes-token');
  expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
  expect(await call({ ...own, authorization: 'Bearer guess' })).toEqual({ http: 429 });
  expect((await site.audited()).filter(({ event }) => event === 'refused')).toHaveLength(11);
  const asked = site.reviews.asked.length;
  await signIn('guess-77');
  expect(site.reviews.asked.length).toBe(asked);
});

it('against trying many at once, without locking out who is known', async () => {
  const { signIn, call, own } = await site.start({ checkMs: 1 });
  const tool = { ...own, authorization: 'Bearer janes-token' };
  expect(await call(tool)).toMatchObject({ code: Code.OK });
  const before = site.reviews.asked.length;
  const answers = await Promise.all(Array.from({ length: 60 }, (_, guess) => signIn(`guess-${guess}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401, 429]));
  expect(site.reviews.asked.length - before).toBeLessThan(50);
  expect((await signIn('admins-token')).status).toBe(429);
  expect(await call(tool)).toMatchObject({ code: Code.OK });
  // Until it is withdrawn.
  site.reviews.tokens.delete('janes-token');
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await call(tool)).toMatchObject({ code: Code.UNAUTHENTICATED });
  expect(await call(tool)).toEqual({ http: 429 });
});

it('against taking all calls there are: one person has so many', async () => {
  const { signIn, call, backend, jar } = await site.start({ calls: 5 });
  await signIn('janes-token');
  const message = toBinary(WatchRequestSchema, create(WatchRequestSchema, { map: true }));
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const cut = new AbortController();
  const watch = () =>
    fetch(`${backend.url}/api/waggle.v1.ViewService/Watch`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/grpc-web+proto' },
      body: Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]),
      signal: cut.signal,
    });
  for (let stream = 0; stream < 5; stream++) await watch();
  expect(await call()).toMatchObject({ code: Code.RESOURCE_EXHAUSTED });
  const other = browser(backend);
  await other.signIn('admins-token');
  expect(await other.call()).toMatchObject({ code: Code.OK });
  cut.abort();
  await vi.waitFor(async () => expect(await call()).toMatchObject({ code: Code.OK }), { timeout: 20_000 });
});

it('against who writes forwarded headers without being a trusted proxy', async () => {
  const { ask, call, html } = await site.start({ options: { basePath: '/waggle/' } });
  const made = {
    'x-forwarded-for': '1.2.3.4',
    'x-forwarded-prefix': '/evil',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
  };
  expect((await ask('/', { headers: { ...html, ...made } })).headers.location).toMatch(/^\/waggle\/login/);
  await call({ ...made, authorization: 'Bearer guess' });
  expect((await site.audited()).at(-1)!.from).toBe('127.0.0.1');
});

it('against bodies of any size and shape', async () => {
  const { ask, own } = await site.start();
  const form = { ...own, 'content-type': 'application/x-www-form-urlencoded' };
  const post = (body: string, headers = form) => ask('/login', { method: 'POST', headers, body });
  expect((await post(`token=${'x'.repeat(40_000)}`)).status).toBe(413);
  expect((await post('a=1&'.repeat(50))).status).toBe(413);
  expect((await post('token[a]=b&token[b]=c')).status).toBe(401);
  expect((await post('{"token":{}}', { ...own, 'content-type': 'application/json' })).status).toBe(401);
  expect((await post(`token=${encodeURIComponent('a\r\nx: y')}`)).status).toBe(401);
});

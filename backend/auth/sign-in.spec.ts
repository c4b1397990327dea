import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCidr } from '#core/ip/cidr.ts';
import { ViewService, WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';
import { Code } from '#runtime/grpc/service.ts';
import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ReviewServer } from '#runtime/testing/review-server.ts';
import { accessReview } from '../access/access-review.ts';
import { type Backend, type BackendOptions, startBackend } from '../start.ts';
import { AuditLog } from './audit-log.ts';
import { LoginLimit } from './login-limit.ts';
import { proxySignIn } from './proxy-sign-in.ts';
import { Seal } from './sealed.ts';
import { type SameSite, Sessions } from './sessions.ts';
import type { SignInParts } from './sign-in.ts';
import { TokenReviews, tokenReview } from './token-reviews.ts';
import { tokenSignIn } from './token-sign-in.ts';

const log = pino({ level: 'silent' });
const closing: (() => unknown)[] = [];
let folder: string;
let reviews: ReviewServer;
let auditFile: string;
let keyFile: string;
let client: ApiClient | undefined;

beforeEach(async () => {
  client = undefined;
  folder = await mkdtemp(join(tmpdir(), 'waggle-sign-in-'));
  auditFile = join(folder, 'audit.log');
  keyFile = join(folder, 'keys');
  await writeFile(keyFile, `${'k'.repeat(40)}\n`);
  await writeFile(join(folder, 'index.html'), '<title>Waggle</title>');
  await mkdir(join(folder, 'state/Namespace/_cluster'), { recursive: true });
  for (const name of ['shop', 'vault']) {
    const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n`;
    await writeFile(join(folder, 'state/Namespace/_cluster', `${name}.yaml`), namespace);
  }
  reviews = new ReviewServer();
  reviews.tokens.set('janes-token', { user: 'jane', groups: ['shop-team'] });
  reviews.grant('shop-team', 'shop');
  reviews.tokens.set('admins-token', { user: 'admin', groups: ['system:masters'] });
  reviews.grant('system:masters', '*');
  closing.push(() => reviews.stop());
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await rm(folder, { recursive: true });
});

interface Start {
  readonly mode?: 'token' | 'proxy';
  readonly lengthMs?: number;
  readonly sameSite?: SameSite;
  readonly checkMs?: number;
  readonly options?: BackendOptions;
}

async function start({ mode = 'token', lengthMs = 3_600_000, sameSite = 'lax', checkMs = 100, options }: Start = {}) {
  client ??= await reviews.start();
  const seal = new Seal(keyFile, log);
  const sessions = new Sessions({ seal, lengthMs, sameSite });
  const tokens = new TokenReviews(tokenReview(client), checkMs);
  const audit = new AuditLog(auditFile, log);
  const parts: SignInParts & { reviews: TokenReviews } = { sessions, reviews: tokens, limit: new LoginLimit(), audit };
  const backend = await startBackend({
    listen: '127.0.0.1:0',
    relayListen: '127.0.0.1:0',
    pageFolder: folder,
    stateDir: join(folder, 'state'),
    allowedHosts: ['waggle.example'],
    log,
    access: {
      signIn: mode === 'token' ? tokenSignIn(parts) : proxySignIn(parts),
      audit,
      maySee: accessReview(client),
      checkMs,
      onClose: () => seal.close(),
    },
    ...options,
  });
  closing.push(() => backend.close());
  return { backend, seal, ...browser(backend) };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** Somebody with a cookie jar, whose requests look like a page's own. */
function browser(backend: Backend) {
  const jar = new Map<string, string>();
  const { port } = new URL(backend.url);
  const ask = (
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {},
  ) =>
    new Promise<Answer>((resolve, reject) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { ...(cookie === '' ? {} : { cookie }), ...init.headers };
      const sent = request({ host: '127.0.0.1', port, path, method: init.method ?? 'GET', headers }, (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          for (const line of response.headers['set-cookie'] ?? []) {
            const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
            if (line.includes('Max-Age=0')) jar.delete(name!);
            else jar.set(name!, value!);
          }
          resolve({ status: response.statusCode!, headers: response.headers, text });
        });
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(init.body);
    });
  const html = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' };
  const own = { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin', host: `127.0.0.1:${port}` };
  const signIn = (token: string, headers: Record<string, string> = own, next = '/') =>
    ask('/login', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token, next }).toString(),
    });
  /** The status of a gRPC-Web call. */
  const call = async (headers: Record<string, string> = own, method = 'ListNamespaces') => {
    const body = Buffer.from([0, 0, 0, 0, 0]);
    const answer = await ask(`/api/waggle.v1.ViewService/${method}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/grpc-web+proto' },
      body,
    });
    const code = /grpc-status: ?(\d+)/i.exec(answer.text)?.[1];
    return code === undefined ? { http: answer.status } : { code: Number(code), text: answer.text };
  };
  return { jar, ask, html, own, signIn, call };
}

const audited = async () =>
  (await readFile(auditFile, 'utf8').catch(() => ''))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, string>);

describe('without having signed in', () => {
  it('nothing but health is served', async () => {
    const { ask, call, html, backend } = await start();
    expect((await ask('/healthz')).status).toBe(200);
    expect(JSON.parse((await ask('/readyz')).text)).toEqual({ ready: true });
    const page = await ask('/?namespace=shop&theme=dark', { headers: html });
    expect([page.status, page.headers.location]).toEqual([303, '/login?next=%2F%3Fnamespace%3Dshop%26theme%3Ddark']);
    for (const path of ['/metrics', '/embed.json', '/session.json', '/index.html', '/assets/x.js']) {
      expect([path, (await ask(path)).status]).toEqual([path, 401]);
    }
    expect(await call()).toMatchObject({ code: Code.UNAUTHENTICATED });
    const client = createClient(ViewService, backend.relayAddress);
    closing.push(() => client.close());
    await expect(client.listNamespaces({})).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
  });

  it('the form says nothing of the cluster and runs no scripts', async () => {
    const { ask, html } = await start();
    const { text, headers } = await ask('/login?next=/%3Fview=table', { headers: html });
    expect(text).toContain('name="next" value="/?view=table"');
    expect(text).not.toContain('<script');
    expect(headers['content-security-policy']).toContain("frame-ancestors 'self'");
    expect(headers['cache-control']).toBe('no-store');
  });
});

describe('with a token', () => {
  it('a session begins, tells who one is, and ends', async () => {
    const { ask, signIn, call, own, jar } = await start();
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
    const events = await audited();
    expect(events.map(({ event, user, by, from }) => [event, user, by, from])).toEqual([
      ['signed-in', 'jane', 'token', '127.0.0.1'],
      ['signed-out', 'jane', 'token', '127.0.0.1'],
    ]);
    expect(events[0]!.session).toBe(events[1]!.session);
    expect(await readFile(auditFile, 'utf8')).not.toContain('janes-token');
  });

  it('the cookie says nothing, and cannot be changed', async () => {
    const { signIn, jar, call } = await start();
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
    const { call, backend } = await start();
    expect(await call({ authorization: 'Bearer janes-token' })).toMatchObject({ code: Code.OK });
    expect(await call({ authorization: 'Bearer nobodys' })).toMatchObject({ code: Code.UNAUTHENTICATED });
    expect(await call({ authorization: 'Basic amFuZTpqYW5l' })).toMatchObject({ code: Code.UNAUTHENTICATED });
    expect(backend.url).toMatch(/^http:/);
  });

  it('and by gRPC with every call', async () => {
    const { backend } = await start();
    const client = createClient(ViewService, backend.relayAddress, { security: { token: () => 'janes-token' } });
    closing.push(() => client.close());
    expect((await client.listNamespaces({})).namespaces.map(({ name }) => name)).toEqual(['shop']);
  });

  it('metrics are for those who see all namespaces', async () => {
    const { ask } = await start();
    expect((await ask('/metrics', { headers: { authorization: 'Bearer janes-token' } })).status).toBe(403);
    expect((await ask('/metrics', { headers: { authorization: 'Bearer admins-token' } })).status).toBe(200);
  });

  it('it ends with the token, and an open stream with it', async () => {
    const { signIn, call, backend, jar } = await start();
    await signIn('admins-token');
    expect(await call()).toMatchObject({ code: Code.OK });
    const message = toBinary(WatchRequestSchema, create(WatchRequestSchema, { map: true }));
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const stream = await fetch(`${backend.url}/api/waggle.v1.ViewService/Watch`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'application/grpc-web+proto' },
      body: Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]),
    });
    const ended = stream.text();
    reviews.tokens.delete('admins-token');
    expect(await ended).toMatch(/grpc-status: ?16/);
    expect(await call()).toMatchObject({ code: Code.UNAUTHENTICATED });
  });

  it('it ends in time', async () => {
    const { signIn, call } = await start({ lengthMs: 1_500 });
    await signIn('janes-token');
    expect(await call()).toMatchObject({ code: Code.OK });
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    expect(await call()).toMatchObject({ code: Code.UNAUTHENTICATED });
  });

  it('nobody gets in while the API server is away', async () => {
    const { signIn, call, ask } = await start();
    await signIn('janes-token');
    reviews.broken = true;
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await call()).toMatchObject({ http: 503 });
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('another replica with the same keys knows the session, also when keys are replaced', async () => {
    const first = await start();
    const second = await start();
    await first.signIn('janes-token');
    for (const [name, value] of first.jar) second.jar.set(name, value);
    expect(await second.call(second.own)).toMatchObject({ code: Code.OK });
    await writeFile(keyFile, `${'n'.repeat(40)}\n${'k'.repeat(40)}\n`);
    second.seal.look();
    expect(await second.call(second.own)).toMatchObject({ code: Code.OK });
    await writeFile(keyFile, `${'n'.repeat(40)}\n`);
    second.seal.look();
    expect(await second.call(second.own)).toMatchObject({ code: Code.UNAUTHENTICATED });
    // A file that cannot be used changes nothing.
    await writeFile(keyFile, 'short\n');
    first.seal.look();
    expect(await first.call()).toMatchObject({ code: Code.OK });
  });
});

describe('against', () => {
  it('session fixation: a cookie from before is not taken over', async () => {
    const mallory = await start();
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

  it('cross-site requests: sign-in, sign-out and calls', async () => {
    const { signIn, ask, call, own, jar } = await start();
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

  it('DNS rebinding: a name that somebody else owns is not answered, signed in or not', async () => {
    const { signIn, call, own, jar } = await start();
    await signIn('janes-token');
    for (const host of ['evil.example', 'localhost.evil.example', '10.0.0.1']) {
      expect(await call({ host, origin: `http://${host}` })).toEqual({ http: 421 });
    }
    expect((await signIn('janes-token', { ...own, host: 'evil.example' })).status).toBe(421);
    expect(jar.size).toBe(1);
  });

  it('clickjacking: only pages that were named may frame it, the form included', async () => {
    const { ask, html } = await start({ options: { frameAncestors: ['https://portal.example'] } });
    for (const path of ['/login', '/']) {
      const { headers } = await ask(path, { headers: html });
      expect(headers['content-security-policy']).toContain('frame-ancestors https://portal.example');
    }
  });

  it('leading people elsewhere after they signed in', async () => {
    const { signIn, own, ask } = await start();
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

  it('trying many tokens: in the form and by tools', async () => {
    const { signIn, call, own } = await start();
    for (let attempt = 0; attempt < 10; attempt++) expect((await signIn(`guess-${attempt}`)).status).toBe(401);
    const refused = await signIn('janes-token');
    expect([refused.status, Number(refused.headers['retry-after'])]).toEqual([429, expect.any(Number)]);
    expect(await call({ ...own, authorization: 'Bearer guess' })).toEqual({ http: 429 });
    expect((await audited()).filter(({ event }) => event === 'refused')).toHaveLength(11);
    const asked = reviews.asked.length;
    await signIn('guess-77');
    expect(reviews.asked.length).toBe(asked);
  });

  it('who writes forwarded headers without being a trusted proxy', async () => {
    const { ask, call, html } = await start({ options: { basePath: '/waggle/' } });
    const made = {
      'x-forwarded-for': '1.2.3.4',
      'x-forwarded-prefix': '/evil',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
    };
    expect((await ask('/', { headers: { ...html, ...made } })).headers.location).toMatch(/^\/waggle\/login/);
    await call({ ...made, authorization: 'Bearer guess' });
    expect((await audited()).at(-1)!.from).toBe('127.0.0.1');
  });

  it('bodies of any size and shape', async () => {
    const { ask, own } = await start();
    const form = { ...own, 'content-type': 'application/x-www-form-urlencoded' };
    const post = (body: string, headers = form) => ask('/login', { method: 'POST', headers, body });
    expect((await post(`token=${'x'.repeat(40_000)}`)).status).toBe(413);
    expect((await post('a=1&'.repeat(50))).status).toBe(413);
    expect((await post('token[a]=b&token[b]=c')).status).toBe(401);
    expect((await post('{"token":{}}', { ...own, 'content-type': 'application/json' })).status).toBe(401);
    expect((await post(`token=${encodeURIComponent('a\r\nx: y')}`)).status).toBe(401);
  });
});

describe('behind a proxy that signs people in', () => {
  const trusted = { trustedProxies: [parseCidr('127.0.0.1')!] };

  it('its headers say who somebody is', async () => {
    const { ask, call } = await start({ mode: 'proxy', options: trusted });
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
    expect((await audited()).map(({ event, user }) => [event, user])).toContainEqual(['seen', 'jane']);
  });

  it('nobody makes themselves a part of the cluster', async () => {
    const { call } = await start({ mode: 'proxy', options: trusted });
    for (const user of ['system:admin', 'system:serviceaccount:kube-system:default', '']) {
      expect(await call({ 'x-forwarded-user': user })).toMatchObject({ code: Code.UNAUTHENTICATED });
    }
    const masters = { 'x-forwarded-user': 'joe', 'x-forwarded-groups': 'system:masters' };
    expect(await call(masters)).toMatchObject({ code: Code.PERMISSION_DENIED });
  });

  it('who does not come through it is nobody', async () => {
    const { call, ask } = await start({ mode: 'proxy', options: { trustedProxies: [parseCidr('192.0.2.0/24')!] } });
    expect(await call({ 'x-forwarded-user': 'jane', 'x-forwarded-groups': 'shop-team' })).toMatchObject({
      code: Code.UNAUTHENTICATED,
    });
    expect((await ask('/', { headers: { 'x-forwarded-user': 'jane' } })).text).toContain('Come through the proxy');
  });

  it('says where people really are, under which path and name, and that they came by HTTPS', async () => {
    const { ask, html, jar } = await start({ options: trusted });
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
    expect((await audited()).at(-1)!.from).toBe('203.0.113.9');
    jar.clear();
    expect((await ask('/', { headers: { ...headers, 'x-forwarded-prefix': '/a"><b' } })).headers.location).toMatch(
      /^\/login/,
    );
  });
});

it('in frames of other sites the cookie has a jar of its own', async () => {
  const { ask, own } = await start({ sameSite: 'none', options: { trustedProxies: [parseCidr('127.0.0.1')!] } });
  const signedIn = await ask('/login', {
    method: 'POST',
    headers: { ...own, 'x-forwarded-proto': 'https', 'content-type': 'application/x-www-form-urlencoded' },
    body: 'token=janes-token',
  });
  expect(String(signedIn.headers['set-cookie'])).toMatch(/HttpOnly; SameSite=None; Secure; Partitioned$/);
});

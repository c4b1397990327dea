import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import Provider from 'oidc-provider';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { type Backend, startBackend } from '../start.ts';
import { AuditLog } from './audit-log.ts';
import { EndedSessions } from './ended-sessions.ts';
import { LoginLimit } from './login-limit.ts';
import { LogoutTokens } from './logout-token.ts';
import { oidcSignIn } from './oidc-sign-in.ts';
import { Seal } from './sealed.ts';
import { Sessions } from './sessions.ts';

const log = pino({ level: 'silent' });
let folder: string;
let issuer: Server;
let backend: Backend;

/** A real OpenID provider; people sign in there with any name, and are what the name says. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'waggle-oidc-'));
  await writeFile(join(folder, 'index.html'), '<title>Waggle</title>');
  const holder: { handler?: ReturnType<Provider['callback']> } = {};
  issuer = createServer((request, response) => holder.handler?.(request, response));
  await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
  const address = new URL(`http://127.0.0.1:${(issuer.address() as AddressInfo).port}`);
  const seal = new Seal(undefined, log);
  const audit = new AuditLog(join(folder, 'audit.log'), log);
  const sessions = new Sessions({ seal, ended: new EndedSessions(), lengthMs: 60_000, sameSite: 'lax' });
  backend = await startBackend({
    listen: '127.0.0.1:0',
    relayListen: '127.0.0.1:0',
    pageFolder: folder,
    log,
    access: {
      audit,
      maySee: async ({ groups }) => groups.includes('oidc:sre'),
      signIn: oidcSignIn(
        { sessions, reviews: undefined, limit: new LoginLimit(), audit },
        {
          issuer: address,
          clientId: 'waggle',
          clientSecret: 'a secret that only the two know',
          scopes: ['openid', 'email', 'groups'],
          userClaim: 'email',
          groupsClaim: 'groups',
          userPrefix: 'oidc:',
          groupsPrefix: 'oidc:',
        },
        log,
      ),
    },
  });
  const provider = new Provider(address.href.replace(/\/$/, ''), {
    clients: [
      {
        client_id: 'waggle',
        client_secret: 'a secret that only the two know',
        redirect_uris: [`${backend.url}/login/callback`],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        backchannel_logout_uri: `${backend.url}/login/backchannel`,
        backchannel_logout_session_required: true,
        post_logout_redirect_uris: [`${backend.url}/login?out`],
      },
    ],
    pkce: { required: () => true },
    // Its own would not talk to this machine.
    fetch: (url: string | URL, options: RequestInit) =>
      fetch(url, { ...options, dispatcher: undefined } as RequestInit),
    features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true } },
    conformIdTokenClaims: false,
    claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
    scopes: ['openid', 'email', 'groups'],
    findAccount: (_context: unknown, id: string) => ({
      accountId: id,
      claims: async () => ({
        sub: id,
        email: id === 'system' ? '' : `${id}@example.com`,
        email_verified: id !== 'unverified',
        groups: ['sre', 'system:masters'],
      }),
    }),
  });
  provider.on('server_error', (_context, error) => console.error(error));
  holder.handler = provider.callback();
});

afterAll(async () => {
  await backend.close();
  issuer.closeAllConnections();
  await new Promise((resolve) => issuer.close(resolve));
  await rm(folder, { recursive: true });
});

/** Somebody with a jar of cookies for each place. */
class Person {
  readonly jars = new Map<string, Map<string, string>>();

  /** As a browser that goes there; its own fetch would say that it does not. */
  async ask(url: string, { body, mode = 'navigate' }: { body?: URLSearchParams | ''; mode?: string } = {}) {
    const { host } = new URL(url);
    const jar = this.jars.get(host) ?? new Map<string, string>();
    this.jars.set(host, jar);
    const headers = {
      accept: 'text/html',
      'sec-fetch-mode': mode,
      'content-type': 'application/x-www-form-urlencoded',
      cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
    };
    const answer = await new Promise<{ status: number; location?: string; text: string; cookies: string[] }>(
      (resolve, reject) => {
        const sent = send(url, { method: body === undefined ? 'GET' : 'POST', headers }, async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk);
          const { location, 'set-cookie': cookies = [] } = response.headers;
          resolve({ status: response.statusCode!, location, cookies, text: Buffer.concat(chunks).toString() });
        });
        sent.on('error', reject);
        sent.end(body?.toString());
      },
    );
    for (const line of answer.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === '' || /Max-Age=0/i.test(line)) jar.delete(name!);
      else jar.set(name!, value!);
    }
    return answer;
  }

  /** Follows where it leads, filling in the provider's forms, until somebody there says `stop`. */
  async signIn(name: string, from = `${backend.url}/?view=table`, stop = (_: URL) => false) {
    let url = new URL(from);
    let response = await this.ask(url.href);
    for (let step = 0; step < 20; step++) {
      const { location, text: html } = response;
      if (location !== undefined) {
        url = new URL(location, url);
        if (stop(url)) return { url, response };
        response = await this.ask(url.href);
        continue;
      }
      if (url.host === new URL(backend.url).host) return { url, response };
      const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1];
      if (action === undefined) throw new Error(`no form at ${url.href}: ${html}`);
      const prompt = /name="prompt" value="([^"]+)"/.exec(html)?.[1] ?? '';
      url = new URL(action, url);
      const body = new URLSearchParams(prompt === 'login' ? { prompt, login: name, password: 'any' } : { prompt });
      response = await this.ask(url.href, { body });
    }
    throw new Error('it leads nowhere');
  }

  async whoAmI(): Promise<unknown> {
    const { status, text } = await this.ask(`${backend.url}/session.json`, { mode: 'cors' });
    return status === 200 ? JSON.parse(text) : status;
  }
}

const isCallback = (url: URL) => url.pathname === '/login/callback';

it('signs people in by the code flow with PKCE, state and nonce', async () => {
  const jane = new Person();
  let asked: URL | undefined;
  const { url, response } = await jane.signIn('jane', undefined, (at) => {
    if (at.pathname === '/auth') asked ??= at;
    return false;
  });
  expect([url.href, response.status]).toEqual([`${backend.url}/?view=table`, 200]);
  expect(Object.fromEntries(asked!.searchParams)).toMatchObject({
    response_type: 'code',
    code_challenge_method: 'S256',
    state: expect.stringMatching(/.{20}/),
    nonce: expect.stringMatching(/.{20}/),
  });
  expect(await jane.whoAmI()).toMatchObject({ mode: 'oidc', user: 'oidc:jane@example.com', canSignOut: true });
  expect(await new Person().whoAmI()).toBe(401);
});

it('takes an answer of the provider once, from the browser that asked', async () => {
  const jane = new Person();
  const { url } = await jane.signIn('jane', undefined, isCallback);
  // Somebody is made to follow the link of a sign-in that is not theirs.
  const victim = new Person();
  expect((await victim.ask(url.href)).status).toBe(400);
  // Also when they are about to sign in themselves.
  await victim.ask(`${backend.url}/login`);
  expect((await victim.ask(url.href)).status).toBe(401);
  expect(await victim.whoAmI()).toBe(401);
  expect((await jane.ask(url.href)).status).toBe(303);
  expect((await jane.ask(url.href)).status).toBe(400);
  expect(await jane.whoAmI()).toMatchObject({ user: 'oidc:jane@example.com' });
});

it.each(['state', 'code', 'iss'])('refuses an answer whose %s was changed', async (name) => {
  const jane = new Person();
  const { url } = await jane.signIn('jane', undefined, isCallback);
  url.searchParams.set(name, 'https://evil.example');
  const response = await jane.ask(url.href);
  expect([response.status, await jane.whoAmI()]).toEqual([401, 401]);
  expect(response.text).toContain('The sign-in was not completed.');
});

it.each(['unverified', 'system'])('knows nobody by an address that was not verified, or by none: %s', async (name) => {
  const person = new Person();
  const { response } = await person.signIn(name);
  expect([response.status, await person.whoAmI()]).toEqual([403, 401]);
});

it('does not sign in again at once who has signed out', async () => {
  const jane = new Person();
  await jane.signIn('jane');
  expect((await jane.ask(`${backend.url}/logout`, { body: '' })).status).toBe(204);
  const page = await jane.ask(`${backend.url}/login?out`);
  expect([page.status, page.text]).toEqual([200, expect.stringContaining('Signed out')]);
  expect(await jane.whoAmI()).toBe(401);
});

it('ends the sessions of who signed out at the provider, and nobody else’s', async () => {
  const [jane, joe] = [new Person(), new Person()];
  await jane.signIn('jane');
  await joe.signIn('joe');
  const provider = `http://127.0.0.1:${(issuer.address() as AddressInfo).port}`;
  const page = await jane.ask(`${provider}/session/end`);
  const action = /action="([^"]+)"/.exec(page.text)![1]!;
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)![1]!;
  await jane.ask(new URL(action, provider).href, { body: new URLSearchParams({ xsrf, logout: 'yes' }) });
  await vi.waitFor(async () => expect(await jane.whoAmI()).toBe(401), { timeout: 10_000 });
  expect(await joe.whoAmI()).toMatchObject({ user: 'oidc:joe@example.com' });
  // Who signs in again is in.
  await jane.signIn('jane');
  expect(await jane.whoAmI()).toMatchObject({ user: 'oidc:jane@example.com' });
});

it.each([
  ['an ID token', { nonce: 'n' }],
  ['a token for somebody else', { aud: 'another' }],
  ['of another issuer', { iss: 'https://evil.example' }],
  ['an old one', { iat: Math.floor(Date.now() / 1_000) - 3_600 }],
  ['one without the event', { events: {} }],
  ['one that names nobody', { sub: undefined }],
])('ends nothing by %s', async (_, wrong) => {
  const { endedMark } = await logoutTokens();
  const good = {
    ...{ iss: 'https://sso.example', aud: 'waggle', iat: Math.floor(Date.now() / 1_000), jti: 'x', sub: 'jane' },
    events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
  };
  expect(await endedMark(good)).toMatch(/^sub:/);
  expect(await endedMark({ ...good, sid: 's' })).toMatch(/^sid:/);
  await expect(endedMark({ ...good, ...wrong })).rejects.toThrow();
  await expect(endedMark(good, 'not its key')).rejects.toThrow();
});

it('answers a logout token that is none', async () => {
  const send = (body: URLSearchParams) => new Person().ask(`${backend.url}/login/backchannel`, { body, mode: 'cors' });
  expect((await send(new URLSearchParams({ logout_token: 'a.b.c' }))).status).toBe(400);
  expect((await send(new URLSearchParams())).status).toBe(400);
});

/** Checks tokens signed here, as a provider would. */
async function logoutTokens() {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const stranger = await generateKeyPair('ES256');
  const keys = createServer(async (_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256' }] }));
  });
  await new Promise<void>((resolve) => keys.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    keys.close();
    keys.closeAllConnections();
  });
  const jwksUri = `http://127.0.0.1:${(keys.address() as AddressInfo).port}/keys`;
  const tokens = new LogoutTokens({ issuer: 'https://sso.example', jwksUri, clientId: 'waggle' });
  return {
    async endedMark(claims: JWTPayload, by: 'its key' | 'not its key' = 'its key') {
      const key = by === 'its key' ? privateKey : stranger.privateKey;
      return tokens.endedMark(await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(key));
    },
  };
}

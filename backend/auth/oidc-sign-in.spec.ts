import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, expect, it, onTestFinished, vi } from 'vitest';
import { OidcSite } from '../testing/oidc-site.ts';
import { LogoutTokens } from './logout-token.ts';

let site: OidcSite;
let page: string;
beforeAll(async () => {
  site = await OidcSite.start();
  page = site.backend.url;
});
afterAll(() => site.close());

const isCallback = (url: URL) => url.pathname === '/login/callback';

it('signs people in by the code flow with PKCE, state and nonce', async () => {
  const jane = site.person();
  let asked: URL | undefined;
  const { url, response } = await jane.signIn('jane', undefined, (at) => {
    if (at.pathname === '/auth') asked ??= at;
    return false;
  });
  expect([url.href, response.status]).toEqual([`${page}/?view=table`, 200]);
  expect(Object.fromEntries(asked!.searchParams)).toMatchObject({
    response_type: 'code',
    code_challenge_method: 'S256',
    state: expect.stringMatching(/.{20}/),
    nonce: expect.stringMatching(/.{20}/),
  });
  expect(await jane.whoAmI()).toMatchObject({ mode: 'oidc', user: 'oidc:jane@example.com', canSignOut: true });
  expect(await site.person().whoAmI()).toBe(401);
});

it('takes an answer of the provider once, from the browser that asked', async () => {
  const jane = site.person();
  const { url } = await jane.signIn('jane', undefined, isCallback);
  // Somebody is made to follow the link of a sign-in that is not theirs.
  const victim = site.person();
  expect((await victim.ask(url.href)).status).toBe(400);
  // Also when they are about to sign in themselves.
  await victim.ask(`${page}/login`);
  expect((await victim.ask(url.href)).status).toBe(401);
  expect(await victim.whoAmI()).toBe(401);
  expect((await jane.ask(url.href)).status).toBe(303);
  expect((await jane.ask(url.href)).status).toBe(400);
  expect(await jane.whoAmI()).toMatchObject({ user: 'oidc:jane@example.com' });
});

it.each(['state', 'code', 'iss'])('refuses an answer whose %s was changed', async (name) => {
  const jane = site.person();
  const { url } = await jane.signIn('jane', undefined, isCallback);
  url.searchParams.set(name, 'https://evil.example');
  const response = await jane.ask(url.href);
  expect([response.status, await jane.whoAmI()]).toEqual([401, 401]);
  expect(response.text).toContain('The sign-in was not completed.');
});

it.each(['unverified', 'system'])('knows nobody by an address that was not verified, or by none: %s', async (name) => {
  const person = site.person();
  const { response } = await person.signIn(name);
  expect([response.status, await person.whoAmI()]).toEqual([403, 401]);
});

it('does not sign in again at once who has signed out', async () => {
  const jane = site.person();
  await jane.signIn('jane');
  expect((await jane.ask(`${page}/logout`, { body: '' })).status).toBe(204);
  expect((await jane.ask(`${page}/login?out`)).location).toMatch(/\/session\/end\?/);
  const again = await jane.ask(`${page}/login?out`);
  expect([again.status, again.text]).toEqual([200, expect.stringContaining('Signed out')]);
  expect(await jane.whoAmI()).toBe(401);
});

it('ends the sessions of who signed out at the provider, and nobody else’s', async () => {
  const [jane, joe] = [site.person(), site.person()];
  await jane.signIn('jane');
  await joe.signIn('joe');
  const page = await jane.ask(`${site.issuer}/session/end`);
  const action = /action="([^"]+)"/.exec(page.text)![1]!;
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(page.text)![1]!;
  await jane.ask(new URL(action, site.issuer).href, { body: new URLSearchParams({ xsrf, logout: 'yes' }) });
  await vi.waitFor(async () => expect(await jane.whoAmI()).toBe(401), { timeout: 30_000 });
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
  const send = (body: URLSearchParams) => site.person().ask(`${page}/login/backchannel`, { body, mode: 'cors' });
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

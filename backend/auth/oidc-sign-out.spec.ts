import { expect, it, onTestFinished } from 'vitest';
import { OidcSite, type OidcSiteOptions, type Person } from '../testing/oidc-site.ts';

async function start(options: OidcSiteOptions = {}): Promise<OidcSite> {
  const site = await OidcSite.start(options);
  onTestFinished(() => site.close());
  return site;
}

/** As the page does it, up to where it leads then. */
async function signOut(jane: Person, page: string, headers: Record<string, string> = {}) {
  expect((await jane.ask(`${page}/logout`, { body: '' })).status).toBe(204);
  return await jane.ask(`${page}/login?out`, { headers });
}

/** Says yes to whatever the provider asks, and follows it back. */
async function agree(jane: Person, address: string) {
  const asked = await jane.ask(address);
  const action = /action="([^"]+)"/.exec(asked.text)![1]!;
  const xsrf = /name="xsrf" value="([^"]+)"/.exec(asked.text)![1]!;
  const body = new URLSearchParams({ xsrf, logout: 'yes' });
  const { location } = await jane.ask(new URL(action, address).href, { body });
  return { location: location!, page: await jane.ask(location!) };
}

it('who signs out is signed out at the provider too, and comes back', async () => {
  const site = await start();
  const { url } = site;
  const jane = site.person();
  await jane.signIn('jane');
  const { status, location } = await signOut(jane, url);
  const there = new URL(location!);
  expect([status, there.origin, there.pathname]).toEqual([303, site.issuer, '/session/end']);
  expect(Object.fromEntries(there.searchParams)).toEqual({
    client_id: 'waggle',
    post_logout_redirect_uri: `${url}/login?out`,
    id_token_hint: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
  });
  const back = await agree(jane, there.href);
  expect([back.location, back.page.status]).toEqual([`${url}/login?out`, 200]);
  expect(back.page.text).toContain('You have signed out of Waggle.');
  expect(back.page.text).not.toContain('single sign-on');
  // The provider does not know them any more: the next one at this browser is asked who they are.
  const atProvider = await jane.signIn('joe');
  expect(atProvider.response.status).toBe(200);
  expect(await jane.whoAmI()).toMatchObject({ user: 'oidc:joe@example.com' });
});

it('also below a path, where alone the ID token is sent', async () => {
  const site = await start({ prefix: '/tools/waggle' });
  const jane = site.person();
  const { url } = await jane.signIn('jane', `${site.url}/login`, (at) => at.pathname.endsWith('/callback'));
  const { cookies } = await jane.ask(url.href);
  expect(cookies.find((line) => line.startsWith('waggle-id-token='))).toMatch(
    /; Path=\/tools\/waggle\/login; HttpOnly; SameSite=Lax$/,
  );
  const { location } = await signOut(jane, site.url);
  const back = `${site.url}/login?out`;
  expect(new URL(location!).searchParams.get('post_logout_redirect_uri')).toBe(back);
  expect((await agree(jane, location!)).location).toBe(back);
});

it('in a frame, where no provider lets itself be shown, there is a link', async () => {
  const site = await start();
  const jane = site.person();
  await jane.signIn('jane');
  const { status, text } = await signOut(jane, site.url, { 'sec-fetch-dest': 'iframe' });
  const href = /<a href="([^"]+)" target="_blank" rel="noopener noreferrer">/.exec(text)?.[1]?.replaceAll('&amp;', '&');
  expect(status).toBe(200);
  expect(new URL(href!).pathname).toBe('/session/end');
  expect((await agree(jane, href!)).page.text).toContain('You have signed out of Waggle.');
});

it('a link of somebody else signs nobody out, here or there', async () => {
  const site = await start();
  const jane = site.person();
  await jane.signIn('jane');
  const { status, location } = await jane.ask(`${site.url}/login?out`, {
    headers: { 'sec-fetch-site': 'cross-site' },
  });
  expect([status, location]).toEqual([303, '/']);
  expect(await jane.whoAmI()).toMatchObject({ user: 'oidc:jane@example.com' });
  // It is still there when it is wanted.
  expect((await signOut(jane, site.url)).location).toMatch(/\/session\/end\?/);
  expect((await site.person().ask(`${site.url}/login?out`)).status).toBe(200);
});

it.each<[string, OidcSiteOptions]>([
  ['where the provider has no page for it', { signOutPage: false }],
  ['where it is not wanted', { signOutThere: false }],
])('%s, one signs out of Waggle alone', async (_, options) => {
  const site = await start(options);
  const jane = site.person();
  await jane.signIn('jane');
  const { status, text } = await signOut(jane, site.url);
  expect([status, text]).toEqual([200, expect.stringContaining('You have signed out of Waggle.')]);
  expect(text).not.toContain('single sign-on');
  expect(await jane.whoAmI()).toBe(401);
});

it('an ID token that no cookie can hold is not needed for it: the provider asks then', async () => {
  const site = await start({ longGroups: 2_000 });
  const jane = site.person();
  await jane.signIn('jane');
  expect(await jane.whoAmI()).toMatchObject({ user: 'oidc:jane@example.com' });
  const { location } = await signOut(jane, site.url);
  expect([...new URL(location!).searchParams.keys()].sort()).toEqual(['client_id', 'post_logout_redirect_uri']);
  expect((await agree(jane, location!)).location).toBe(`${site.url}/login?out`);
});

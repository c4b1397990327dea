import { type Response, Router, urlencoded } from 'express';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type Configuration,
  calculatePKCECodeChallenge,
  discovery,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
} from 'openid-client';
import type { Logger } from '#runtime/log.ts';
import { forwardedOf, pageOrigin } from './forwarded.ts';
import { TooManyAttempts } from './login-limit.ts';
import { sendLoginPage } from './login-page.ts';
import { LogoutTokens, sessionMarks } from './logout-token.ts';
import { ProviderSignOut } from './provider-sign-out.ts';
import { outsideCaller } from './sessions.ts';
import { type SignIn, type SignInParts, safeNext, tokenOrSession } from './sign-in.ts';

/** How long somebody may take at the provider. */
const FLOW_MS = 10 * 60_000;
const MOST_CLAIM_GROUPS = 200;
/** Bytes of a logout token. */
const MOST_LOGOUT = 16_384;

export interface OidcOptions {
  readonly issuer: URL;
  readonly clientId: string;
  /** Undefined for a public client. */
  readonly clientSecret?: string;
  readonly scopes: readonly string[];
  /** Claims of the ID token that name person and groups as the cluster's API server does, and what it puts before them. */
  readonly userClaim: string;
  readonly groupsClaim: string;
  readonly userPrefix: string;
  readonly groupsPrefix: string;
  /** Whether who signs out here is led on to sign out at the provider, where it has a page for that. Default true. */
  readonly signOutThere?: boolean;
}

/** What has to be known when the person comes back from the provider. */
interface Flow {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirect: string;
  readonly next: string;
}

/** People sign in at an OpenID provider: code flow with PKCE, state and nonce. */
export function oidcSignIn(parts: SignInParts, options: OidcOptions, log: Logger): SignIn {
  const { sessions, limit, audit } = parts;
  let found: Promise<Configuration> | undefined;
  const configuration = () => {
    found ??= discover(options).catch((error) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  const refuse = (response: Response, status: number, failure: string, next: string, error?: unknown) => {
    const from = forwardedOf(response).client;
    const why = error instanceof Error ? `${failure} ${error.message.slice(0, 300)}` : failure;
    audit.write({ event: 'refused', user: '', from, by: 'oidc', why });
    log.warn({ err: error }, 'a sign-in failed');
    sendLoginPage(response, status, { title: 'Sign in', text: '', failure, asksToken: false, next });
  };
  const signOut = new ProviderSignOut(sessions, options.signOutThere === false ? undefined : configuration, log);
  const routes = Router();
  routes.get('/login', async (request, response) => {
    const next = safeNext(request.query.next, response);
    if (request.query.out !== undefined) {
      // Somebody's link: nobody is told that they are out who is not.
      if (sessions.of(request, response) !== undefined) return response.redirect(303, forwardedOf(response).base);
      const there = await signOut.there(request, response);
      // Providers refuse to be framed.
      const framed = /^i?frame$/.test(request.get('sec-fetch-dest') ?? '');
      if (there !== undefined && !framed) {
        response.set('cache-control', 'no-store').redirect(303, there.href);
        return;
      }
      const text = 'You have signed out of Waggle.';
      const link = there && { text: 'Sign out of single sign-on too', href: there.href };
      sendLoginPage(response, 200, { title: 'Signed out', text, asksToken: false, next, link });
      return;
    }
    const forwarded = forwardedOf(response);
    const { base, client } = forwarded;
    const wait = limit.waitSeconds(client);
    if (wait > 0) {
      response.set('retry-after', String(wait));
      return refuse(response, 429, `Too many failed attempts: try again in ${wait} seconds.`, next);
    }
    const redirect = `${pageOrigin(forwarded)}${base}login/callback`;
    const flow: Flow = {
      state: randomState(),
      nonce: randomNonce(),
      verifier: randomPKCECodeVerifier(),
      redirect,
      next,
    };
    try {
      const to = buildAuthorizationUrl(await configuration(), {
        redirect_uri: redirect,
        scope: options.scopes.join(' '),
        state: flow.state,
        nonce: flow.nonce,
        code_challenge: await calculatePKCECodeChallenge(flow.verifier),
        code_challenge_method: 'S256',
      });
      sessions.keep(response, 'sign-in', flow, Date.now() + FLOW_MS);
      response.set('cache-control', 'no-store').redirect(303, to.href);
    } catch (error) {
      refuse(response, 502, 'The OpenID provider does not answer.', next, error);
    }
  });
  routes.get('/login/callback', async (request, response) => {
    const from = forwardedOf(response).client;
    const flow = sessions.kept(request, response, 'sign-in') as Flow | undefined;
    // Once and never again, whatever comes of it.
    sessions.forget(response, 'sign-in');
    const next = safeNext(flow?.next, response);
    const wait = limit.waitSeconds(from);
    if (wait > 0) return refuse(response, 429, `Too many failed attempts: try again in ${wait} seconds.`, next);
    // Anybody's page can lead people here: that is no attempt of theirs.
    if (flow === undefined) {
      return refuse(response, 400, 'This sign-in was not begun here, or took too long.', next);
    }
    try {
      const url = new URL(flow.redirect);
      url.search = new URL(request.originalUrl, url).search;
      const tokens = await authorizationCodeGrant(await configuration(), url, {
        pkceCodeVerifier: flow.verifier,
        expectedState: flow.state,
        expectedNonce: flow.nonce,
        idTokenExpected: true,
      });
      const claims = (tokens.claims() ?? {}) as Record<string, unknown>;
      const caller = callerOf(claims, options);
      if (caller === undefined) {
        limit.failed(from);
        return refuse(response, 403, `The provider told no "${options.userClaim}" that can be used.`, next);
      }
      const { user, groups } = caller;
      const marks = sessionMarks((await configuration()).serverMetadata().issuer, claims);
      const session = sessions.begin(response, { kind: 'identity', user, groups, marks });
      if (session === undefined) return refuse(response, 413, 'You are in too many groups for a session.', next);
      signOut.prepare(response, tokens.id_token, session);
      audit.write({ event: 'signed-in', user, from, by: 'oidc', session: session.id });
      response.redirect(303, next);
    } catch (error) {
      limit.failed(from);
      refuse(response, 401, 'The sign-in was not completed.', next, error);
    }
  });
  let tokens: LogoutTokens | undefined;
  const endedMark = async (token: string) => {
    const { issuer, jwks_uri: jwksUri } = (await configuration()).serverMetadata();
    if (jwksUri === undefined) throw new Error('the provider names no keys');
    tokens ??= new LogoutTokens({ issuer, jwksUri, clientId: options.clientId });
    return await tokens.endedMark(token);
  };
  // The provider itself calls here when somebody signed out there, or may not sign in any more.
  routes.post('/login/backchannel', urlencoded({ extended: false, limit: MOST_LOGOUT }), async (request, response) => {
    const from = forwardedOf(response).client;
    const { logout_token: token } = (request.body ?? {}) as { logout_token?: unknown };
    response.set('cache-control', 'no-store');
    let why = '';
    try {
      const mark = await limit.attempt(from, async () => {
        try {
          return await endedMark(typeof token === 'string' ? token : '');
        } catch (error) {
          why = error instanceof Error ? error.message.slice(0, 300) : '';
          return undefined;
        }
      });
      if (mark === undefined) {
        audit.write({ event: 'refused', user: '', from, by: 'oidc', why: `a logout token: ${why}` });
        response.status(400).json({ error: 'invalid_request' });
        return;
      }
      sessions.endMarked(mark);
      audit.write({ event: 'signed-out', user: '', from, by: 'oidc', session: mark });
      await parts.tellReplicas?.();
      response.status(200).end();
    } catch (error) {
      if (!(error instanceof TooManyAttempts)) throw error;
      response.status(429).set('retry-after', String(error.waitSeconds)).end();
    }
  });
  return { mode: 'oidc', sessions, routes, ...tokenOrSession(parts) };
}

async function discover({ issuer, clientId, clientSecret }: OidcOptions): Promise<Configuration> {
  // Without TLS only to this machine: for trying it out.
  const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(issuer.hostname);
  const execute = issuer.protocol === 'http:' && loopback ? [allowInsecureRequests] : [];
  return await discovery(issuer, clientId, clientSecret, undefined, { execute, timeout: 10 });
}

/** Whom the claims name, as the API server would say it. An address that was not verified names nobody. */
function callerOf(claims: Record<string, unknown>, options: OidcOptions) {
  const { userClaim, groupsClaim, userPrefix, groupsPrefix } = options;
  const user = claims[userClaim];
  if (typeof user !== 'string' || user === '') return undefined;
  if (userClaim === 'email' && claims.email_verified !== undefined && claims.email_verified !== true) return undefined;
  const told = claims[groupsClaim];
  const groups = (Array.isArray(told) ? told : [told]).filter((group) => typeof group === 'string');
  const caller = outsideCaller(
    userPrefix + user,
    groups.slice(0, MOST_CLAIM_GROUPS).map((group) => groupsPrefix + group),
  );
  return caller && { user: caller.user, groups: caller.groups.filter((group) => !group.startsWith('system:')) };
}

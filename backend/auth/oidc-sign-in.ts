import { type Response, Router } from 'express';
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
import { forwardedOf } from './forwarded.ts';
import { sendLoginPage } from './login-page.ts';
import { outsideCaller } from './sessions.ts';
import { type SignIn, type SignInParts, safeNext, tokenOrSession } from './sign-in.ts';

/** How long somebody may take at the provider. */
const FLOW_MS = 10 * 60_000;
const MOST_CLAIM_GROUPS = 200;

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
  const routes = Router();
  routes.get('/login', async (request, response) => {
    const next = safeNext(request.query.next, response);
    if (request.query.out !== undefined) {
      const text = 'You have signed out of Waggle.';
      sendLoginPage(response, 200, { title: 'Signed out', text, asksToken: false, next });
      return;
    }
    const { secure, host, base, client } = forwardedOf(response);
    const wait = limit.waitSeconds(client);
    if (wait > 0) {
      response.set('retry-after', String(wait));
      return refuse(response, 429, `Too many failed attempts: try again in ${wait} seconds.`, next);
    }
    const redirect = `${secure ? 'https' : 'http'}://${host}${base}login/callback`;
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
    if (flow === undefined) {
      limit.failed(from);
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
      const session = sessions.begin(response, { kind: 'identity', user, groups });
      if (session === undefined) return refuse(response, 413, 'You are in too many groups for a session.', next);
      audit.write({ event: 'signed-in', user, from, by: 'oidc', session: session.id });
      response.redirect(303, next);
    } catch (error) {
      limit.failed(from);
      refuse(response, 401, 'The sign-in was not completed.', next, error);
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

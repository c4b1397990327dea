import { Router, urlencoded } from 'express';
import type { Caller } from '#runtime/grpc/caller.ts';
import { forwardedOf } from './forwarded.ts';
import { TooManyAttempts } from './login-limit.ts';
import { sendLoginPage } from './login-page.ts';
import { type SignIn, type SignInParts, safeNext, tokenOrSession } from './sign-in.ts';
import { MOST_TOKEN_CHARACTERS, type TokenReviews } from './token-reviews.ts';

const PAGE = {
  title: 'Sign in',
  text: 'Waggle shows you the namespaces whose pods you may get in the cluster.',
  asksToken: true,
} as const;

/** People sign in with a token of the cluster: in a form, or as tools do in every request. */
export function tokenSignIn(parts: SignInParts & { readonly reviews: TokenReviews }): SignIn {
  const { sessions, reviews, limit, audit } = parts;
  const routes = Router();
  routes.get('/login', (request, response) => {
    sendLoginPage(response, 200, { ...PAGE, next: safeNext(request.query.next, response) });
  });
  const body = urlencoded({ extended: false, limit: MOST_TOKEN_CHARACTERS * 2, parameterLimit: 4 });
  routes.post('/login', body, async (request, response) => {
    const { token: given, next: wanted } = (request.body ?? {}) as { token?: unknown; next?: unknown };
    const next = safeNext(wanted, response);
    const from = forwardedOf(response).client;
    const refuse = (status: number, failure: string) => {
      audit.write({ event: 'refused', user: '', from, by: 'token', why: failure });
      sendLoginPage(response, status, { ...PAGE, next, failure });
    };
    const token = typeof given === 'string' ? given.trim() : '';
    let caller: Caller | undefined;
    try {
      caller = await limit.attempt(from, () => reviews.of(token));
    } catch (error) {
      if (!(error instanceof TooManyAttempts)) throw error;
      response.set('retry-after', String(error.waitSeconds));
      return refuse(429, `Too many failed attempts: try again in ${error.waitSeconds} seconds.`);
    }
    if (caller === undefined) return refuse(401, 'The cluster does not accept this token.');
    const session = sessions.begin(response, { kind: 'token', token });
    if (session === undefined) return refuse(413, 'This token is too long for a session: use a shorter one.');
    audit.write({ event: 'signed-in', user: caller.user, from, by: 'token', session: session.id });
    response.redirect(303, next);
  });
  return { mode: 'token', sessions, routes, ...tokenOrSession(parts) };
}

import { type RequestHandler, Router, text } from 'express';
import type { Caller } from '#runtime/grpc/caller.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import type { AuditLog } from './audit-log.ts';
import { forwardedOf } from './forwarded.ts';
import { LOGIN_STYLE } from './login-page.ts';
import { MOST_MESSAGE, REPLICA_PATH, type Replicas } from './replicas.ts';
import { type SignIn, whoAmI } from './sign-in.ts';

/**
 * Everything but health passes here: who a request is from is found out, and who has not signed in is led to where they can.
 * Calls of the API go on without a caller; they are refused as calls are, with a status.
 */
export function entrance(signIn: SignIn, audit: AuditLog, replicas?: Replicas): RequestHandler {
  const { mode, sessions, routes } = signIn;
  const router = Router();
  if (routes !== undefined) {
    router.get('/login.css', (_request, response) => {
      response.set('cache-control', 'no-cache').type('css').send(LOGIN_STYLE);
    });
    router.use(routes);
  }
  if (replicas !== undefined) {
    router.post(REPLICA_PATH, text({ type: () => true, limit: MOST_MESSAGE }), (request, response) => {
      const answer = typeof request.body === 'string' ? replicas.answer(request.body) : undefined;
      response
        .status(answer === undefined ? 403 : 200)
        .set('cache-control', 'no-store')
        .type('text/plain');
      response.send(answer ?? 'Only replicas with the same session keys are answered here.\n');
    });
  }
  router.post('/logout', async (request, response) => {
    const session = sessions.of(request, response);
    // Who it was is for the log, and not always to be found out.
    const caller = session && (await signIn.caller(request, response).catch(() => undefined));
    sessions.end(response, session);
    if (session !== undefined) {
      const from = forwardedOf(response).client;
      audit.write({ event: 'signed-out', user: caller?.user ?? '', from, by: mode, session: session.id });
      await replicas?.tell();
    }
    response.status(204).end();
  });
  router.use(async (request, response, next) => {
    let caller: Caller | undefined;
    try {
      caller = await signIn.caller(request, response);
    } catch (error) {
      const limited = error instanceof StatusError && error.code === Code.RESOURCE_EXHAUSTED;
      response
        .status(limited ? 429 : 503)
        .type('text/plain')
        .send(limited ? `${error.message}\n` : 'Who you are cannot be found out: the API server does not answer.\n');
      return;
    }
    response.locals.caller = caller;
    if (caller !== undefined || request.path.startsWith('/api/')) return next();
    const { base, trusted } = forwardedOf(response);
    const fetchMode = request.get('sec-fetch-mode');
    const navigates =
      fetchMode === undefined ? /text\/html/.test(request.get('accept') ?? '') : fetchMode === 'navigate';
    if (routes !== undefined && request.method === 'GET' && navigates) {
      response
        .set('cache-control', 'no-store')
        .redirect(303, `${base}login?next=${encodeURIComponent(base + request.url.slice(1))}`);
      return;
    }
    const why =
      mode === 'proxy' && trusted
        ? 'The proxy in front does not say who you are.\n'
        : mode === 'proxy'
          ? 'Come through the proxy that signs people in.\n'
          : 'Sign in first.\n';
    response.status(401).set('www-authenticate', 'Bearer').type('text/plain').send(why);
  });
  router.get('/session.json', (request, response) => {
    const session = sessions.of(request, response);
    response.set('cache-control', 'no-store').json(whoAmI(mode, response.locals.caller, session));
  });
  return router;
}

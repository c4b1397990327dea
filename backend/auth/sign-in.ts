import type { Request, Response, Router } from 'express';
import type { Caller } from '#runtime/grpc/caller.ts';
import { Code, StatusError } from '#runtime/grpc/service.ts';
import type { AuditLog } from './audit-log.ts';
import { forwardedOf } from './forwarded.ts';
import { type LoginLimit, TooManyAttempts } from './login-limit.ts';
import { outsideCaller, type Session, type Sessions } from './sessions.ts';
import type { TokenReviews } from './token-reviews.ts';

/** How people say who they are; `none`: they do not. */
export type AuthMode = 'none' | 'token' | 'oidc' | 'proxy';

/** What a page may know of the person before it. */
export interface WhoAmI {
  readonly mode: AuthMode;
  readonly user: string;
  /** Whether there is a session to end. */
  readonly canSignOut: boolean;
  /** Milliseconds since 1970; 0 where nothing ends. */
  readonly endsMs: number;
}

export interface SignIn {
  readonly mode: Exclude<AuthMode, 'none'>;
  readonly sessions: Sessions;
  /** Where people sign in, below the base path; undefined where a proxy does it. */
  readonly routes?: Router;
  /** Who a request is from. Throws a StatusError when that cannot be found out, or not now. */
  caller(request: Request, response: Response): Promise<Caller | undefined>;
  /** Who a tool is, by the token it shows. */
  bearer(authorization: string | undefined, from: string): Promise<Caller | undefined>;
}

export interface SignInParts {
  readonly sessions: Sessions;
  /** Undefined where no API server is known. */
  readonly reviews: TokenReviews | undefined;
  readonly limit: LoginLimit;
  readonly audit: AuditLog;
  /** Resolves when the other replicas know what has ended. */
  readonly tellReplicas?: () => Promise<void>;
}

/** The token of an Authorization header. */
function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]+)$/i.exec(authorization ?? '')?.[1];
}

/** Tools show their token with every request: it is reviewed, and attempts that fail are counted. */
export async function bearerCaller(
  { reviews, limit, audit }: SignInParts,
  authorization: string | undefined,
  from: string,
): Promise<Caller | undefined> {
  const token = bearerToken(authorization);
  if (token === undefined || reviews === undefined) return undefined;
  let caller: Caller | undefined;
  try {
    // One that was good before is asked about whatever others try from there.
    caller = reviews.hasAccepted(token) ? await reviews.of(token) : await limit.attempt(from, () => reviews.of(token));
  } catch (error) {
    if (error instanceof TooManyAttempts) throw new StatusError(Code.RESOURCE_EXHAUSTED, error.message);
    throw error;
  }
  if (caller === undefined) {
    audit.write({ event: 'refused', user: '', from, by: 'bearer', why: 'the token is not accepted' });
  } else audit.seen({ user: caller.user, from, by: 'bearer' });
  return caller;
}

/** Whom requests are from where people get a session: a token that is shown goes before the cookie. */
export function tokenOrSession(parts: SignInParts): Pick<SignIn, 'caller' | 'bearer'> {
  return {
    async caller(request, response) {
      const { authorization } = request.headers;
      if (authorization === undefined) return await sessionCaller(parts, request, response);
      return await bearerCaller(parts, authorization, forwardedOf(response).client);
    },
    bearer: (authorization, from) => bearerCaller(parts, authorization, from),
  };
}

/** Who a session's cookie stands for, if it still does. */
async function sessionCaller(
  { sessions, reviews }: SignInParts,
  request: Request,
  response: Response,
): Promise<Caller | undefined> {
  const session = sessions.of(request, response);
  if (session === undefined) return undefined;
  const lasts = () => sessions.lasts(session);
  if (session.proof.kind === 'identity') {
    const caller = outsideCaller(session.proof.user, session.proof.groups);
    return caller && { ...caller, current: async () => (lasts() ? caller : undefined) };
  }
  const caller = await reviews?.of(session.proof.token);
  return caller && { ...caller, current: async () => (lasts() ? await caller.current?.() : undefined) };
}

export function whoAmI(mode: AuthMode, caller: Caller | undefined, session: Session | undefined): WhoAmI {
  return { mode, user: caller?.user ?? '', canSignOut: session !== undefined, endsMs: session?.endsMs ?? 0 };
}

/** A path below the base to go to after signing in; the base itself for anything that could lead elsewhere. */
export function safeNext(next: unknown, response: Response): string {
  const { base } = forwardedOf(response);
  if (typeof next !== 'string' || next.length > 4_096) return base;
  if (!next.startsWith(base) || next.startsWith('//') || !/^[\x21-\x7e]*$/.test(next) || next.includes('\\'))
    return base;
  // Read as a browser would: `/waggle/../..` and whatever else a URL can hide.
  const url = new URL(next, 'http://waggle.invalid');
  const path = url.pathname + url.search;
  return url.host === 'waggle.invalid' && path.startsWith(base) && !path.startsWith('//') ? path : base;
}

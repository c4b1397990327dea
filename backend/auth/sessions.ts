import { randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Caller } from '#runtime/grpc/caller.ts';
import type { EndedSessions } from './ended-sessions.ts';
import { type Forwarded, forwardedOf } from './forwarded.ts';
import type { Seal } from './sealed.ts';

/** What a session stands on: a token that is reviewed again and again, or what an OpenID provider said once. */
export type Proof =
  | { readonly kind: 'token'; readonly token: string }
  | {
      readonly kind: 'identity';
      readonly user: string;
      readonly groups: readonly string[];
      /** By what the provider can end it: see logout-token.ts. */
      readonly marks: readonly string[];
    };

export interface Session {
  /** Tells it apart in the audit log. */
  readonly id: string;
  readonly proof: Proof;
  /** Milliseconds since 1970, as the end. */
  readonly begunMs: number;
  readonly endsMs: number;
}

/** How the cookie goes with requests of frames on other sites: `none` needs HTTPS, and keeps a jar of its own per site. */
export type SameSite = 'lax' | 'none';

/** Cookies that only some paths below the base need; the others go to all. */
const PATHS: Readonly<Record<string, string>> = { 'id-token': 'login' };

/** Browsers keep no larger one, its name and attributes included. */
const MOST_COOKIE = 4_096 - 256;

export interface SessionOptions {
  readonly seal: Seal;
  /** Those that ended before their time, here or at another replica. */
  readonly ended: EndedSessions;
  readonly lengthMs: number;
  readonly sameSite: SameSite;
}

/**
 * Sessions that live in the browser's cookie, sealed: any replica with the keys knows them, none has to remember them. What is
 * in a cookie was put there by us at the end of a sign-in, so there is no session to be foisted on somebody before it.
 */
export class Sessions {
  readonly #options: SessionOptions;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** Puts a new session into the answer's cookie; false when the proof is too long for one. */
  begin(response: Response, proof: Proof): Session | undefined {
    const begunMs = Date.now();
    const session = {
      id: randomBytes(9).toString('base64url'),
      proof,
      begunMs,
      endsMs: begunMs + this.#options.lengthMs,
    };
    return this.keep(response, 'session', session, session.endsMs) ? session : undefined;
  }

  of(request: Request, response: Response): Session | undefined {
    const session = this.kept(request, response, 'session') as Session | undefined;
    return session !== undefined && this.lasts(session) ? session : undefined;
  }

  lasts(session: Session): boolean {
    const { id, begunMs, endsMs, proof } = session;
    const marks = proof.kind === 'identity' ? proof.marks : [];
    return Date.now() < endsMs && !this.#options.ended.has({ id, begunMs, marks });
  }

  end(response: Response, session: Session | undefined): void {
    this.forget(response, 'session');
    if (session !== undefined) this.#options.ended.add(session);
  }

  /** Ends all that there are with this mark. */
  endMarked(mark: string): void {
    const begunMs = Date.now();
    this.#options.ended.add({ id: mark, begunMs, endsMs: begunMs + this.#options.lengthMs });
  }

  /** Seals something into a cookie of the answer. */
  keep(response: Response, purpose: string, value: unknown, endsMs: number): boolean {
    const sealed = this.#options.seal.seal(purpose, value);
    if (sealed.length > MOST_COOKIE) return false;
    const forwarded = forwardedOf(response);
    const seconds = Math.max(0, Math.floor((endsMs - Date.now()) / 1_000));
    response.append(
      'set-cookie',
      `${cookieName(purpose, forwarded)}=${sealed}; Max-Age=${seconds}; ${this.#flags(purpose, forwarded)}`,
    );
    return true;
  }

  /** What was sealed so; undefined when there is nothing, or not ours. */
  kept(request: Request, response: Response, purpose: string): unknown {
    const name = `${cookieName(purpose, forwardedOf(response))}=`;
    for (const part of (request.headers.cookie ?? '').split(';')) {
      const text = part.trim();
      if (!text.startsWith(name)) continue;
      const opened = this.#options.seal.open(purpose, text.slice(name.length));
      // Somebody on a neighbouring name may have put one of theirs before ours.
      if (opened !== undefined) return opened;
    }
    return undefined;
  }

  forget(response: Response, purpose: string): void {
    const forwarded = forwardedOf(response);
    response.append('set-cookie', `${cookieName(purpose, forwarded)}=; Max-Age=0; ${this.#flags(purpose, forwarded)}`);
  }

  #flags(purpose: string, { base, secure }: Forwarded): string {
    const none = this.#options.sameSite === 'none' && secure;
    return `Path=${base}${PATHS[purpose] ?? ''}; HttpOnly; SameSite=${none ? 'None' : 'Lax'}${secure ? '; Secure' : ''}${none ? '; Partitioned' : ''}`;
  }
}

/** With HTTPS a name that plain HTTP cannot write; nor, where the page has the host to itself, can a neighbouring host. */
function cookieName(purpose: string, { secure, base }: Forwarded): string {
  const prefix = base === '/' && PATHS[purpose] === undefined ? '__Host-' : '__Secure-';
  return `${secure ? prefix : ''}waggle-${purpose}`;
}

/** Names that stand for the cluster's own parts are the API server's to give, nobody else's. */
export function outsideCaller(user: string, groups: readonly string[]): Caller | undefined {
  if (user === '' || user.length > 1_024 || user.startsWith('system:')) return undefined;
  const own = groups.filter((group) => group !== '' && !group.startsWith('system:')).slice(0, 500);
  return { user, groups: [...own, 'system:authenticated'], uid: '', extra: {} };
}

import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose';
import { digest } from './sealed.ts';

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Clocks differ, and providers try again. */
const MOST_AGE = '5m';
const SKEW = '60s';

/** What a provider told of itself, as far as its tokens are checked by it. */
export interface TokenIssuer {
  readonly issuer: string;
  readonly jwksUri: string;
  readonly clientId: string;
}

/** Checks logout tokens (OpenID Connect Back-Channel Logout 1.0, 2.6) by the provider's own keys. */
export class LogoutTokens {
  readonly #issuer: TokenIssuer;
  readonly #keys: ReturnType<typeof createRemoteJWKSet>;

  constructor(issuer: TokenIssuer) {
    this.#issuer = issuer;
    this.#keys = createRemoteJWKSet(new URL(issuer.jwksUri));
  }

  /** The mark of the sessions that ended. Rejects for anything that is no such token of this provider for this client. */
  async endedMark(token: string): Promise<string> {
    const { issuer, clientId } = this.#issuer;
    const { payload } = await jwtVerify(token, this.#keys, {
      issuer,
      audience: clientId,
      maxTokenAge: MOST_AGE,
      clockTolerance: SKEW,
      requiredClaims: ['iat', 'jti', 'events'],
    });
    const events = payload.events as Record<string, unknown> | null;
    if (typeof events !== 'object' || events === null || typeof events[EVENT] !== 'object') {
      throw new Error('this is no logout token');
    }
    // An ID token has one.
    if (payload.nonce !== undefined) throw new Error('a logout token has no nonce');
    // One session where it is named, else all of the person.
    const [mark] = sessionMarks(issuer, payload);
    if (mark === undefined) throw new Error('it names neither a session nor a person');
    return mark;
  }
}

/** By what a provider calls a session and its person, the session first. */
export function sessionMarks(issuer: string, { sid, sub }: JWTPayload): string[] {
  const mark = (kind: string, value: unknown) =>
    typeof value === 'string' && value !== '' ? [`${kind}:${digest(`${issuer}\n${value}`).slice(0, 22)}`] : [];
  return [...mark('sid', sid), ...mark('sub', sub)];
}

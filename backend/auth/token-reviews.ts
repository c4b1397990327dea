import type { Caller } from '#runtime/grpc/caller.ts';
import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { digest } from './sealed.ts';

/** How long an answer is good for. */
const FRESH_MS = 8_000;
const MOST_KNOWN = 4_000;
export const MOST_TOKEN_CHARACTERS = 16_384;
const DEADLINE_MS = 3_000;

export type WhoHas = (token: string) => Promise<Caller | undefined>;

interface Review {
  readonly status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  };
}

/** Whose a token is, by the API server's TokenReview. Rejects with ApiError when that cannot be asked. */
export function tokenReview(client: Pick<ApiClient, 'request'>, audiences: readonly string[] = []): WhoHas {
  return async (token) => {
    const { status } = await client.request<Review>('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: audiences.length === 0 ? { token } : { token, audiences },
      },
      timeoutMs: DEADLINE_MS,
    });
    // Who knows nothing of audiences tells none, and has accepted a token that was made for somebody else.
    if (audiences.length > 0 && !status?.audiences?.some((each) => audiences.includes(each))) return undefined;
    const user = status?.user;
    if (status?.authenticated !== true || user?.username === undefined || user.username === '') return undefined;
    const { username, uid = '', groups = [], extra = {} } = user;
    return { user: username, uid, groups, extra };
  };
}

interface Known {
  readonly atMs: number;
  readonly caller: Promise<Caller | undefined>;
  accepted: boolean;
}

/** Asks once for all requests with the same token, and again after a while: tokens are withdrawn. */
export class TokenReviews {
  readonly #whoHas: WhoHas;
  readonly #freshMs: number;
  /** By the token's digest; the least recently asked first. */
  readonly #known = new Map<string, Known>();

  constructor(whoHas: WhoHas, freshMs = FRESH_MS) {
    this.#whoHas = whoHas;
    this.#freshMs = freshMs;
  }

  /** Whether it was somebody's when it was last asked about. */
  hasAccepted(token: string): boolean {
    return this.#known.get(digest(token))?.accepted === true;
  }

  async of(token: string): Promise<Caller | undefined> {
    if (token === '' || token.length > MOST_TOKEN_CHARACTERS || !/^[\x21-\x7e]+$/.test(token)) return undefined;
    const caller = await this.#ask(token);
    if (caller === undefined) return undefined;
    const current = async (): Promise<Caller | undefined> => {
      const now = await this.#ask(token);
      return now?.user === caller.user && now.uid === caller.uid ? { ...now, current } : undefined;
    };
    return { ...caller, current };
  }

  #ask(token: string): Promise<Caller | undefined> {
    const key = digest(token);
    const now = performance.now();
    const known = this.#known.get(key);
    if (known !== undefined && now - known.atMs < this.#freshMs) return known.caller;
    const caller = this.#whoHas(token);
    // While it is asked about again, it is what it was.
    const asked: Known = { atMs: now, caller, accepted: known?.accepted ?? false };
    caller.then(
      (found) => {
        asked.accepted = found !== undefined;
      },
      () => {
        if (this.#known.get(key) === asked) this.#known.delete(key);
      },
    );
    this.#known.delete(key);
    this.#known.set(key, asked);
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!);
    return caller;
  }
}

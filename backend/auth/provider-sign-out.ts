import type { Request, Response } from 'express';
import { buildEndSessionUrl, type Configuration } from 'openid-client';
import type { Logger } from '#runtime/log.ts';
import { forwardedOf, pageOrigin } from './forwarded.ts';
import type { Session, Sessions } from './sessions.ts';

/** What the browser keeps until somebody signs out. */
interface Kept {
  /** The ID token, by which the provider knows whom to sign out; without it, it asks them. */
  readonly hint?: string;
}

/**
 * Leads who signed out of Waggle on to sign out at the provider, and back (OpenID Connect RP-Initiated Logout 1.0): otherwise
 * whoever sits down at the browser next is in again by one click.
 */
export class ProviderSignOut {
  readonly #sessions: Sessions;
  readonly #configuration: (() => Promise<Configuration>) | undefined;
  readonly #log: Logger;

  /** @param configuration undefined where people stay signed in at the provider */
  constructor(sessions: Sessions, configuration: (() => Promise<Configuration>) | undefined, log: Logger) {
    this.#sessions = sessions;
    this.#configuration = configuration;
    this.#log = log;
  }

  /** Remembers, in the browser, what the provider will want to know. */
  prepare(response: Response, idToken: string | undefined, { endsMs }: Session): void {
    if (this.#configuration === undefined) return;
    const kept: Kept = { hint: idToken };
    if (this.#sessions.keep(response, 'id-token', kept, endsMs)) return;
    this.#sessions.keep(response, 'id-token', {} satisfies Kept, endsMs);
  }

  /**
   * Where somebody goes on to who has signed out just now; undefined for everyone else, and where the provider has no such page.
   * Once: from there they come back to where this is asked.
   */
  async there(request: Request, response: Response): Promise<URL | undefined> {
    const kept = this.#sessions.kept(request, response, 'id-token') as Kept | undefined;
    // A link on somebody's page leads here too: who has not signed out stays signed in everywhere.
    if (kept === undefined || this.#sessions.of(request, response) !== undefined) return undefined;
    this.#sessions.forget(response, 'id-token');
    try {
      const configuration = await this.#configuration?.();
      if (configuration?.serverMetadata().end_session_endpoint === undefined) return undefined;
      const forwarded = forwardedOf(response);
      return buildEndSessionUrl(configuration, {
        post_logout_redirect_uri: `${pageOrigin(forwarded)}${forwarded.base}login?out`,
        ...(kept.hint === undefined ? {} : { id_token_hint: kept.hint }),
      });
    } catch (error) {
      this.#log.warn({ err: error }, 'who signed out stays signed in at the OpenID provider: it does not answer');
      return undefined;
    }
  }
}

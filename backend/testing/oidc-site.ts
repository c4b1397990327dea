import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Provider from 'oidc-provider';
import { pino } from 'pino';
import { parseCidr } from '#core/ip/cidr.ts';
import { AuditLog } from '../auth/audit-log.ts';
import { EndedSessions } from '../auth/ended-sessions.ts';
import { LoginLimit } from '../auth/login-limit.ts';
import { oidcSignIn } from '../auth/oidc-sign-in.ts';
import { Seal } from '../auth/sealed.ts';
import { Sessions } from '../auth/sessions.ts';
import { type Backend, startBackend } from '../start.ts';

const log = pino({ level: 'silent' });

export interface OidcSiteOptions {
  /** Whether the provider has a page where people sign out. Default true. */
  readonly signOutPage?: boolean;
  /** Whether Waggle leads people there. Default true. */
  readonly signOutThere?: boolean;
  /** Path below which a proxy serves the page, as `/tools/waggle`. */
  readonly prefix?: string;
  /** Characters of each of the groups that the provider names. */
  readonly longGroups?: number;
}

/** A real OpenID provider, and a backend whose people sign in there: with any name, and are what the name says. */
export class OidcSite {
  readonly backend: Backend;
  readonly issuer: string;
  readonly #prefix: string;
  readonly #folder: string;
  readonly #server: Server;

  private constructor(backend: Backend, issuer: string, prefix: string, folder: string, server: Server) {
    this.#prefix = prefix;
    this.backend = backend;
    this.issuer = issuer;
    this.#folder = folder;
    this.#server = server;
  }

  static async start(options: OidcSiteOptions = {}): Promise<OidcSite> {
    const { signOutPage = true, signOutThere, prefix = '', longGroups = 0 } = options;
    const folder = await mkdtemp(join(tmpdir(), 'waggle-oidc-'));
    await writeFile(join(folder, 'index.html'), '<title>Waggle</title>');
    const holder: { handler?: ReturnType<Provider['callback']> } = {};
    const server = createServer((request, response) => holder.handler?.(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const seal = new Seal(undefined, log);
    const audit = new AuditLog(join(folder, 'audit.log'), log);
    const sessions = new Sessions({ seal, ended: new EndedSessions(), lengthMs: 60_000, sameSite: 'lax' });
    const backend = await startBackend({
      listen: '127.0.0.1:0',
      relayListen: '127.0.0.1:0',
      pageFolder: folder,
      trustedProxies: [parseCidr('127.0.0.0/8')!],
      log,
      access: {
        audit,
        maySee: async ({ groups }) => groups.includes('oidc:sre'),
        signIn: oidcSignIn(
          { sessions, reviews: undefined, limit: new LoginLimit(), audit },
          {
            issuer: new URL(issuer),
            clientId: 'waggle',
            clientSecret: 'a secret that only the two know',
            scopes: ['openid', 'email', 'groups'],
            userClaim: 'email',
            groupsClaim: 'groups',
            userPrefix: 'oidc:',
            groupsPrefix: 'oidc:',
            signOutThere,
          },
          log,
        ),
      },
    });
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'waggle',
          client_secret: 'a secret that only the two know',
          redirect_uris: [`${backend.url}${prefix}/login/callback`],
          grant_types: ['authorization_code'],
          response_types: ['code'],
          backchannel_logout_uri: `${backend.url}/login/backchannel`,
          backchannel_logout_session_required: true,
          post_logout_redirect_uris: [`${backend.url}${prefix}/login?out`],
        },
      ],
      pkce: { required: () => true },
      // Its own would not talk to this machine.
      fetch: (url: string | URL, options: RequestInit) =>
        fetch(url, { ...options, dispatcher: undefined } as RequestInit),
      features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: signOutPage } },
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
      scopes: ['openid', 'email', 'groups'],
      findAccount: (_context: unknown, id: string) => ({
        accountId: id,
        claims: async () => ({
          sub: id,
          email: id === 'system' ? '' : `${id}@example.com`,
          email_verified: id !== 'unverified',
          groups: ['sre', 'system:masters', ...(longGroups === 0 ? [] : ['g'.repeat(longGroups)])],
        }),
      }),
    });
    provider.on('server_error', (_context, error) => console.error(error));
    holder.handler = provider.callback();
    return new OidcSite(backend, issuer, prefix, folder, server);
  }

  /** The page, as people address it. */
  get url(): string {
    return `${this.backend.url}${this.#prefix}`;
  }

  /** A browser that has been nowhere. */
  person(): Person {
    return new Person(this.url, this.#prefix);
  }

  async close(): Promise<void> {
    await this.backend.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#folder, { recursive: true });
  }
}

interface Ask {
  readonly body?: URLSearchParams | '';
  readonly mode?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Somebody with a jar of cookies for each place. */
export class Person {
  readonly #page: string;
  readonly #prefix: string;
  readonly jars = new Map<string, Map<string, string>>();

  /**
   * @param page that they come to
   * @param prefix that the proxy before it tells it
   */
  constructor(page: string, prefix = '') {
    this.#page = page;
    this.#prefix = prefix;
  }

  /** As a browser that goes there; its own fetch would say that it does not. */
  async ask(url: string, { body, mode = 'navigate', headers: more = {} }: Ask = {}) {
    const { host } = new URL(url);
    const jar = this.jars.get(host) ?? new Map<string, string>();
    this.jars.set(host, jar);
    const headers = {
      accept: 'text/html',
      'sec-fetch-mode': mode,
      'content-type': 'application/x-www-form-urlencoded',
      cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
      ...(url.startsWith(this.#page) && this.#prefix !== '' ? { 'x-forwarded-prefix': this.#prefix } : {}),
      ...more,
    };
    const answer = await new Promise<{ status: number; location?: string; text: string; cookies: string[] }>(
      (resolve, reject) => {
        const sent = send(url, { method: body === undefined ? 'GET' : 'POST', headers }, async (response) => {
          const chunks: Buffer[] = [];
          for await (const chunk of response) chunks.push(chunk);
          const { location, 'set-cookie': cookies = [] } = response.headers;
          resolve({ status: response.statusCode!, location, cookies, text: Buffer.concat(chunks).toString() });
        });
        sent.on('error', reject);
        sent.end(body?.toString());
      },
    );
    for (const line of answer.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === '' || /Max-Age=0/i.test(line)) jar.delete(name!);
      else jar.set(name!, value!);
    }
    return answer;
  }

  /** Follows where it leads, filling in the provider's forms, until somebody there says `stop`. */
  async signIn(name: string, from = `${this.#page}/?view=table`, stop = (_: URL) => false) {
    let url = new URL(from);
    let response = await this.ask(url.href);
    for (let step = 0; step < 20; step++) {
      const { location, text: html } = response;
      if (location !== undefined) {
        url = new URL(location, url);
        if (stop(url)) return { url, response };
        response = await this.ask(url.href);
        continue;
      }
      if (url.host === new URL(this.#page).host) return { url, response };
      const action = /<form[^>]*action="([^"]+)"/.exec(html)?.[1];
      if (action === undefined) throw new Error(`no form at ${url.href}: ${html}`);
      const prompt = /name="prompt" value="([^"]+)"/.exec(html)?.[1] ?? '';
      url = new URL(action, url);
      const body = new URLSearchParams(prompt === 'login' ? { prompt, login: name, password: 'any' } : { prompt });
      response = await this.ask(url.href, { body });
    }
    throw new Error('it leads nowhere');
  }

  async whoAmI(): Promise<unknown> {
    const { status, text } = await this.ask(`${this.#page}/session.json`, { mode: 'cors' });
    return status === 200 ? JSON.parse(text) : status;
  }
}

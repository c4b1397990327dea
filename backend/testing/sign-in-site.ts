import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { ReviewServer } from '#runtime/testing/review-server.ts';
import { accessReview } from '../access/access-review.ts';
import { AuditLog } from '../auth/audit-log.ts';
import { EndedSessions } from '../auth/ended-sessions.ts';
import { LoginLimit } from '../auth/login-limit.ts';
import { proxySignIn } from '../auth/proxy-sign-in.ts';
import { Replicas } from '../auth/replicas.ts';
import { Seal } from '../auth/sealed.ts';
import { type SameSite, Sessions } from '../auth/sessions.ts';
import type { SignInParts } from '../auth/sign-in.ts';
import { TokenReviews, tokenReview } from '../auth/token-reviews.ts';
import { tokenSignIn } from '../auth/token-sign-in.ts';
import { type Backend, type BackendOptions, startBackend } from '../start.ts';

const log = pino({ level: 'silent' });

export interface SiteOptions {
  readonly mode?: 'token' | 'proxy';
  /** Default: that of the site, which all replicas read again as it changes. */
  readonly keyFile?: string;
  readonly lengthMs?: number;
  readonly sameSite?: SameSite;
  /** How long an answer of the API server holds. */
  readonly checkMs?: number;
  /** Calls that one person may have open. */
  readonly calls?: number;
  /** Addresses of all replicas; more may come. */
  readonly replicas?: readonly string[];
  readonly options?: BackendOptions;
}

/**
 * Backends where people sign in, with one API server behind them: `janes-token` sees the namespace shop, `admins-token` all; there
 * is a namespace vault too.
 */
export class SignInSite {
  readonly reviews: ReviewServer;
  readonly auditFile: string;
  readonly keyFile: string;
  /** Called by close(), the last first. */
  readonly closing: (() => unknown)[] = [];
  readonly #folder: string;
  readonly #client: ApiClient;

  private constructor(folder: string, reviews: ReviewServer, client: ApiClient) {
    this.#folder = folder;
    this.reviews = reviews;
    this.#client = client;
    this.auditFile = join(folder, 'audit.log');
    this.keyFile = join(folder, 'keys');
    this.closing.push(() => reviews.stop());
  }

  static async create(): Promise<SignInSite> {
    const folder = await mkdtemp(join(tmpdir(), 'waggle-sign-in-'));
    const reviews = new ReviewServer();
    reviews.tokens.set('janes-token', { user: 'jane', groups: ['shop-team'] });
    reviews.grant('shop-team', 'shop');
    reviews.tokens.set('admins-token', { user: 'admin', groups: ['system:masters'] });
    reviews.grant('system:masters', '*');
    const site = new SignInSite(folder, reviews, await reviews.start());
    await writeFile(site.keyFile, `${'k'.repeat(40)}\n`);
    await writeFile(join(folder, 'index.html'), '<title>Waggle</title>');
    const namespaces = join(folder, 'state/Namespace/_cluster');
    await mkdir(namespaces, { recursive: true });
    for (const name of ['shop', 'vault']) {
      const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: { name: ${name} }\n`;
      await writeFile(join(namespaces, `${name}.yaml`), namespace);
    }
    return site;
  }

  /** One more replica, and a browser that has not been there. */
  async start({
    mode = 'token',
    keyFile = this.keyFile,
    lengthMs = 3_600_000,
    sameSite = 'lax',
    checkMs = 100,
    calls,
    replicas,
    options,
  }: SiteOptions = {}) {
    const seal = new Seal(keyFile, log);
    const ended = new EndedSessions();
    const others = replicas && new Replicas({ seal, ended, targets: replicas, log, everyMs: 100 });
    const sessions = new Sessions({ seal, ended, lengthMs, sameSite });
    const reviews = new TokenReviews(tokenReview(this.#client), checkMs);
    const audit = new AuditLog(this.auditFile, log);
    const parts: SignInParts & { reviews: TokenReviews } = { sessions, reviews, limit: new LoginLimit(), audit };
    const backend = await startBackend({
      listen: '127.0.0.1:0',
      relayListen: '127.0.0.1:0',
      pageFolder: this.#folder,
      stateDir: join(this.#folder, 'state'),
      allowedHosts: ['waggle.example'],
      log,
      access: {
        signIn: mode === 'token' ? tokenSignIn(parts) : proxySignIn(parts),
        audit,
        replicas: others,
        maySee: accessReview(this.#client),
        checkMs,
        calls,
        onClose: () => seal.close(),
      },
      ...options,
    });
    this.closing.push(() => backend.close());
    return { backend, seal, others, ...browser(backend) };
  }

  /** What the audit log says so far. */
  async audited(): Promise<Record<string, string>[]> {
    const lines = (await readFile(this.auditFile, 'utf8').catch(() => '')).split('\n');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
  }

  async close(): Promise<void> {
    for (const close of this.closing.splice(0).reverse()) await close();
    await rm(this.#folder, { recursive: true });
  }
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

/** Somebody with a cookie jar, whose requests look like a page's own. */
export function browser(backend: Backend) {
  const jar = new Map<string, string>();
  const { port } = new URL(backend.url);
  const ask = (
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string | Uint8Array } = {},
  ) =>
    new Promise<Answer>((resolve, reject) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const headers = { ...(cookie === '' ? {} : { cookie }), ...init.headers };
      const sent = request({ host: '127.0.0.1', port, path, method: init.method ?? 'GET', headers }, (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => {
          for (const line of response.headers['set-cookie'] ?? []) {
            const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
            if (line.includes('Max-Age=0')) jar.delete(name!);
            else jar.set(name!, value!);
          }
          resolve({ status: response.statusCode!, headers: response.headers, text });
        });
        response.on('error', reject);
      });
      sent.on('error', reject);
      sent.end(init.body);
    });
  const html = { accept: 'text/html', 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'none' };
  const own = { origin: `http://127.0.0.1:${port}`, 'sec-fetch-site': 'same-origin', host: `127.0.0.1:${port}` };
  const signIn = (token: string, headers: Record<string, string> = own, next = '/') =>
    ask('/login', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token, next }).toString(),
    });
  /** The status of a gRPC-Web call. */
  const call = async (headers: Record<string, string> = own, method = 'ListNamespaces') => {
    const body = Buffer.from([0, 0, 0, 0, 0]);
    const answer = await ask(`/api/waggle.v1.ViewService/${method}`, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/grpc-web+proto' },
      body,
    });
    const code = /grpc-status: ?(\d+)/i.exec(answer.text)?.[1];
    return code === undefined ? { http: answer.status } : { code: Number(code), text: answer.text };
  };
  return { jar, ask, html, own, signIn, call };
}

import { Agent as HttpAgent, type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { boundedLines } from '../bounded-lines.ts';
import type { ApiAccess, ApiCredentials } from './api-access.ts';
import { connectionError, statusError } from './api-error.ts';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ApiRequest {
  /** Undefined ones are left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Of the body; default `application/json`. Patches name theirs, such as `application/apply-patch+yaml`. */
  readonly contentType?: string;
  readonly accept?: string;
  readonly signal?: AbortSignal;
  /** For the whole answer; default 30 s. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;
/** A page of a list is some MB; this is where a server is no longer believed. */
const MOST_BYTES = 128 * 1024 * 1024;
/** One event of a watch: an object has at most 1.5 MiB in etcd, and JSON is longer. */
const MOST_LINE_LENGTH = 8 * 1024 * 1024;
/** A watch hears at least a bookmark a minute; after this long without anything the connection is taken for dead. */
const SILENCE_MS = 150_000;
/** The kernel asks after a silent peer this soon, and gives up on it ten seconds later. */
const KEEP_ALIVE_MS = 20_000;

/**
 * The Kubernetes API over HTTP: requests that answer with one JSON document, and streams of lines for watches. Fails with
 * ApiError. Makes no attempt a second time, but for a credential that has ended.
 */
export class ApiClient {
  readonly #access: ApiAccess;
  #connections: { readonly credentials: ApiCredentials; readonly agent: HttpAgent } | undefined;

  constructor(access: ApiAccess) {
    this.#access = access;
  }

  /** Of the server, for messages. */
  get server(): string {
    return this.#access.server.href.replace(/\/$/, '');
  }

  get namespace(): string {
    return this.#access.namespace;
  }

  /** @param path from the root, such as `/api/v1/pods`; its parts are escaped with encodeURIComponent by the caller */
  async request<T = unknown>(method: Method, path: string, request: ApiRequest = {}): Promise<T> {
    const timeout = AbortSignal.timeout(request.timeoutMs ?? TIMEOUT_MS);
    const signal = request.signal === undefined ? timeout : AbortSignal.any([request.signal, timeout]);
    const response = await this.#send(method, path, { ...request, signal });
    return (await this.#document(response, method, path, signal)) as T;
  }

  /**
   * The lines of an answer that goes on: a watch. Ends when the server ends it; pulling slowly slows the server down.
   * @param silenceMs without a byte for this long it fails
   * @param onOpen called when the server has begun to answer
   */
  async *lines(
    path: string,
    request: ApiRequest = {},
    silenceMs = SILENCE_MS,
    onOpen?: () => void,
  ): AsyncGenerator<string> {
    const response = await this.#send('GET', path, request);
    onOpen?.();
    response.setEncoding('utf8');
    response.setTimeout(silenceMs, () => response.destroy(new Error(`silent for ${silenceMs / 1_000} s`)));
    try {
      for await (const line of boundedLines(response, MOST_LINE_LENGTH, 'cut off')) {
        if (line === undefined) throw new Error(`a line of more than ${MOST_LINE_LENGTH} characters`);
        if (line !== '') yield line;
      }
    } catch (error) {
      request.signal?.throwIfAborted();
      throw connectionError(this.server, error);
    } finally {
      response.destroy();
    }
  }

  /** Ends what is open. */
  close(): void {
    this.#connections?.agent.destroy();
    this.#connections = undefined;
  }

  /** The answer's head, its status already looked at. */
  async #send(method: Method, path: string, request: ApiRequest): Promise<IncomingMessage> {
    let response = await this.#attempt(method, path, request, await this.#access.credentials());
    if (response.statusCode === 401) {
      response.resume();
      response = await this.#attempt(method, path, request, await this.#access.credentials(true));
    }
    const status = response.statusCode ?? 0;
    if (status >= 200 && status < 300) return response;
    let body: unknown;
    try {
      body = await this.#document(response, method, path, request.signal);
    } catch {
      // What it answers besides the status is not worth a second error.
    }
    throw statusError(`${method} ${path}`, status, body, response.headers['retry-after']);
  }

  #attempt(
    method: Method,
    path: string,
    { query, body, contentType = 'application/json', accept = 'application/json', signal }: ApiRequest,
    credentials: ApiCredentials,
  ): Promise<IncomingMessage> {
    const { server, serverName } = this.#access;
    const url = new URL(server);
    url.pathname = `${server.pathname.replace(/\/$/, '')}${path}`;
    for (const [key, value] of Object.entries(query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const options: RequestOptions & { servername?: string } = {
      method,
      signal,
      agent: this.#agent(credentials),
      headers: {
        accept,
        'user-agent': 'waggle',
        ...(payload === undefined ? {} : { 'content-type': contentType, 'content-length': payload.length }),
        ...authorization(credentials),
      },
      ...(serverName === undefined ? {} : { servername: serverName }),
    };
    return new Promise((resolve, reject) => {
      const sending = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, options, resolve);
      sending.on('error', (error) => {
        reject(signal?.aborted ? (signal.reason ?? error) : error);
      });
      sending.end(payload);
    }).catch((error) => {
      if (signal?.aborted && (error as Error)?.name !== 'TimeoutError') throw error;
      throw connectionError(this.server, error);
    }) as Promise<IncomingMessage>;
  }

  async #document(response: IncomingMessage, method: Method, path: string, signal?: AbortSignal): Promise<unknown> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > MOST_BYTES) throw new Error(`${method} ${path} answers with more than ${MOST_BYTES} bytes`);
        chunks.push(chunk);
      }
    } catch (error) {
      if (signal?.aborted && (signal.reason as Error)?.name !== 'TimeoutError') throw signal.reason;
      throw connectionError(this.server, signal?.aborted ? signal.reason : error);
    }
    const content = Buffer.concat(chunks).toString('utf8');
    if (!/json/.test(response.headers['content-type'] ?? '')) return content;
    try {
      return JSON.parse(content);
    } catch {
      throw connectionError(this.server, new Error(`${method} ${path} answers with broken JSON`));
    }
  }

  /** Connections are kept as long as what they were opened with is the same. */
  #agent(credentials: ApiCredentials): HttpAgent {
    const known = this.#connections;
    if (known !== undefined && sameTls(known.credentials, credentials)) return known.agent;
    const { server, insecure } = this.#access;
    const pool = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS, maxFreeSockets: 4 };
    const agent =
      server.protocol === 'https:'
        ? new HttpsAgent({
            ...pool,
            ca: credentials.authorities,
            cert: credentials.certificate,
            key: credentials.key,
            rejectUnauthorized: !insecure,
          })
        : new HttpAgent(pool);
    this.#connections = { credentials, agent };
    return agent;
  }
}

function sameTls(a: ApiCredentials, b: ApiCredentials): boolean {
  return a.authorities === b.authorities && a.certificate === b.certificate && a.key === b.key;
}

function authorization({ token, basic }: ApiCredentials): { authorization?: string } {
  if (token !== undefined) return { authorization: `Bearer ${token}` };
  if (basic === undefined) return {};
  return { authorization: `Basic ${Buffer.from(`${basic.name}:${basic.password}`).toString('base64')}` };
}

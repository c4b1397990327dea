import { Agent, type ClientRequestArgs, request } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ProgramContext } from './program-context.ts';

/** Largest response body read, in bytes. */
const MAX_BODY_BYTES = 1024 * 1024;

/** An HTTP agent whose connections start in the program's pod. */
export class PodHttpAgent extends Agent {
  readonly #context: ProgramContext;

  constructor(context: ProgramContext, keepAlive: boolean) {
    super({ keepAlive, maxSockets: 64, maxFreeSockets: 16, timeout: 30_000 });
    this.#context = context;
    context.signal.addEventListener('abort', () => this.destroy(), { once: true });
  }

  override createConnection(
    options: ClientRequestArgs,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): Duplex | null | undefined {
    const host = (options.host ?? '').replace(/^\[|\]$/g, '');
    this.#context.connect(host, Number(options.port ?? 80)).then(
      (socket) => callback?.(null, socket),
      (error: Error) => callback?.(error, undefined as never),
    );
    return undefined;
  }
}

export interface HttpExchange {
  method: string;
  url: URL;
  headers?: Record<string, string>;
  timeoutMs: number;
}

/** Sends a request and reads the response to its end. Resolves with the status; rejects when none came. */
export function exchange(agent: PodHttpAgent, { method, url, headers, timeoutMs }: HttpExchange): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, pathname, search } = url;
    const options = { agent, method, hostname, port: url.port || 80, path: `${pathname}${search}`, headers };
    const call = request(options, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MAX_BODY_BYTES) call.destroy(new Error(`a body of more than ${MAX_BODY_BYTES} bytes`));
      });
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    call.setTimeout(timeoutMs, () => call.destroy(new Error(`no response in ${timeoutMs} ms`)));
    call.on('error', reject);
    call.end();
  });
}

/** Reads a list of http URLs, apart by blanks or commas; throws naming the variable. */
export function parseUrls(variable: string, text: string): URL[] {
  return text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((word) => {
      const url = URL.canParse(word) ? new URL(word) : undefined;
      if (url?.protocol !== 'http:') throw new Error(`${variable} holds "${word}"; expected http://host:port/path`);
      return url;
    });
}

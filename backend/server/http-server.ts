import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler } from 'express';
import { ADDRESS_FORM, formatAddress, isLoopback, parseAddress } from '#runtime/address.ts';
import type { ServedService } from '#runtime/grpc/service.ts';
import { grpcWebRouter } from '#runtime/grpc-web/router.ts';
import type { Health } from '#runtime/health.ts';
import { listenError } from '#runtime/listen-error.ts';
import type { Logger } from '#runtime/log.ts';
import type { Registry } from '#runtime/metrics.ts';
import { hostCheck, knownHost } from './host-check.ts';
import { pageFiles } from './page-files.ts';
import { securityHeaders } from './security-headers.ts';

/** Largest request of the API in bytes: a filter and a cursor. */
const MAX_REQUEST_BYTES = 256 * 1024;
/** Connections at once; a browser has at most six per tab's origin. */
const MAX_CONNECTIONS = 2_000;

export interface HttpServerOptions {
  readonly address: string;
  readonly services: readonly ServedService[];
  readonly health: Health;
  readonly registry: Registry;
  /** Folder of the built page. */
  readonly pageFolder: string;
  /** Names beside loopback's under which the page is reached. */
  readonly allowedHosts: readonly string[];
  readonly frameAncestors: readonly string[];
  readonly log: Logger;
}

export interface HttpServer {
  /** `http://127.0.0.1:12000`, with the port that was really taken. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves page, API, health and metrics. Throws ListenError when the address cannot be had. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { health, registry, log } = options;
  const address = parseAddress(options.address);
  if (address?.kind !== 'tcp') throw new TypeError(`"${options.address}" is not an address: expected ${ADDRESS_FORM}`);
  if (!isLoopback(address)) {
    log.warn({ address: options.address }, 'the page is reachable from other machines, and nobody has to log in');
  }
  const shutdown = new AbortController();
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', 'weak');
  // For probes and scrapers, which come by address.
  app.get('/healthz', (_request, response) => void response.type('text/plain').send('ok\n'));
  const isKnown = knownHost(options.allowedHosts);
  app.get('/readyz', (request, response) => {
    const { ready } = health;
    // Whoever comes under any other name learns whether, but not why: reasons name folders and nodes.
    response.status(ready ? 200 : 503).json(isKnown(request) ? { ready, problems: health.problems() } : { ready });
  });
  app.use(securityHeaders(options.frameAncestors));
  app.use(hostCheck(options.allowedHosts));
  app.get('/metrics', async (_request, response) => {
    response.type(registry.contentType).send(await registry.metrics());
  });
  app.use(
    '/api',
    grpcWebRouter(options.services, { maxReceiveBytes: MAX_REQUEST_BYTES, shutdown: shutdown.signal, log }),
    (_request, response) => void response.status(404).type('text/plain').send('No such method.\n'),
  );
  // Whose word about the theme the page takes, when it is shown in a frame.
  app.get('/embed.json', (_request, response) => {
    response.set('cache-control', 'no-cache').json({ origins: options.frameAncestors });
  });
  app.use(await pageFiles(options.pageFolder));
  app.use((_request, response) => void response.status(404).type('text/plain').send('Nothing is here.\n'));
  const failed: ErrorRequestHandler = (error, _request, response, next) => {
    if (response.headersSent) return next(error);
    const status = error.status >= 400 && error.status < 500 ? error.status : 500;
    if (status === 500) log.error({ err: error }, 'a request failed');
    response
      .status(status)
      .type('text/plain')
      .send(status === 500 ? 'Something went wrong here.\n' : 'Bad request.\n');
  };
  app.use(failed);

  const server = createServer({ maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 20_000 }, app);
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, address.host, address.port, options.address);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${formatAddress({ ...address, port })}`,
    close: () =>
      new Promise((resolve) => {
        shutdown.abort();
        server.close(() => resolve());
        server.closeIdleConnections();
        setTimeout(() => server.closeAllConnections(), 1_000).unref();
      }),
  };
}

function listen(server: Server, host: string, port: number, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, text, '--listen or WAGGLE_LISTEN')));
    server.listen(port, host, resolve);
  });
}

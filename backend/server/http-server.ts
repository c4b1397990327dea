import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Application, type ErrorRequestHandler } from 'express';
import type { Cidr } from '#core/ip/cidr.ts';
import { ADDRESS_FORM, formatAddress, isLoopback, parseAddress } from '#runtime/address.ts';
import { isOwn, limitConnections } from '#runtime/connection-limit.ts';
import { Code, type ServedService, StatusError } from '#runtime/grpc/service.ts';
import { grpcWebRouter } from '#runtime/grpc-web/router.ts';
import type { Health } from '#runtime/health.ts';
import { listenError } from '#runtime/listen-error.ts';
import type { Logger } from '#runtime/log.ts';
import type { Registry } from '#runtime/metrics.ts';
import type { Gate } from '../access/gate.ts';
import type { AuditLog } from '../auth/audit-log.ts';
import { entrance } from '../auth/entrance.ts';
import { isIn, readForwarded } from '../auth/forwarded.ts';
import type { Replicas } from '../auth/replicas.ts';
import { type SignIn, whoAmI } from '../auth/sign-in.ts';
import { hostCheck, knownHost } from './host-check.ts';
import { pageFiles } from './page-files.ts';
import { securityHeaders } from './security-headers.ts';

/** Largest request of the API in bytes: a filter and a cursor. */
const MAX_REQUEST_BYTES = 256 * 1024;
/** Calls at once; a browser has one stream for all its tabs, and asks something now and then. */
const MAX_CALLS = 3_000;

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
  /** Path under which the page is served, with a slash at both ends. Default `/`. */
  readonly basePath?: string;
  /** Whose word about the way a request took is believed. */
  readonly trustedProxies?: readonly Cidr[];
  /** Who may see what; absent where everyone who reaches the address sees everything. */
  readonly access?: {
    readonly signIn: SignIn;
    readonly gate: Gate;
    readonly audit: AuditLog;
    readonly replicas?: Replicas;
  };
  readonly log: Logger;
}

export interface HttpServer {
  /** `http://127.0.0.1:12000`, with the port that was really taken. */
  readonly url: string;
  close(): Promise<void>;
}

/** Serves page, API, health and metrics. Throws ListenError when the address cannot be had. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { access, log } = options;
  const address = parseAddress(options.address);
  if (address?.kind !== 'tcp') throw new TypeError(`"${options.address}" is not an address: expected ${ADDRESS_FORM}`);
  if (!isLoopback(address) && access === undefined) {
    log.warn({ address: options.address }, 'the page is reachable from other machines, and nobody has to sign in');
  }
  const shutdown = new AbortController();
  const app = await application(options, shutdown.signal);
  const server = createServer(
    // By itself, Node looks only every 30 s who is too slow.
    { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 20_000, connectionsCheckingInterval: 2_000 },
    app,
  );
  server.on('connection', limitConnections({ isExempt: standsForMany(options.trustedProxies) }));
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

/** What is answered, in this order. `shutdown` ends the calls that are open. */
async function application(options: HttpServerOptions, shutdown: AbortSignal): Promise<Application> {
  const { health, registry, access, log } = options;
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', 'weak');
  app.use((_request, response, next) => {
    // Of what says nothing else about it: an answer is for whoever asked, and for now.
    response.set('cache-control', 'no-store');
    next();
  });
  app.use(readForwarded(options.trustedProxies ?? [], options.basePath ?? '/'));
  // For probes and scrapers, which come by address.
  app.get('/healthz', (_request, response) => void response.type('text/plain').send('ok\n'));
  const isKnown = knownHost(options.allowedHosts);
  app.get('/readyz', (request, response) => {
    const { ready } = health;
    // Whoever comes under any other name learns whether, but not why: reasons name folders and nodes.
    response
      .status(ready ? 200 : 503)
      .json(access === undefined && isKnown(request) ? { ready, problems: health.problems() } : { ready });
  });
  app.use(securityHeaders(options.frameAncestors));
  app.use(hostCheck(options.allowedHosts));
  if (access === undefined) {
    app.get('/session.json', (_request, response) => {
      response.set('cache-control', 'no-store').json(whoAmI('none', undefined, undefined));
    });
  } else {
    app.use(entrance(access.signIn, access.audit, access.replicas));
  }
  app.get('/metrics', async (_request, response) => {
    // They count workloads of all namespaces by name.
    if (access !== undefined && !(await access.gate.seesAll(response.locals.caller))) {
      response.status(403).type('text/plain').send('Metrics are for those who may see all namespaces.\n');
      return;
    }
    response.type(registry.contentType).send(await registry.metrics());
  });
  app.use(
    '/api',
    grpcWebRouter(options.services, {
      maxReceiveBytes: MAX_REQUEST_BYTES,
      maxConcurrentCalls: MAX_CALLS,
      shutdown,
      callerOf: (response) => response.locals.caller,
      refusalOf: (response) =>
        access !== undefined && response.locals.caller === undefined
          ? new StatusError(Code.UNAUTHENTICATED, 'sign in first')
          : undefined,
      log,
    }),
    (_request, response) => void response.status(404).type('text/plain').send('No such method.\n'),
  );
  // Whose word about the theme the page takes, when it is shown in a frame.
  app.get('/embed.json', (_request, response) => {
    response.set('cache-control', 'no-cache').json({ origins: options.frameAncestors });
  });
  app.use(await pageFiles(options.pageFolder));
  app.use((_request, response) => void response.status(404).type('text/plain').send('Nothing is here.\n'));
  app.use(answerFailure(log));
  return app;
}

/** What is told of an error: what it means where that is meant for who asked, else that there was one. */
function answerFailure(log: Logger): ErrorRequestHandler {
  return (error, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof StatusError) {
      const status = { [Code.UNAUTHENTICATED]: 401, [Code.PERMISSION_DENIED]: 403 }[error.code as number] ?? 503;
      return void response.status(status).type('text/plain').send(`${error.message}\n`);
    }
    const status = error.status >= 400 && error.status < 500 ? error.status : 500;
    if (status === 500) log.error({ err: error }, 'a request failed');
    response
      .status(status)
      .type('text/plain')
      .send(status === 500 ? 'Something went wrong here.\n' : 'Bad request.\n');
  };
}

/** Addresses that one person may not have for themselves: of proxies, and of this machine. */
export function standsForMany(trustedProxies: readonly Cidr[] = []): (address: string) => boolean {
  return (address) => isOwn(address) || isIn(trustedProxies, address);
}

function listen(server: Server, host: string, port: number, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, text, '--listen or WAGGLE_LISTEN')));
    server.listen(port, host, resolve);
  });
}

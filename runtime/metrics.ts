import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { ADDRESS_FORM, formatAddress, parseAddress } from './address.ts';
import type { Health } from './health.ts';
import { listenError } from './listen-error.ts';

export { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** A registry of its own (several agents may run in one test process), with Node's process metrics if wanted. */
export function createRegistry(options: { processMetrics?: boolean } = {}): Registry {
  const registry = new Registry();
  if (options.processMetrics ?? true) collectDefaultMetrics({ register: registry });
  return registry;
}

export interface MetricsServer {
  /** With the port that was really taken. */
  readonly address: string;
  stop(): Promise<void>;
}

/**
 * Serves `/metrics` (Prometheus), `/healthz` (200 while the process answers) and `/readyz` (200, or 503 with what is missing).
 * Throws {@link ListenError} when the address cannot be listened on.
 */
export async function startMetricsServer(options: {
  readonly address: string;
  readonly registry: Registry;
  readonly health: Health;
  readonly setting?: string;
}): Promise<MetricsServer> {
  const { registry, health, setting = '--metrics-listen or WAGGLE_METRICS_LISTEN' } = options;
  const address = parseAddress(options.address);
  if (address?.kind !== 'tcp') throw new TypeError(`"${options.address}" is not an address: expected ${ADDRESS_FORM}`);

  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8_192 }, (request, response) => {
    answer(request, response, registry, health).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, formatAddress(address), setting)));
    server.listen(address.port, address.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    address: formatAddress({ ...address, port }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  registry: Registry,
  health: Health,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405, { allow: 'GET, HEAD' }).end();
    return;
  }
  switch (request.url?.split('?', 1)[0]) {
    case '/metrics':
      response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics());
      return;
    case '/healthz':
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n');
      return;
    case '/readyz':
      response
        .writeHead(health.ready ? 200 : 503, { 'content-type': 'application/json' })
        .end(`${JSON.stringify({ ready: health.ready, problems: health.problems() })}\n`);
      return;
    default:
      response.writeHead(404, { 'content-type': 'text/plain' }).end('/metrics, /healthz and /readyz are here\n');
  }
}

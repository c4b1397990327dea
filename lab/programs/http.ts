import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exchange, PodHttpAgent, parseUrls } from './pod-http.ts';
import { type Program, untilStopped } from './program-context.ts';
import { findRoute, parseRoutes } from './routes.ts';

/** A connection serves this many requests at most, so that clients which keep theirs still meet every replica. */
const REQUESTS_PER_CONNECTION = 50;
const UPSTREAM_TIMEOUT_MS = 5_000;

/**
 * An HTTP/1.1 server on PORT. It answers as NAME and VERSION after LATENCY_MS (mean, exponentially spread), with 500 for the
 * share ERROR_RATE (0 to 1) of requests. ROUTES names what it serves (see routes.ts; default: everything with 200).
 * UPSTREAMS are URLs it calls, one after another, for every request; one that fails makes the answer 502, unless
 * ON_UPSTREAM_ERROR is "ignore".
 */
export const http: Program = async (context) => {
  const port = context.number('PORT', 0, 1, 65_535);
  const name = context.text('NAME', 'http');
  const version = context.text('VERSION', 'v1');
  const latency = context.number('LATENCY_MS', 0, 0, 60_000);
  const errorRate = context.number('ERROR_RATE', 0, 0, 1);
  const routes = parseRoutes(context.text('ROUTES', ''));
  const upstreams = parseUrls('UPSTREAMS', context.text('UPSTREAMS', ''));
  const strict = context.text('ON_UPSTREAM_ERROR', 'fail') !== 'ignore';
  const agent = new PodHttpAgent(context, true);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').split('?', 1)[0]!;
    const route = findRoute(routes, request.method ?? 'GET', path);
    await context.pause(spread(route.latencyMs ?? latency));
    const called: Record<string, number | string> = {};
    let failed = false;
    if (route.status < 400) {
      for (const url of upstreams) {
        const outcome = await exchange(agent, { method: 'GET', url, timeoutMs: UPSTREAM_TIMEOUT_MS }).catch(
          (error: Error) => error.message,
        );
        called[url.host] = outcome;
        failed ||= typeof outcome === 'string' || outcome >= 500;
      }
    }
    const broken = Math.random() < errorRate;
    const status = broken ? 500 : failed && strict ? 502 : route.status;
    if (response.destroyed) return;
    const body = `${JSON.stringify({ name, version, path, upstreams: called })}\n`;
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  };

  const server = createServer((request, response) => {
    request.resume();
    answer(request, response).catch((error: Error) => {
      context.log(error.message);
      response.destroy();
    });
  });
  server.maxRequestsPerSocket = REQUESTS_PER_CONNECTION;
  await context.listen(server, port);
  context.log(`${name} ${version} listens on ${port}`);
  context.started();
  return untilStopped(context);
};

/** Half of the mean is certain, the other half exponential: a long tail without absurd outliers. */
function spread(mean: number): number {
  return mean === 0 ? 0 : mean / 2 + Math.min(5, -Math.log(1 - Math.random())) * (mean / 2);
}

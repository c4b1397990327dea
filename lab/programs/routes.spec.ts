import { describe, expect, test } from 'vitest';
import { findRoute, parseRoutes } from './routes.ts';

const routes = parseRoutes(
  'GET /status; POST /v1/request-landing=200; PUT /v1/exhaust-port=503; /slow=200,800ms; /files/*',
);

describe('routes', () => {
  test.each([
    ['GET', '/status', { status: 200 }],
    ['POST', '/status', { status: 405 }],
    ['PUT', '/v1/exhaust-port', { status: 503 }],
    ['DELETE', '/slow', { status: 200, latencyMs: 800 }],
    ['GET', '/files/a/b', { status: 200 }],
    ['GET', '/', { status: 404 }],
  ])('%s %s', (method, path, expected) => {
    expect(findRoute(routes, method, path)).toEqual(expected);
  });

  test('without any, everything is served', () => {
    expect(findRoute(parseRoutes(''), 'GET', '/x')).toEqual({ status: 200 });
  });

  test.each(['status', 'get /status', '/a=99', '/a=600', '/a=200,5s', '/a b'])('"%s" is refused', (text) => {
    expect(() => parseRoutes(text)).toThrow(`ROUTES holds "${text}"`);
  });
});

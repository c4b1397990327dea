import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ApiClient } from './api-client.ts';
import { type ApiDocument, ListWatch, type ListWatchLimits } from './list-watch.ts';

// A server that speaks the API's protocol and errs when told to; kubernetes-source.api.spec.ts asks the real one.
type Answer = (request: URL, response: ServerResponse, raw: IncomingMessage) => void;

let server: Server;
let answer: Answer;
let asked: URL[];
let client: ApiClient;
let stopping: AbortController;
let running: Promise<void> | undefined;
const told: string[] = [];

beforeEach(async () => {
  told.length = 0;
  asked = [];
  stopping = new AbortController();
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://x');
    asked.push(url);
    answer(url, response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  client = new ApiClient({
    server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    namespace: 'default',
    insecure: false,
    origin: 'spec',
    credentials: async () => ({}),
  });
});
afterEach(async () => {
  stopping.abort();
  await running;
  running = undefined;
  client.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const FAST: ListWatchLimits = { backoff: { firstMs: 5, mostMs: 20 }, absentMs: 20 };

function follow(optional = false, limits: ListWatchLimits = FAST): ListWatch {
  const watch = new ListWatch(
    client,
    { path: '/api/v1/pods', fieldSelector: 'a=b', optional },
    {
      put: ({ metadata }) => told.push(`+${metadata.name}@${metadata.resourceVersion}`),
      delete: (namespace, name) => told.push(`-${namespace}/${name}`),
    },
    limits,
  );
  running = watch.run(stopping.signal, () => told.push('listed'));
  return watch;
}

function pod(name: string, resourceVersion: string): ApiDocument {
  return { metadata: { name, namespace: 'shop', resourceVersion } };
}

function list(response: ServerResponse, items: ApiDocument[], more: object = {}): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ metadata: { resourceVersion: '100', ...more }, items }));
}

function event(response: ServerResponse, type: string, object: object): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' });
  response.write(`${JSON.stringify({ type, object })}\n`);
}

function refuse(response: ServerResponse, code: number, reason: string): void {
  response.writeHead(code, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ kind: 'Status', code, reason, message: `${reason} it is` }));
}

const isWatch = (url: URL) => url.searchParams.get('watch') === '1';
const watches = () => asked.filter(isWatch);
const eventually = (check: () => void) => vi.waitFor(check, { timeout: 30_000, interval: 5 });

describe('a collection', () => {
  test('is listed in pages and then watched from where the list was', async () => {
    answer = (url, response) => {
      if (isWatch(url)) event(response, 'ADDED', pod('c', '101'));
      else if (url.searchParams.get('continue') === 'next') list(response, [pod('b', '2')]);
      else list(response, [pod('a', '1')], { continue: 'next' });
    };
    follow();
    await eventually(() => expect(told).toEqual(['+a@1', '+b@2', 'listed', '+c@101']));
    expect(asked[0]?.searchParams.get('limit')).toBe('100');
    expect(asked.every((url) => url.searchParams.get('fieldSelector') === 'a=b')).toBe(true);
    expect(watches()[0]?.searchParams.get('resourceVersion')).toBe('100');
    expect(watches()[0]?.searchParams.get('allowWatchBookmarks')).toBe('true');
  });

  test('is watched on from a bookmark when the server ends the watch', async () => {
    answer = (url, response) => {
      if (!isWatch(url)) return list(response, [pod('a', '1')]);
      if (watches().length === 1) {
        event(response, 'BOOKMARK', { metadata: { resourceVersion: '150' } });
        response.end();
      } else event(response, 'DELETED', pod('a', '160'));
    };
    follow();
    await eventually(() => expect(told).toEqual(['+a@1', 'listed', '-shop/a']));
    expect(watches()[1]?.searchParams.get('resourceVersion')).toBe('150');
    expect(asked.filter((url) => !isWatch(url))).toHaveLength(1);
  });

  test.for(['as an answer', 'as an event'])('is listed anew when its place is forgotten, told %s', async (how) => {
    let lists = 0;
    answer = (url, response) => {
      if (!isWatch(url))
        list(response, lists++ === 0 ? [pod('a', '1'), pod('b', '2')] : [pod('b', '2'), pod('c', '3')]);
      else if (watches().length > 1) response.writeHead(200).flushHeaders();
      else if (how === 'as an answer') refuse(response, 410, 'Expired');
      else event(response, 'ERROR', { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' });
    };
    const watch = follow();
    // What has not changed is not told again; what went away meanwhile is.
    await eventually(() => expect(told).toEqual(['+a@1', '+b@2', 'listed', '+c@3', '-shop/a']));
    expect(watch.problem).toBe('');
  });

  test('stays as it was while the server fails, says why, and recovers', async () => {
    let failing = false;
    const open: ServerResponse[] = [];
    answer = (url, response) => {
      if (failing) refuse(response, 503, 'ServiceUnavailable');
      else if (!isWatch(url)) list(response, [pod('a', '1')]);
      else {
        response.writeHead(200).flushHeaders();
        open.push(response);
      }
    };
    const watch = follow();
    await eventually(() => expect(open).toHaveLength(1));
    failing = true;
    open[0]?.destroy();
    await eventually(() => expect(watch.problem).toMatch(/ServiceUnavailable it is \(503\)/));
    expect(told).toEqual(['+a@1', 'listed']);
    failing = false;
    await eventually(() => expect(watch.problem).toBe(''));
    expect(open).toHaveLength(2);
    expect(asked.filter((url) => !isWatch(url))).toHaveLength(1);
  });

  test('whose watch falls silent is watched on a new connection', async () => {
    answer = (url, response) => {
      if (!isWatch(url)) list(response, []);
      else if (watches().length === 1) response.writeHead(200).flushHeaders();
      else event(response, 'ADDED', pod('late', '101'));
    };
    follow(false, { ...FAST, silenceMs: 50 });
    await eventually(() => expect(told).toContain('+late@101'));
  });

  test('an event that is cut in half or none breaks the watch, not the process', async () => {
    answer = (url, response) => {
      if (!isWatch(url)) return list(response, []);
      response.writeHead(200);
      if (watches().length === 1) response.end('{"type":"ADDED","object":{"metadata":{"na\n');
      else if (watches().length === 2) response.end('[]\n');
      else event(response, 'ADDED', pod('whole', '101'));
    };
    follow();
    await eventually(() => expect(told).toEqual(['listed', '+whole@101']));
  });

  test('is not asked for in a tight circle by a server that ends every watch at once', async () => {
    answer = (url, response) => (isWatch(url) ? response.writeHead(200).end() : list(response, []));
    follow(false, { backoff: { firstMs: 50, mostMs: 10_000 } });
    await eventually(() => expect(watches().length).toBeGreaterThan(1));
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(watches().length).toBeLessThan(7);
  });
});

describe('a kind that the server does not know', () => {
  test('is none, and is picked up when it comes', async () => {
    let known = false;
    answer = (url, response) => {
      if (url.pathname === '/readyz') response.end('ok');
      else if (!known) refuse(response, 404, 'NotFound');
      else if (isWatch(url)) response.writeHead(200).flushHeaders();
      else list(response, [pod('a', '1')]);
    };
    const watch = follow(true);
    await eventually(() => expect(told).toEqual(['listed']));
    expect(watch.problem).toBe('');
    known = true;
    await eventually(() => expect(told).toEqual(['listed', '+a@1']));
  });

  test('is not believed of a server that is still starting', async () => {
    let ready = false;
    answer = (url, response) => {
      if (url.pathname === '/readyz') ready ? response.end('ok') : refuse(response, 500, 'InternalError');
      else refuse(response, 404, 'NotFound');
    };
    follow(true);
    await eventually(() => expect(asked.filter(({ pathname }) => pathname === '/readyz').length).toBeGreaterThan(1));
    expect(told).toEqual([]);
    ready = true;
    await eventually(() => expect(told).toEqual(['listed']));
  });
});

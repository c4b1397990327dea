import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { Code } from '#runtime/grpc/service.ts';
import { Backend } from './backend.ts';
import { grpcStatus, rawBytes, rawRequest } from './raw-http.ts';

// What anyone who can reach the port may send to a running backend, here one of an empty cluster.

const STATUS = '/api/waggle.v1.ViewService/Status';
const WATCH = '/api/waggle.v1.ViewService/Watch';
const GRPC_WEB = 'application/grpc-web+proto';

describe('a running backend', () => {
  const stateDir = mkdtempSync(join(tmpdir(), 'waggle-hostile-'));
  let backend: Backend;

  beforeAll(async () => {
    backend = await Backend.start(stateDir);
  }, 60_000);

  afterAll(async () => {
    try {
      // It is the one that was started: nothing below has ended it.
      expect(grpcStatus(await call(STATUS, frame(new Uint8Array(0))))).toBe(Code.OK);
    } finally {
      await backend?.stop();
      rmSync(stateDir, { recursive: true, force: true });
    }
  }, 60_000);

  function call(path: string, body: Uint8Array | string, headers: Record<string, string> = {}) {
    return rawRequest(backend.url + path, {
      method: 'POST',
      headers: { 'content-type': GRPC_WEB, ...headers },
      body,
    });
  }

  test('serves what is asked well', async () => {
    expect(grpcStatus(await call(STATUS, frame(new Uint8Array(0))))).toBe(Code.OK);
  });

  describe('answers with a status', () => {
    test.for<[string, Uint8Array, number]>([
      ['no message', new Uint8Array(0), Code.INVALID_ARGUMENT],
      ['half a frame', Uint8Array.of(0, 0, 0), Code.INVALID_ARGUMENT],
      ['a message cut short', Uint8Array.of(0, 0, 0, 0, 9, 1), Code.INVALID_ARGUMENT],
      ['bytes that are no message', frame(Uint8Array.of(0xff, 0xff, 0xff, 0xff)), Code.INVALID_ARGUMENT],
      ['an announcement of 4 GiB', Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff), Code.RESOURCE_EXHAUSTED],
      ['32 MiB', frame(new Uint8Array(32 * 1024 * 1024)), Code.RESOURCE_EXHAUSTED],
    ])('to %s', async ([, body, code]) => {
      for (const path of [STATUS, WATCH]) {
        const answer = await call(path, body).catch((error: Error) => error);
        // The rest of an oversized body may be answered by a connection that ends.
        if (answer instanceof Error) expect(body.length).toBeGreaterThan(1024 * 1024);
        else expect(grpcStatus(answer)).toBe(code);
      }
    });

    test('to a filter that cannot be read, naming it', async () => {
      const request = create(WatchRequestSchema, { filter: ['port=banana'], map: true });
      const answer = await call(WATCH, frame(toBinary(WatchRequestSchema, request)));
      expect(grpcStatus(answer)).toBe(Code.INVALID_ARGUMENT);
      expect(decodeURIComponent(answer.body.toString('latin1'))).toContain('banana');
    });

    test('to a method that does not exist', async () => {
      expect(grpcStatus(await call('/api/waggle.v1.ViewService/DropTables', frame(new Uint8Array(0))))).toBe(
        Code.UNIMPLEMENTED,
      );
    });

    test('to text that is no base64', async () => {
      const answer = await call(STATUS, '!!!!', { 'content-type': 'application/grpc-web-text' });
      expect(grpcStatus(answer)).toBe(Code.INVALID_ARGUMENT);
    });

    test('to any bytes at all', async () => {
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (body) => {
          expect(grpcStatus(await call(STATUS, body))).toBeTypeOf('number');
        }),
        { numRuns: 50 },
      );
    });
  });

  test('allocates nothing for what is only announced', async () => {
    const rssBefore = rssBytes(backend.pid);
    const announce = () => call(WATCH, Uint8Array.of(0, 0x7f, 0xff, 0xff, 0xff)).catch(() => undefined);
    await Promise.all(Array.from({ length: 200 }, announce));
    expect(rssBytes(backend.pid) - rssBefore).toBeLessThan(64 * 1024 * 1024);
  });

  describe('refuses', () => {
    test.for(['evil.example', 'evil.example:80', '169.254.169.254', 'localhost.evil.example'])(
      'a request for the host %s (DNS rebinding)',
      async (host) => {
        const page = await rawRequest(backend.url, { headers: { host } });
        expect(page.status).toBeGreaterThanOrEqual(400);
        const api = await call(STATUS, frame(new Uint8Array(0)), { host });
        expect(api.status).toBeGreaterThanOrEqual(400);
      },
    );

    test('calls from a page of another origin', async () => {
      const origin = { origin: 'http://evil.example' };
      const preflight = await rawRequest(backend.url + WATCH, {
        method: 'OPTIONS',
        headers: { ...origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-grpc-web' },
      });
      expect(preflight.headers['access-control-allow-origin']).toBeUndefined();
      const answer = await call(STATUS, frame(new Uint8Array(0)), { ...origin, 'sec-fetch-site': 'cross-site' });
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    });

    test('paths outside of the page', async () => {
      for (const path of ['/../package.json', '/..%2f..%2fpackage.json', '/%2e%2e/%2e%2e/etc/passwd', '/.git/config']) {
        const answer = await rawBytes(
          backend.httpPort,
          `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${backend.httpPort}\r\nConnection: close\r\n\r\n`,
        );
        expect(answer, path).not.toMatch(/"dependencies"|root:x:|\[core\]/);
      }
    });

    test('what is no HTTP', async () => {
      await rawBytes(backend.httpPort, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03');
      await rawBytes(backend.httpPort, `GET / HTTP/1.1\r\n${'x: y\r\n'.repeat(20_000)}`);
      await rawBytes(backend.grpcPort, 'GET / HTTP/1.1\r\n\r\n');
      await rawBytes(backend.grpcPort, `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${'\xff'.repeat(5_000)}`);
      expect(grpcStatus(await call(STATUS, frame(new Uint8Array(0))))).toBe(Code.OK);
    });
  });

  test('sends the page with a policy that lets only its own scripts run', async () => {
    const { headers } = await rawRequest(backend.url);
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/default-src 'self'|default-src 'none'/);
    expect(policy).not.toMatch(/unsafe-inline|unsafe-eval/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-powered-by']).toBeUndefined();
  });
});

/** A gRPC-Web message frame: no flags, length, message. */
function frame(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(5 + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, 5);
  return framed;
}

function rssBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}

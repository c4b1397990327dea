import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage, type RequestOptions, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import express from 'express';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  FlowBatchSchema,
  FlowService,
  FollowRequestSchema,
  StatusResponseSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { Code, type Handlers, StatusError, service } from '../grpc/service.ts';
import { messageFrame } from './frame.ts';
import { type GrpcWebOptions, grpcWebRouter } from './router.ts';

const FOLLOW = '/waggle.v1.FlowService/Follow';
const STATUS = '/waggle.v1.FlowService/Status';
/** For a busy machine; vitest’s own patience is a second. */
const SOON = { timeout: 20_000 };

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
});

async function serve(
  handlers: Partial<Handlers<typeof FlowService>> = {},
  options: GrpcWebOptions = {},
): Promise<number> {
  const app = express();
  const unary: Handlers<typeof FlowService>['status'] = async () => create(StatusResponseSchema, { version: 'v' });
  const stream: Handlers<typeof FlowService>['follow'] = async function* () {};
  const services = [service(FlowService, { status: unary, follow: stream, ...handlers })];
  app.use(grpcWebRouter(services, { log: pino({ level: 'silent' }), ...options }));
  app.use((_request, response) => {
    response.status(404).send('the page');
  });
  const listening = app.listen(0, '127.0.0.1');
  server = listening;
  await once(listening, 'listening');
  return (listening.address() as AddressInfo).port;
}

const BINARY = { 'content-type': 'application/grpc-web+proto' };
const TEXT = { 'content-type': 'application/grpc-web-text', accept: 'application/grpc-web-text' };

function open(
  port: number,
  path: string,
  body: Buffer | string,
  options: RequestOptions = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      path,
      method: 'POST',
      headers: BINARY,
      agent: false,
      ...options,
    });
    request.once('response', resolve);
    request.once('error', reject);
    request.end(body);
  });
}

interface Answer {
  http: number | undefined;
  messages: Buffer[];
  code: number | undefined;
  message: string;
}

async function collect(response: IncomingMessage): Promise<Answer> {
  const body = Buffer.concat(await response.toArray());
  const text = response.headers['content-type']?.includes('-text');
  return { http: response.statusCode, ...parse(text ? fromText(body) : body) };
}

/** As a browser does it: in groups of four, padded or not. */
function fromText(body: Buffer): Buffer {
  const groups = body.toString('latin1').match(/.{4}/g) ?? [];
  return Buffer.concat(groups.map((group) => Buffer.from(group, 'base64')));
}

function parse(body: Buffer): Pick<Answer, 'messages' | 'code' | 'message'> {
  const messages: Buffer[] = [];
  for (let offset = 0; offset + 5 <= body.length; ) {
    const end = offset + 5 + body.readUInt32BE(offset + 1);
    const payload = body.subarray(offset + 5, end);
    if ((body.readUInt8(offset) & 0x80) !== 0) {
      const [, code, message] = /^grpc-status: (\d+)\r\ngrpc-message: (.*)\r\n$/.exec(payload.toString()) ?? [];
      return { messages, code: Number(code), message: decodeURIComponent(message ?? '') };
    }
    messages.push(payload);
    offset = end;
  }
  return { messages, code: undefined, message: '' };
}

const call = async (port: number, path: string, body: Buffer | string, options?: RequestOptions) =>
  collect(await open(port, path, body, options));

const empty = messageFrame(new Uint8Array());
const rowsOf = (messages: Buffer[]) => messages.map((bytes) => fromBinary(FlowBatchSchema, bytes).rows);
const batch = (rows: number, bytes = 0) => create(FlowBatchSchema, { rows, columns: new Uint8Array(bytes) });

describe.each([
  ['binary', BINARY, (bytes: Buffer) => bytes],
  ['text', TEXT, (bytes: Buffer) => Buffer.from(bytes.toString('base64'))],
] as const)('in %s mode', (_name, headers, encode) => {
  test('a unary call is answered', async () => {
    const port = await serve();
    const answer = await call(port, STATUS, encode(empty), { headers });
    expect(answer).toMatchObject({ http: 200, code: Code.OK });
    expect(answer.messages.map((bytes) => fromBinary(StatusResponseSchema, bytes).version)).toEqual(['v']);
  });

  test('a request reaches the handler', async () => {
    let seen: string[] = [];
    const port = await serve({
      follow: async function* ({ filter }) {
        seen = filter;
        yield batch(0);
      },
    });
    const message = messageFrame(toBinary(FollowRequestSchema, create(FollowRequestSchema, { filter: ['ns=shop'] })));
    expect((await call(port, FOLLOW, encode(message), { headers })).code).toBe(Code.OK);
    expect(seen).toEqual(['ns=shop']);
  });

  test('a stream arrives message by message, each complete when it comes', async () => {
    const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()] as const;
    const port = await serve({
      follow: async function* () {
        yield batch(1, 1);
        await gates[0].promise;
        yield batch(2, 2);
        await gates[1].promise;
        throw new StatusError(Code.OUT_OF_RANGE, 'cursor “x”');
      },
    });
    const response = await open(port, FOLLOW, encode(empty), { headers });
    const received: Buffer[] = [];
    response.on('data', (chunk) => received.push(chunk));
    const soFar = () => {
      const body = Buffer.concat(received);
      return parse(headers === TEXT ? fromText(body) : body);
    };
    await vi.waitFor(() => expect(rowsOf(soFar().messages)).toEqual([1]), SOON);
    gates[0].resolve();
    await vi.waitFor(() => expect(rowsOf(soFar().messages)).toEqual([1, 2]), SOON);
    gates[1].resolve();
    await once(response, 'end');
    expect(soFar()).toMatchObject({ code: Code.OUT_OF_RANGE, message: 'cursor “x”' });
  });
});

describe('what is not a good request', () => {
  test.for<[string, Buffer | string, RequestOptions, number]>([
    ['no body', '', {}, Code.INVALID_ARGUMENT],
    ['a truncated frame', Buffer.from([0, 0, 0, 0, 5, 1]), {}, Code.INVALID_ARGUMENT],
    ['bytes that are no message', messageFrame(Buffer.from([0x0a, 100])), {}, Code.INVALID_ARGUMENT],
    ['broken base64', 'AAA', { headers: TEXT }, Code.INVALID_ARGUMENT],
    ['a compressed frame', Buffer.from([1, 0, 0, 0, 0]), {}, Code.UNIMPLEMENTED],
    ['a compressed body', empty, { headers: { ...BINARY, 'content-encoding': 'gzip' } }, Code.UNIMPLEMENTED],
    ['an announced length over the limit', Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), {}, Code.RESOURCE_EXHAUSTED],
    ['a body over the limit', messageFrame(Buffer.alloc(2_000)), {}, Code.RESOURCE_EXHAUSTED],
    [
      'a body over the limit without declared length',
      messageFrame(Buffer.alloc(200_000)),
      { headers: { ...BINARY, 'transfer-encoding': 'chunked' } },
      Code.RESOURCE_EXHAUSTED,
    ],
    ['a bad timeout', empty, { headers: { ...BINARY, 'grpc-timeout': 'soon' } }, Code.INVALID_ARGUMENT],
  ])('(%s) gets a status, and the server lives on', async ([, body, options, code]) => {
    const port = await serve({}, { maxReceiveBytes: 1_000 });
    const answer = await call(port, FOLLOW, body, options);
    expect(answer).toMatchObject({ http: 200, code, messages: [] });
    expect(answer.message).not.toBe('');
    expect((await call(port, STATUS, empty)).code).toBe(Code.OK);
  });

  test('a declared length over the limit is refused before the body comes', async () => {
    const port = await serve();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const headers = { ...BINARY, 'content-length': 3_000_000_000 };
      const request = httpRequest({ port, host: '127.0.0.1', path: FOLLOW, method: 'POST', headers, agent: false });
      request.once('response', resolve);
      request.once('error', reject);
      request.flushHeaders();
    });
    expect((await collect(response)).code).toBe(Code.RESOURCE_EXHAUSTED);
  });

  test('an unknown method is UNIMPLEMENTED', async () => {
    const port = await serve();
    expect((await call(port, '/waggle.v1.FlowService/Nothing', empty)).code).toBe(Code.UNIMPLEMENTED);
    expect((await call(port, '/', empty)).code).toBe(Code.UNIMPLEMENTED);
  });

  test('a refused request leaves the connection usable', async () => {
    const port = await serve();
    const { Agent } = await import('node:http');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 3; round++) {
      expect((await call(port, '/a.B/C', messageFrame(Buffer.alloc(1_000)), { agent })).code).toBe(Code.UNIMPLEMENTED);
      expect((await call(port, STATUS, empty, { agent })).code).toBe(Code.OK);
    }
    agent.destroy();
  });

  test('only POST, and only gRPC-Web, reaches a method; other requests pass by', async () => {
    const port = await serve();
    const get = await open(port, STATUS, '', { method: 'GET', headers: {} });
    expect([get.statusCode, get.headers.allow]).toEqual([405, 'POST']);
    const json = await open(port, STATUS, '{}', { headers: { 'content-type': 'application/json' } });
    expect(json.statusCode).toBe(415);
    const preflight = await open(port, STATUS, '', { method: 'OPTIONS', headers: { origin: 'http://evil.example' } });
    expect([preflight.statusCode, preflight.headers['access-control-allow-origin']]).toEqual([405, undefined]);
    const page = await open(port, '/', '', { method: 'GET', headers: {} });
    expect(page.statusCode).toBe(404);
    for (const response of [get, json, preflight, page]) response.resume();
  });
});

describe('a call', () => {
  test('ends at its deadline, although the handler does not', async () => {
    const port = await serve({ status: () => new Promise(() => {}) });
    const headers = { ...BINARY, 'grpc-timeout': '50m' };
    expect((await call(port, STATUS, empty, { headers })).code).toBe(Code.DEADLINE_EXCEEDED);
  });

  test('that fails unexpectedly tells nothing about it', async () => {
    const port = await serve({
      status: async () => {
        throw new Error('password is 1234');
      },
    });
    const answer = await call(port, STATUS, empty);
    expect(answer.code).toBe(Code.INTERNAL);
    expect(answer.message).not.toContain('1234');
  });

  test('whose caller goes away is aborted', async () => {
    const aborted = Promise.withResolvers<void>();
    const port = await serve({
      follow: async function* (_request, { signal }) {
        signal.addEventListener('abort', () => aborted.resolve());
        yield batch(1);
        await aborted.promise;
      },
    });
    const response = await open(port, FOLLOW, empty);
    await once(response, 'data');
    response.destroy();
    await aborted.promise;
  });

  test('over the limit of concurrent calls is refused', async () => {
    const port = await serve(
      {
        follow: async function* (_request, { signal }) {
          yield batch(1);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
      },
      { maxConcurrentCalls: 1 },
    );
    const first = await open(port, FOLLOW, empty);
    expect((await call(port, STATUS, empty)).code).toBe(Code.RESOURCE_EXHAUSTED);
    first.destroy();
    await vi.waitFor(async () => expect((await call(port, STATUS, empty)).code).toBe(Code.OK), SOON);
  });

  test('ends with UNAVAILABLE when the server shuts down', async () => {
    const shutdown = new AbortController();
    const port = await serve(
      {
        follow: async function* (_request, { signal }) {
          yield batch(7);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
      },
      { shutdown: shutdown.signal },
    );
    const response = await open(port, FOLLOW, empty);
    shutdown.abort();
    const answer = await collect(response);
    expect(rowsOf(answer.messages)).toEqual([7]);
    expect(answer.code).toBe(Code.UNAVAILABLE);
    expect((await call(port, STATUS, empty)).code).toBe(Code.UNAVAILABLE);
  });

  test('with a reader that stands still asks the handler for no more', async () => {
    const size = 100_000;
    let produced = 0;
    const port = await serve({
      follow: async function* () {
        while (produced < 2_000) yield batch(++produced, size);
      },
    });
    const response = await open(port, FOLLOW, empty);
    response.pause();
    let before = -1;
    await vi.waitFor(
      () => {
        const same = produced === before;
        before = produced;
        expect(same).toBe(true);
      },
      { timeout: 10_000, interval: 300 },
    );
    // The kernel's socket buffers hold a few MB; the rest of the 200 MB is not made.
    expect(produced * size).toBeLessThan(20_000_000);
    expect(rowsOf((await collect(response)).messages)).toHaveLength(2_000);
  });
});

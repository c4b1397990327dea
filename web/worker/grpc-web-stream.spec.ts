import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { afterEach, expect, test } from 'vitest';
import { ViewService, ViewUpdateSchema, WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { type CallError, CODE, NO_STATUS } from './call-error.ts';
import { messageFrame } from './grpc-web-frames.ts';
import { openStream } from './grpc-web-stream.ts';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function served(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

interface Watched {
  readonly tokens: string[];
  readonly error: CallError | undefined;
}

/** What came until the stream ended. */
function watched(base: string): Promise<Watched> {
  return new Promise((resolve) => {
    const tokens: string[] = [];
    openStream(base, ViewService.method.watch, create(WatchRequestSchema, { namespaces: ['asked'] }), {
      message: ({ hidden }) => tokens.push(...(hidden?.tokens ?? []).map(({ token }) => token)),
      end: (error) => resolve({ tokens, error }),
    });
  });
}

const update = (token: string) =>
  messageFrame(toBinary(ViewUpdateSchema, create(ViewUpdateSchema, { hidden: { tokens: [{ token }] } })));

function trailers(text: string): Uint8Array {
  const frame = messageFrame(new TextEncoder().encode(text));
  frame[0] = 0x80;
  return frame;
}

const OK = trailers('grpc-status: 0\r\ngrpc-message: \r\n');
const HEADERS = { 'content-type': 'application/grpc-web+proto' };

test('messages come as they are sent, in whatever pieces', async () => {
  let asked: Uint8Array | undefined;
  let path = '';
  const base = await served(async (request, response) => {
    path = request.url!;
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    asked = Buffer.concat(pieces);
    response.writeHead(200, HEADERS);
    for (const byte of Buffer.concat([update('one'), update('two'), update('ä'.repeat(300))])) {
      response.write(Buffer.of(byte));
    }
    response.end(Buffer.concat([update('four'), OK]));
  });
  expect(await watched(base)).toEqual({ tokens: ['one', 'two', 'ä'.repeat(300), 'four'], error: undefined });
  expect(path).toBe('/waggle.v1.ViewService/Watch');
  expect(fromBinary(WatchRequestSchema, asked!.subarray(5)).namespaces).toEqual(['asked']);
});

test('a message is there before the stream ends', async () => {
  const base = await served((_, response) => {
    response.writeHead(200, HEADERS).write(update('one'));
  });
  const first = await new Promise((resolve) => {
    const cancel = openStream(base, ViewService.method.watch, create(WatchRequestSchema), {
      message: (message) => {
        cancel();
        resolve(message.hidden?.tokens.map(({ token }) => token));
      },
      end: () => resolve('ended'),
    });
  });
  expect(first).toEqual(['one']);
});

test('the server’s status ends it, in words', async () => {
  const base = await served((_, response) => {
    response.writeHead(200, HEADERS);
    response.end(Buffer.concat([update('one'), trailers('grpc-status: 3\r\ngrpc-message: no field %C3%A4\r\n')]));
  });
  const { tokens, error } = await watched(base);
  expect([tokens, error?.code, error?.message]).toEqual([['one'], 3, 'no field ä']);
});

const HTML = { 'content-type': 'text/html' };
const { BROKEN, SIGN_IN, INTERCEPTED } = NO_STATUS;

test.each<[string, RequestListener, number, RegExp]>([
  [
    'a status in the headers',
    (_, r) => r.writeHead(200, { ...HEADERS, 'grpc-status': '7', 'grpc-message': 'no' }).end(),
    CODE.PERMISSION_DENIED,
    /^no$/,
  ],
  ['a proxy without a server behind it', (_, r) => r.writeHead(503, HTML).end('<p>'), INTERCEPTED, /^HTTP status 503$/],
  ['a proxy that cannot read the request', (_, r) => r.writeHead(400).end(), INTERCEPTED, /400/],
  ['a proxy that counts requests', (_, r) => r.writeHead(429).end(), CODE.RESOURCE_EXHAUSTED, /429/],
  [
    'an answer with words for a person',
    (_, r) => r.writeHead(421, { 'content-type': 'text/plain' }).end(`This name is not served.\n${'x'.repeat(9_999)}`),
    INTERCEPTED,
    /^HTTP status 421: This name is not served\.$/,
  ],
  ['a door that is closed', (_, r) => r.writeHead(401).end(), SIGN_IN, /401/],
  ['a door that is closed to some', (_, r) => r.writeHead(403, HTML).end('<form>'), SIGN_IN, /403/],
  ['the way to a door', (_, r) => r.writeHead(302, { location: '/login' }).end(), SIGN_IN, /elsewhere/],
  ['a page instead of flows', (_, r) => r.writeHead(200, HTML).end('<p>'), SIGN_IN, /page to read/],
  [
    'something else instead of flows',
    (_, r) => r.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
    INTERCEPTED,
    /application\/json, not gRPC-Web/,
  ],
  [
    'a body that is cut off',
    (_, r) => r.writeHead(200, HEADERS).end(update('one').subarray(0, 7)),
    BROKEN,
    /ended before/,
  ],
  ['a message that is too long', (_, r) => r.writeHead(200, HEADERS).end(Buffer.of(0, 255, 0, 0, 0)), 15, /at most/],
  ['a compressed message', (_, r) => r.writeHead(200, HEADERS).end(Buffer.of(1, 0, 0, 0, 0)), 15, /compressed/],
  ['no message at all', (_, r) => r.writeHead(200, HEADERS).end(Buffer.from([0, 0, 0, 0, 1, 255])), 15, /./],
  [
    'a connection that breaks',
    (_, r) => r.writeHead(200, HEADERS).write(update('one'), () => r.destroy()),
    BROKEN,
    /broke/,
  ],
])('%s is an error', async (_, listener, code, message) => {
  const { error } = await watched(await served(listener));
  expect([error?.code, error?.message]).toEqual([code, expect.stringMatching(message)]);
});

test('who has said how it ended is believed, though the answer does not end, and nothing after it counts', async () => {
  const base = await served((_, response) => {
    response
      .writeHead(200, HEADERS)
      .write(Buffer.concat([update('one'), trailers('grpc-status: 8\r\n'), update('two')]));
  });
  const { tokens, error } = await watched(base);
  expect([tokens, error?.code]).toEqual([['one'], CODE.RESOURCE_EXHAUSTED]);
});

test('a part of a message is heard, though there is none yet', async () => {
  const base = await served((_, response) => {
    response.writeHead(200, HEADERS).write(update('one').subarray(0, 3));
  });
  await new Promise<void>((resolve, reject) => {
    const cancel = openStream(base, ViewService.method.watch, create(WatchRequestSchema), {
      heard: () => {
        cancel();
        resolve();
      },
      message: reject,
      end: reject,
    });
  });
});

test('where nobody listens, that is said', async () => {
  const base = await served(() => {});
  server!.close();
  await once(server!, 'close');
  expect((await watched(base)).error?.code).toBe(NO_STATUS.NO_ANSWER);
});

test('after it was cancelled nothing is reported, and the connection is gone', async () => {
  let gone: Promise<unknown> | undefined;
  const base = await served((request, response) => {
    gone = once(request.socket, 'close');
    response.writeHead(200, HEADERS).write(update('one'));
  });
  let reported = 0;
  await new Promise<void>((resolve) => {
    const cancel = openStream(base, ViewService.method.watch, create(WatchRequestSchema), {
      message: () => {
        reported++;
        cancel();
        resolve();
      },
      end: () => reported++,
    });
  });
  await gone;
  expect(reported).toBe(1);
});

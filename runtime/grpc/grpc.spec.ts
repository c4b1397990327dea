import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import { credentials, Client as RawClient } from '@grpc/grpc-js';
import { pino } from 'pino';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AgentService } from '#proto/gen/waggle/v1/agent_pb.ts';
import { FlowBatchSchema, FlowService, StatusResponseSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { ListenError } from '../listen-error.ts';
import { createClient } from './client.ts';
import { EncodedResponses } from './encoded-responses.ts';
import { type GrpcServer, startGrpcServer } from './server.ts';
import { Code, type Handlers, type Serializers, StatusError, service } from './service.ts';

type FlowHandlers = Handlers<typeof FlowService>;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const quiet = pino({ level: 'silent' });

async function serve(
  handlers: Partial<FlowHandlers>,
  options: { address?: string; maxReceiveBytes?: number; serializers?: Serializers<typeof FlowService> } = {},
): Promise<GrpcServer> {
  const unimplemented = () => {
    throw new StatusError(Code.UNIMPLEMENTED, 'not here');
  };
  const server = await startGrpcServer({
    address: options.address ?? '127.0.0.1:0',
    maxReceiveBytes: options.maxReceiveBytes,
    log: quiet,
    services: [
      service(FlowService, { follow: unimplemented, status: unimplemented, ...handlers }, options.serializers),
    ],
  });
  cleanups.push(() => server.stop(0));
  return server;
}

function connect(server: GrpcServer, maxReceiveBytes?: number) {
  const client = createClient(FlowService, server.address, { maxReceiveBytes });
  cleanups.push(() => client.close());
  return client;
}

async function failure(promise: Promise<unknown>): Promise<StatusError> {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(StatusError);
  return error;
}

const batch = (rows: number, bytes = 0) => create(FlowBatchSchema, { rows, columns: new Uint8Array(bytes) });

describe('a unary call', () => {
  test('carries request and response', async () => {
    const server = await serve({
      status: async () => create(StatusResponseSchema, { version: '1.2.3', flowsSeen: 7n }),
    });
    const response = await connect(server).status({});
    expect(response).toMatchObject({ version: '1.2.3', flowsSeen: 7n });
  });

  test('carries a status error with its code and words', async () => {
    const server = await serve({
      status: async () => {
        throw new StatusError(Code.FAILED_PRECONDITION, 'no node “é” yet');
      },
    });
    expect(await failure(connect(server).status({}))).toMatchObject({
      code: Code.FAILED_PRECONDITION,
      message: 'no node “é” yet',
    });
  });

  test('tells nothing about an unexpected failure', async () => {
    const server = await serve({
      status: async () => {
        throw new Error('secret path /etc/shadow');
      },
    });
    const error = await failure(connect(server).status({}));
    expect(error.code).toBe(Code.INTERNAL);
    expect(error.message).not.toContain('secret');
  });

  test('ends at its deadline, and the handler is told', async () => {
    const aborted = Promise.withResolvers<void>();
    const server = await serve({
      status: (_request, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.resolve();
            reject(signal.reason);
          });
        }),
    });
    const error = await failure(connect(server).status({}, { deadlineMs: 1_000 }));
    expect(error.code).toBe(Code.DEADLINE_EXCEEDED);
    // By our clock; when the server's own deadline is first, in its words.
    expect(error.message).toMatch(/^no answer within \d+\.\d s$|deadline/);
    await aborted.promise;
  });

  test('to a method nobody serves is UNIMPLEMENTED', async () => {
    const server = await serve({});
    const other = createClient(AgentService, server.address);
    cleanups.push(() => other.close());
    expect((await failure(other.listEndpoints({}))).code).toBe(Code.UNIMPLEMENTED);
  });

  test('to nobody is UNAVAILABLE', async () => {
    const server = await serve({});
    await server.stop(0);
    const { code, message } = await failure(connect(server).status({}));
    expect(code).toBe(Code.UNAVAILABLE);
    // The system's word, without grpc-js' account of its own state.
    expect(message).toMatch(
      /^no connection: (?:nothing listens at|there is no socket) \S+ \((?:ECONNREFUSED|ENOENT)\)$/,
    );
  });

  test('with bytes that are no message is refused and the server lives on', async () => {
    const server = await serve({ status: async () => create(StatusResponseSchema, { version: 'alive' }) });
    const raw = new RawClient(server.address, credentials.createInsecure());
    cleanups.push(() => raw.close());
    const error = await new Promise<{ code?: number } | null>((resolve) => {
      const same = (bytes: Buffer) => bytes;
      // Field 1, length-delimited, 100 bytes announced and none there.
      raw.makeUnaryRequest('/waggle.v1.FlowService/Status', same, same, Buffer.from([0x0a, 100]), resolve);
    });
    expect(error?.code).toBe(Code.INTERNAL);
    expect((await connect(server).status({})).version).toBe('alive');
  });

  test('over the request limit is RESOURCE_EXHAUSTED', async () => {
    const server = await serve({ follow: async function* () {} }, { maxReceiveBytes: 1_000 });
    const read = Array.fromAsync(connect(server).follow({ filter: ['x'.repeat(2_000)] }));
    expect((await failure(read)).code).toBe(Code.RESOURCE_EXHAUSTED);
  });
});

describe('a stream', () => {
  test('delivers every message in order, then ends', async () => {
    const server = await serve({
      follow: async function* () {
        for (let rows = 0; rows < 1_000; rows++) yield batch(rows);
      },
    });
    const received = await Array.fromAsync(connect(server).follow({}), (message) => message.rows);
    expect(received).toEqual(Array.from({ length: 1_000 }, (_, rows) => rows));
  });

  test('delivers batches of encoded messages as if they had come one by one', async () => {
    const sizes = [0, 1, 127, 128, 70_000, 5, 300_000];
    const encoded = (rows: number[]) =>
      new EncodedResponses(rows.map((bytes, index) => toBinary(FlowBatchSchema, batch(index + 1, bytes))));
    const server = await serve({
      follow: async function* () {
        yield encoded(sizes) as never;
        yield encoded([]) as never;
        yield batch(99, 3);
        yield encoded([2]) as never;
      },
    });
    const received = await Array.fromAsync(connect(server).follow({}), ({ rows, columns }) => [rows, columns.length]);
    expect(received).toEqual([...sizes.map((bytes, index) => [index + 1, bytes]), [99, 3], [1, 2]]);
  });

  test('delivers each message as it comes', async () => {
    const gate = Promise.withResolvers<void>();
    const server = await serve({
      follow: async function* () {
        yield batch(1);
        await gate.promise;
        yield batch(2);
      },
    });
    const stream = connect(server).follow({})[Symbol.asyncIterator]();
    expect((await stream.next()).value.rows).toBe(1);
    gate.resolve();
    expect((await stream.next()).value.rows).toBe(2);
    expect((await stream.next()).done).toBe(true);
  });

  test('ends with the status the handler throws, after its messages', async () => {
    const server = await serve({
      follow: async function* () {
        yield batch(1);
        throw new StatusError(Code.OUT_OF_RANGE, 'cursor from another life');
      },
    });
    const received: number[] = [];
    const error = await failure(
      (async () => {
        for await (const message of connect(server).follow({})) received.push(message.rows);
      })(),
    );
    expect(received).toEqual([1]);
    expect(error).toMatchObject({ code: Code.OUT_OF_RANGE, message: 'cursor from another life' });
  });

  test('asks the handler for no more than a slow reader can take', async () => {
    const size = 100_000;
    let produced = 0;
    const server = await serve({
      follow: async function* () {
        for (; produced < 500; ) yield batch(++produced, size);
      },
    });
    const stream = connect(server).follow({})[Symbol.asyncIterator]();
    await stream.next();
    // The reader stands still: production must stop, and well before the 50 MB it has.
    let before = -1;
    await vi.waitFor(
      () => {
        const same = produced === before;
        before = produced;
        expect(same).toBe(true);
      },
      { timeout: 10_000, interval: 300 },
    );
    expect(produced * size).toBeLessThan(8_000_000);
    // And it must go on when the reader does.
    for (let read = 1; read < 500; read++) expect((await stream.next()).value.rows).toBe(read + 1);
    expect((await stream.next()).done).toBe(true);
  });

  test.for(['leaving the loop', 'the signal'])('is cancelled by %s, which the handler sees', async (how) => {
    const ended = Promise.withResolvers<boolean>();
    const server = await serve({
      follow: async function* (_request, { signal }) {
        try {
          yield batch(1);
          await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
        } finally {
          ended.resolve(signal.aborted);
        }
      },
    });
    const controller = new AbortController();
    const read = async () => {
      for await (const _ of connect(server).follow({}, { signal: controller.signal })) {
        if (how === 'leaving the loop') break;
        controller.abort();
      }
    };
    if (how === 'leaving the loop') await read();
    else expect((await failure(read())).code).toBe(Code.CANCELLED);
    expect(await ended.promise).toBe(true);
  });

  test('ends with UNAVAILABLE when the server stops', async () => {
    const server = await serve({
      follow: async function* (_request, { signal }) {
        yield batch(1);
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      },
    });
    const stream = connect(server).follow({})[Symbol.asyncIterator]();
    await stream.next();
    const next = failure(stream.next());
    await server.stop();
    expect((await next).code).toBe(Code.UNAVAILABLE);
  });

  test('message over the reader’s limit is RESOURCE_EXHAUSTED', async () => {
    const server = await serve({
      follow: async function* () {
        yield batch(1, 100_000);
      },
    });
    const read = Array.fromAsync(connect(server, 10_000).follow({}));
    expect((await failure(read)).code).toBe(Code.RESOURCE_EXHAUSTED);
  });

  test('can send bytes encoded before', async () => {
    const encoded = toBinary(FlowBatchSchema, batch(42));
    const server = await serve(
      {
        follow: async function* () {
          yield batch(0);
        },
      },
      { serializers: { follow: () => encoded } },
    );
    expect(await Array.fromAsync(connect(server).follow({}), ({ rows }) => rows)).toEqual([42]);
  });
});

describe('listening', () => {
  test('on a unix socket works, also over one left behind by a killed process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'waggle-grpc-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const path = join(folder, 'agent.sock');
    // A listener whose process died leaves its file: the same as one closed without unlink.
    const { execFileSync } = await import('node:child_process');
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    expect(() => execFileSync(process.execPath, ['-e', script])).toThrow();
    const server = await serve(
      { status: async () => create(StatusResponseSchema, { version: 'u' }) },
      { address: `unix:${path}` },
    );
    expect(server.address).toBe(`unix:${path}`);
    expect((await connect(server).status({})).version).toBe('u');
  });

  test('on an IPv6 address works', async () => {
    const server = await serve(
      { status: async () => create(StatusResponseSchema, { version: '6' }) },
      { address: '[::1]:0' },
    );
    expect(server.address).toMatch(/^\[::1\]:[1-9]\d+$/);
    expect((await connect(server).status({})).version).toBe('6');
  });

  test('on a port in use names the address and the setting', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    cleanups.push(() => other.close());
    const { port } = other.address() as { port: number };
    const error = await serve({}, { address: `127.0.0.1:${port}` }).then(
      () => undefined,
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(ListenError);
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
    expect(error.message).toBe(
      `127.0.0.1:${port} is already in use by another program; choose another with --listen or WAGGLE_LISTEN`,
    );
  });

  test('never removes a file that is no socket', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'waggle-grpc-'));
    cleanups.push(() => rm(folder, { recursive: true }));
    const path = join(folder, 'notes.txt');
    await writeFile(path, 'keep me');
    await expect(serve({}, { address: `unix:${path}` })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});

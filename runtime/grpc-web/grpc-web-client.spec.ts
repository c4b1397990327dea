import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import express from 'express';
import * as grpcWeb from 'grpc-web';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type FlowBatch,
  FlowBatchSchema,
  FlowService,
  type FollowRequest,
  FollowRequestSchema,
  StatusResponseSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { Code, StatusError, service } from '../grpc/service.ts';
import { grpcWebRouter } from './router.ts';

// The client of the page's single calls, and of whoever reads streams as text, over as much of a browser's XMLHttpRequest as it
// asks for. The e2e tests have a real one; the page reads streams by itself (web/worker/grpc-web-stream.ts).
class NodeXMLHttpRequest {
  readyState = 0;
  status = 0;
  statusText = '';
  responseType = '';
  onreadystatechange: (() => void) | null = null;
  #text = '';
  #headers: Record<string, string> = {};
  #url = '';
  #request: ClientRequest | undefined;
  #response: IncomingMessage | undefined;

  open(_method: string, url: string) {
    this.#url = url;
    this.#become(1);
  }

  setRequestHeader(name: string, value: string) {
    this.#headers[name] = value;
  }

  send(body: string | Uint8Array) {
    const request = httpRequest(this.#url, { method: 'POST', headers: this.#headers, agent: false }, (response) => {
      this.#response = response;
      this.status = response.statusCode ?? 0;
      this.#become(2);
      response.on('data', (chunk: Buffer) => {
        this.#text += chunk.toString('latin1');
        this.#become(3);
      });
      response.on('end', () => this.#become(4));
    });
    request.on('error', () => this.#become(4));
    request.end(body);
    this.#request = request;
  }

  abort() {
    this.#request?.destroy();
  }

  get responseText() {
    return this.#text;
  }

  get response() {
    if (this.responseType !== 'arraybuffer') return this.#text;
    // Bytes are there only when all of them are.
    return this.readyState === 4 ? new Uint8Array(Buffer.from(this.#text, 'latin1')).buffer : null;
  }

  getResponseHeader(name: string) {
    return this.#response?.headers[name.toLowerCase()] ?? null;
  }

  getAllResponseHeaders() {
    const lines = Object.entries(this.#response?.headers ?? {}).map(([name, value]) => `${name}: ${value}`);
    return `${lines.join('\r\n')}\r\n`;
  }

  #become(state: number) {
    this.readyState = state;
    this.onreadystatechange?.();
  }
}

/** For a busy machine; vitest’s own patience is a second. */
const SOON = { timeout: 20_000 };

let server: Server;
let url: string;
let gone = 0;
let gate = Promise.withResolvers<void>();

beforeAll(async () => {
  vi.stubGlobal('XMLHttpRequest', NodeXMLHttpRequest);
  const app = express();
  const served = service(FlowService, {
    status: async () => create(StatusResponseSchema, { version: 'v9' }),
    follow: async function* ({ last, filter }, { signal }) {
      if (filter[0] === 'bad') throw new StatusError(Code.INVALID_ARGUMENT, 'filter “bad”: unknown');
      signal.addEventListener('abort', () => gone++);
      // Lengths that leave every remainder modulo 3, so that padding stands in the middle of the text.
      for (let rows = 1; rows <= last; rows++) yield create(FlowBatchSchema, { rows, columns: new Uint8Array(rows) });
      await gate.promise;
      yield create(FlowBatchSchema, { rows: 1_000 });
    },
  });
  app.use(grpcWebRouter([served], { log: pino({ level: 'silent' }) }));
  server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  vi.unstubAllGlobals();
  server.closeAllConnections();
  server.close();
});

function follow(format: 'text' | 'binary', init: { last?: number; filter?: string[] }) {
  const client = new grpcWeb.GrpcWebClientBase({ format });
  const method = new grpcWeb.MethodDescriptor<FollowRequest, FlowBatch>(
    '/waggle.v1.FlowService/Follow',
    grpcWeb.MethodType.SERVER_STREAMING,
    Object as never,
    Object as never,
    (message: FollowRequest) => toBinary(FollowRequestSchema, message),
    (bytes: Uint8Array) => fromBinary(FlowBatchSchema, bytes),
  );
  const path = `${url}${method.getName()}`;
  return client.serverStreaming(path, create(FollowRequestSchema, init), {}, method);
}

test('the grpc-web client reads a text stream while it runs, and its end', async () => {
  gate = Promise.withResolvers();
  const rows: number[] = [];
  const stream = follow('text', { last: 20 });
  const ended = new Promise<void>((resolve) => stream.on('end', () => resolve()));
  stream.on('data', (message) => rows.push(message.rows));
  const first = Array.from({ length: 20 }, (_, index) => index + 1);
  await vi.waitFor(() => expect(rows).toEqual(first), SOON);
  gate.resolve();
  await ended;
  expect(rows).toEqual([...first, 1_000]);
});

test('the grpc-web client reads a binary stream', async () => {
  gate.resolve();
  const rows: number[] = [];
  const stream = follow('binary', { last: 3 });
  stream.on('data', (message) => rows.push(message.rows));
  await new Promise<void>((resolve) => stream.on('end', () => resolve()));
  expect(rows).toEqual([1, 2, 3, 1_000]);
});

test.for(['text', 'binary'] as const)('the grpc-web client is told of a status, in %s', async (format) => {
  const stream = follow(format, { filter: ['bad'] });
  const error = await new Promise<grpcWeb.RpcError>((resolve) => stream.on('error', resolve));
  expect({ code: error.code, message: error.message }).toEqual({
    code: Code.INVALID_ARGUMENT,
    message: 'filter “bad”: unknown',
  });
});

test('the server sees when the grpc-web client cancels', async () => {
  gate = Promise.withResolvers();
  const before = gone;
  const stream = follow('text', { last: 1 });
  await new Promise<void>((resolve) => stream.on('data', () => resolve()));
  stream.cancel();
  await vi.waitFor(() => expect(gone).toBe(before + 1), SOON);
});

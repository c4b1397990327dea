import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { chmod } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { fromBinary, type Message, toBinary } from '@bufbuild/protobuf';
import {
  logVerbosity,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  setLogVerbosity,
  type status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ADDRESS_FORM, type Address, formatAddress, parseAddress } from '../address.ts';
import { type ConnectionLimitOptions, limitConnections } from '../connection-limit.ts';
import { listenError } from '../listen-error.ts';
import { createLogger, type Logger } from '../log.ts';
import { removeStaleSocket } from '../stale-socket.ts';
import { ArrivingCalls, type ArrivingCallsOptions } from './arriving-calls.ts';
import { toStatusError } from './call-outcome.ts';
import type { Caller } from './caller.ts';
import { EncodedResponses } from './encoded-responses.ts';
import { FramedBatch } from './framed-batch.ts';
import { addReflection } from './reflection.ts';
import { pumpResponses } from './response-pump.ts';
import { Code, type ServedMethod, type ServedService, StatusError } from './service.ts';

// What grpc-js would print by itself comes back as an error or a status, and is told there.
setLogVerbosity(logVerbosity.NONE);

/** A filter and a cursor; nobody sends more. */
const DEFAULT_MAX_REQUEST_BYTES = 256 * 1024;

// A stream's handler is asked for more only while less than this waits to be sent. One reader that stands still holds at most
// this and one message; enough to keep a fast reader's link busy.
const STREAM_BUFFER_BYTES = 256 * 1024;
// What a queued message costs besides its bytes, so that endless tiny ones are bounded too.
const MESSAGE_OVERHEAD_BYTES = 128;

export interface GrpcServerOptions {
  /** `host:port`, `[v6]:port` (port 0 = any free one) or `unix:/path`. */
  readonly address: string;
  readonly services: readonly ServedService[];
  /** TLS, of TCP addresses; without it, connections are plain. See tls.ts. */
  readonly credentials?: ServerCredentials;
  /**
   * Finds out who calls, by the headers of the call; throws a StatusError when they may not. Not asked about reflection, which
   * tells what is public.
   */
  readonly authenticate?: Authenticate;
  /** Largest request in bytes; a larger one is answered RESOURCE_EXHAUSTED. Default 256 KiB. */
  readonly maxReceiveBytes?: number;
  /** Bounds on connections, of TCP addresses. */
  readonly connections?: ConnectionLimitOptions;
  /** Bounds on calls whose request has not come whole. */
  readonly arriving?: ArrivingCallsOptions;
  /** Named in the message when the address cannot be had. */
  readonly setting?: string;
  readonly log?: Logger;
}

export type Authenticate = (
  method: ServedMethod,
  header: (name: string) => string | undefined,
  peer: string,
) => Promise<Caller | undefined>;

export interface GrpcServer {
  /** What it listens on, with the port that was really taken. Can be given to `createClient`. */
  readonly address: string;
  /**
   * Takes no new calls, ends streams with UNAVAILABLE, gives unary calls until the deadline, then closes every connection.
   * Safe to call twice.
   */
  stop(deadlineMs?: number): Promise<void>;
}

type StreamingCall = ServerWritableStream<unknown, Buffer>;
type UnaryCall = ServerUnaryCall<unknown, Buffer>;

/** Serves handlers over gRPC. Throws {@link ListenError} when the address cannot be listened on. */
export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { services, setting = '--listen or WAGGLE_LISTEN', log = createLogger('grpc') } = options;
  const address = parseAddress(options.address);
  if (address === undefined) throw new TypeError(`"${options.address}" is not an address: expected ${ADDRESS_FORM}`);

  const server = new Server({
    'grpc.max_receive_message_length': options.maxReceiveBytes ?? DEFAULT_MAX_REQUEST_BYTES,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': 20_000,
    'grpc.keepalive_timeout_ms': 10_000,
    'grpc.max_concurrent_streams': 1_000,
    'grpc.enable_channelz': 0,
    interceptors: [new ArrivingCalls(options.arriving).interceptor],
  });
  const streams = new Set<AbortController>();
  for (const served of services) {
    const definition: Record<string, MethodDefinition<Message, Buffer>> = {};
    const implementation: UntypedServiceImplementation = {};
    for (const method of served.methods) {
      const { input, localName } = method.descriptor;
      definition[localName] = {
        path: method.path,
        requestStream: false,
        responseStream: method.streaming,
        requestSerialize: (message: Message) => Buffer.from(toBinary(input, message)),
        requestDeserialize: (bytes: Buffer) => fromBinary(input, bytes),
        // Responses are encoded before they are queued, so that the queue is bounded in bytes.
        responseSerialize: (bytes: Buffer) => bytes,
        responseDeserialize: (bytes: Buffer) => bytes,
      };
      implementation[localName] = method.streaming
        ? (call: StreamingCall) => void serveStream(call, method, streams, options.authenticate, log)
        : (call: UnaryCall, respond: sendUnaryData<Buffer>) =>
            void serveUnary(call, respond, method, options.authenticate, log);
    }
    server.addService(definition, implementation);
  }

  addReflection(server, services);

  const port = await bind(server, address, setting, options.credentials);
  if (address.kind === 'unix') await chmod(address.path, 0o600);
  const unlimit = address.kind === 'unix' ? undefined : limitPort(port, options.connections);
  const bound = formatAddress(address.kind === 'tcp' ? { ...address, port } : address);
  let stopping: Promise<void> | undefined;
  return {
    address: bound,
    stop: (deadlineMs = 2_000) => {
      unlimit?.();
      stopping ??= stop(server, streams, deadlineMs);
      return stopping;
    },
  };
}

/** grpc-js keeps its listening sockets to itself, and bounds calls of a connection only. */
function limitPort(port: number, options: ConnectionLimitOptions | undefined): () => void {
  const take = limitConnections(options);
  const onSocket = (message: unknown) => {
    const { socket } = message as { readonly socket: Socket };
    if (socket.localPort === port) take(socket);
  };
  subscribe('net.server.socket', onSocket);
  return () => unsubscribe('net.server.socket', onSocket);
}

async function bind(
  server: Server,
  address: Address,
  setting: string,
  credentials?: ServerCredentials,
): Promise<number> {
  const text = formatAddress(address);
  try {
    if (address.kind === 'unix') await removeStaleSocket(address.path);
    return await new Promise<number>((resolve, reject) => {
      server.bindAsync(text, credentials ?? ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  } catch (error) {
    server.forceShutdown();
    throw listenError(error, text, setting);
  }
}

async function stop(server: Server, streams: Set<AbortController>, deadlineMs: number): Promise<void> {
  const drained = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  const unavailable = new StatusError(Code.UNAVAILABLE, 'the server is shutting down');
  for (const stream of streams) stream.abort(unavailable);
  const timer = setTimeout(() => server.forceShutdown(), deadlineMs);
  await drained;
  clearTimeout(timer);
}

async function serveUnary(
  call: UnaryCall,
  respond: sendUnaryData<Buffer>,
  method: ServedMethod,
  authenticate: Authenticate | undefined,
  log: Logger,
) {
  const controller = new AbortController();
  call.on('cancelled', () => controller.abort(new StatusError(Code.CANCELLED, 'the caller went away')));
  const peer = call.getPeer();
  try {
    const caller = authenticate && (await authenticate(method, headersOf(call.metadata), peer));
    // A handler would not hear of what came before it.
    if (controller.signal.aborted) return;
    const response = await (method.invoke(call.request, {
      signal: controller.signal,
      peer,
      caller,
    }) as Promise<unknown>);
    respond(null, encode(method, response));
  } catch (error) {
    if (controller.signal.aborted) return;
    const failure = toStatusError(error, method.path, peer, log);
    respond({ code: failure.code as status, details: failure.message });
  }
}

async function serveStream(
  call: StreamingCall,
  method: ServedMethod,
  streams: Set<AbortController>,
  authenticate: Authenticate | undefined,
  log: Logger,
) {
  const controller = new AbortController();
  const { signal } = controller;
  streams.add(controller);
  call.on('cancelled', () => controller.abort(new StatusError(Code.CANCELLED, 'the caller went away')));
  const peer = call.getPeer();
  let queued = 0;
  let drained: (() => void) | undefined;
  const send = (bytes: Buffer | FramedBatch) => {
    const cost = bytes.byteLength + MESSAGE_OVERHEAD_BYTES;
    queued += cost;
    call.write(bytes as Buffer, () => {
      queued -= cost;
      if (queued < STREAM_BUFFER_BYTES) drained?.();
    });
  };
  const write = (response: unknown): Promise<void> | undefined => {
    if (!(response instanceof EncodedResponses)) send(encode(method, response));
    else if (response.count > 0) send(new FramedBatch(response));
    if (queued < STREAM_BUFFER_BYTES) return undefined;
    return new Promise((resolve) => {
      drained = resolve;
    });
  };
  try {
    const caller = authenticate && (await authenticate(method, headersOf(call.metadata), peer));
    // A handler would not hear of what came before it.
    if (controller.signal.aborted) return;
    const responses = method.invoke(call.request, { signal, peer, caller }) as AsyncIterable<unknown>;
    // Not with the first message: on a stream that waits for news, a reader could not tell a server that is there from none.
    call.sendMetadata(new Metadata());
    await pumpResponses(responses, signal, write);
    if (signal.aborted) throw signal.reason;
    call.end();
  } catch (error) {
    const failure = signal.aborted ? (signal.reason as StatusError) : toStatusError(error, method.path, peer, log);
    // After a cancellation nobody listens any more; grpc-js drops what is sent then.
    if (!call.cancelled) call.emit('error', { code: failure.code as status, details: failure.message });
  } finally {
    streams.delete(controller);
    // Also after the end: whatever the handler hung on the signal is let go.
    if (!signal.aborted) controller.abort(new StatusError(Code.CANCELLED, 'the call is over'));
  }
}

function headersOf(metadata: Metadata): (name: string) => string | undefined {
  return (name) => metadata.get(name).find((value) => typeof value === 'string');
}

function encode(method: ServedMethod, response: unknown): Buffer {
  const { serialize, descriptor } = method;
  const bytes = serialize ? serialize(response as never) : toBinary(descriptor.output, response as never);
  return asBuffer(bytes);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

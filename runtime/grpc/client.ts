import {
  create,
  type DescMessage,
  type DescService,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import {
  credentials,
  type CallOptions as GrpcCallOptions,
  Client as GrpcClient,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { ADDRESS_FORM, parseAddress } from '../address.ts';
import { Code, methodPath, StatusError } from './service.ts';
import type { ClientSecurity } from './tls.ts';

const DEFAULT_MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

export type { ClientSecurity };

export interface CallOptions {
  /** Cancels the call, which then fails with CANCELLED. */
  readonly signal?: AbortSignal;
  /** Milliseconds from now; the call then fails with DEADLINE_EXCEEDED. For a stream: how long it may last as a whole. */
  readonly deadlineMs?: number;
}

export type UnaryCall<I extends DescMessage, O extends DescMessage> = (
  request: MessageInitShape<I>,
  options?: CallOptions,
) => Promise<MessageShape<O>>;

/**
 * Lazily: the call starts with the first next(). Leaving the loop cancels it. While the loop is busy, the transport reads on
 * only until its window is full; then the server waits.
 */
export type StreamingCall<I extends DescMessage, O extends DescMessage> = (
  request: MessageInitShape<I>,
  options?: CallOptions,
) => AsyncIterable<MessageShape<O>>;

export type Client<S extends DescService> = {
  readonly [M in keyof S['method']]: S['method'][M] extends {
    methodKind: 'unary';
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? UnaryCall<I, O>
    : S['method'][M] extends {
          methodKind: 'server_streaming';
          input: infer I extends DescMessage;
          output: infer O extends DescMessage;
        }
      ? StreamingCall<I, O>
      : never;
} & {
  /** Closes the connection; running calls fail. */
  close(): void;
};

/** Replaces protobuf-es' decoder for single methods, by camelCase name. It may throw; the call then fails. */
export type Deserializers<S extends DescService> = {
  [M in keyof S['method']]?: (bytes: Uint8Array) => MessageShape<S['method'][M]['output']>;
};

export interface ClientOptions<S extends DescService> {
  /** Largest response message in bytes; a larger one fails the call with RESOURCE_EXHAUSTED. Default 4 MiB. */
  readonly maxReceiveBytes?: number;
  readonly deserializers?: Deserializers<S>;
  /** TLS and who calls; without it, connections are plain and nobody is named. */
  readonly security?: ClientSecurity;
}

/**
 * A client of one service at `host:port`, `[v6]:port` or `unix:/path`. Connects with the first call and again after a loss;
 * a call while there is no connection fails at once with UNAVAILABLE, so that the caller decides when to try again.
 * Every failure is a {@link StatusError}.
 */
export function createClient<S extends DescService>(
  descriptor: S,
  target: string,
  options: ClientOptions<S> = {},
): Client<S> {
  if (parseAddress(target) === undefined)
    throw new TypeError(`"${target}" is not an address: expected ${ADDRESS_FORM}`);
  const { security } = options;
  const grpc = new GrpcClient(target, security?.credentials ?? credentials.createInsecure(), {
    ...(security?.serverName === undefined
      ? {}
      : { 'grpc.ssl_target_name_override': security.serverName, 'grpc.default_authority': security.serverName }),
    'grpc.max_receive_message_length': options.maxReceiveBytes ?? DEFAULT_MAX_RESPONSE_BYTES,
    // Agents and backend talk inside the cluster; a proxy from the environment would only stand in the way.
    'grpc.enable_http_proxy': 0,
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    // Callers have their own backoff; the channel must not answer "still waiting" from one of its own for long.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
    'grpc.service_config_disable_resolution': 1,
    // A retry would hold a copy of what was sent; calls that may be repeated are repeated by their callers.
    'grpc.enable_retries': 0,
  });
  const deserializers = (options.deserializers ?? {}) as Record<string, ((bytes: Uint8Array) => unknown) | undefined>;
  const client: Record<string, unknown> = { close: () => grpc.close() };
  for (const method of descriptor.methods) {
    const path = methodPath(method);
    const encode = (message: unknown) => Buffer.from(toBinary(method.input, message as never));
    const decode = deserializers[method.localName] ?? ((bytes: Uint8Array) => fromBinary(method.output, bytes));
    const prepare = (request: unknown) => create(method.input, request as never);
    if (method.methodKind === 'unary') {
      client[method.localName] = (request: unknown, call: CallOptions = {}) =>
        callUnary(grpc, path, encode, decode, prepare(request), metadataOf(security), call);
    } else if (method.methodKind === 'server_streaming') {
      client[method.localName] = (request: unknown, call: CallOptions = {}) =>
        callStreaming(grpc, path, encode, decode, prepare(request), metadataOf(security), call);
    }
  }
  return client as Client<S>;
}

type Encode = (message: unknown) => Buffer;
type Decode = (bytes: Buffer) => unknown;

function callUnary(
  grpc: GrpcClient,
  path: string,
  encode: Encode,
  decode: Decode,
  request: unknown,
  metadata: Metadata,
  options: CallOptions,
) {
  return new Promise<unknown>((resolve, reject) => {
    const { signal } = options;
    if (signal?.aborted) {
      reject(cancelled());
      return;
    }
    const call = grpc.makeUnaryRequest(
      path,
      encode,
      decode,
      request,
      metadata,
      grpcOptions(options),
      (error, response) => {
        signal?.removeEventListener('abort', abort);
        if (error) reject(fromServiceError(error));
        else resolve(response);
      },
    );
    const abort = () => call.cancel();
    signal?.addEventListener('abort', abort, { once: true });
  });
}

async function* callStreaming(
  grpc: GrpcClient,
  path: string,
  encode: Encode,
  decode: Decode,
  request: unknown,
  metadata: Metadata,
  options: CallOptions,
): AsyncGenerator<unknown> {
  const { signal } = options;
  if (signal?.aborted) throw cancelled();
  const call = grpc.makeServerStreamRequest(path, encode, decode, request, metadata, grpcOptions(options));
  // The iterator below hears of errors while it waits; one that comes while the loop is busy must not be unhandled.
  call.on('error', () => {});
  const abort = () => call.cancel();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    yield* call;
  } catch (error) {
    throw fromServiceError(error as ServiceError);
  } finally {
    signal?.removeEventListener('abort', abort);
    call.cancel();
  }
}

function metadataOf(security: ClientSecurity | undefined): Metadata {
  const metadata = new Metadata();
  if (security?.token !== undefined) metadata.set('authorization', `Bearer ${security.token()}`);
  return metadata;
}

function grpcOptions(options: CallOptions): GrpcCallOptions {
  return options.deadlineMs === undefined ? {} : { deadline: Date.now() + options.deadlineMs };
}

function cancelled(): StatusError {
  return new StatusError(Code.CANCELLED, 'the call was cancelled before it began');
}

function fromServiceError(error: ServiceError): StatusError {
  const code = (Object.values(Code) as number[]).includes(error.code) ? (error.code as Code) : Code.UNKNOWN;
  return new StatusError(code, plainly(error.details ?? error.message), { cause: error });
}

/** grpc-js wraps the system's word in its own state; for a person the system's word is the message. */
function plainly(details: string): string {
  const [, seconds] = /^Deadline exceeded after ([\d.]+)s/.exec(details) ?? [];
  if (seconds !== undefined) return `no answer within ${Number(seconds).toFixed(1)} s`;
  const start = 'No connection established. Last error: ';
  if (!details.startsWith(start)) return details;
  const end = details.lastIndexOf('. Resolution note:');
  const reason = details.slice(start.length, end < 0 ? undefined : end).replace(/^Error: /, '');
  return `no connection: ${systemWords(reason)}`;
}

/** What the system's commonest words mean; they stay, for who looks them up. */
const SYSTEM_WORDS: Readonly<Record<string, (at: string) => string>> = {
  ECONNREFUSED: (at) => `nothing listens at ${at}`,
  ENOENT: (at) => `there is no socket ${at}`,
  EHOSTUNREACH: (at) => `no way leads to ${at}`,
  ENETUNREACH: (at) => `no way leads to ${at}`,
  ETIMEDOUT: (at) => `${at} does not answer`,
};

function systemWords(reason: string): string {
  const [, code, at] = /^connect (E[A-Z]+) (\S+)$/.exec(reason) ?? [];
  const words = code === undefined ? undefined : SYSTEM_WORDS[code];
  return words === undefined ? reason : `${words(at)} (${code})`;
}

import type { DescMessage, DescMethod, DescService, MessageShape } from '@bufbuild/protobuf';
import type { Caller } from './caller.ts';

/** Canonical gRPC status codes, by name. */
export const Code = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type Code = (typeof Code)[keyof typeof Code];

/** The name of a status code, for messages to people; `CODE_99` for a number outside the vocabulary. */
export function codeName(code: number): string {
  return Object.entries(Code).find(([, value]) => value === code)?.[0] ?? `CODE_${code}`;
}

/** The one error a service throws on purpose, and the one a client sees. Its message is shown to the caller as it is. */
export class StatusError extends Error {
  override readonly name = 'StatusError';
  readonly code: Code;

  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface CallContext {
  /**
   * Aborted when the caller cancels or goes away, when its deadline passes and when the server stops. A streaming handler
   * must end soon after: an iterator that stays pending holds whatever it captured.
   */
  readonly signal: AbortSignal;
  /** Who calls, for logs: `127.0.0.1:53124`, `unix:/run/…/agent.sock`. */
  readonly peer: string;
  /** Absent where nobody has to say who they are. */
  readonly caller?: Caller;
}

export type UnaryHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  context: CallContext,
) => Promise<MessageShape<O>>;

/** Its iterator's next() is called only when the transport can take another message. */
export type StreamingHandler<I extends DescMessage, O extends DescMessage> = (
  request: MessageShape<I>,
  context: CallContext,
) => AsyncIterable<MessageShape<O>>;

/**
 * A service without a transport: one function per method, by its camelCase name. gRPC and gRPC-Web serve the same object.
 * Throw {@link StatusError} for expected failures; anything else reaches the caller as INTERNAL without its message.
 */
export type Handlers<S extends DescService> = {
  [M in keyof S['method']]: S['method'][M] extends {
    methodKind: 'unary';
    input: infer I extends DescMessage;
    output: infer O extends DescMessage;
  }
    ? UnaryHandler<I, O>
    : S['method'][M] extends {
          methodKind: 'server_streaming';
          input: infer I extends DescMessage;
          output: infer O extends DescMessage;
        }
      ? StreamingHandler<I, O>
      : never;
};

/**
 * Replaces protobuf-es' encoder for single methods, by camelCase name: a hot method can send bytes it already has (a batch
 * encoded once for many readers). What it returns must be a valid encoding of the method's response message.
 */
export type Serializers<S extends DescService> = {
  [M in keyof S['method']]?: (response: MessageShape<S['method'][M]['output']>) => Uint8Array;
};

/** One method of a served service, types erased: what a transport needs to route, decode, call and encode. */
export interface ServedMethod {
  readonly descriptor: DescMethod;
  /** `/waggle.v1.FlowService/Follow` */
  readonly path: string;
  readonly streaming: boolean;
  readonly serialize: ((response: never) => Uint8Array) | undefined;
  readonly invoke: (request: unknown, context: CallContext) => Promise<unknown> | AsyncIterable<unknown>;
}

export interface ServedService {
  readonly descriptor: DescService;
  readonly methods: readonly ServedMethod[];
}

/** Binds handlers to a service, ready for `startGrpcServer` or `grpcWebRouter`. */
export function service<S extends DescService>(
  descriptor: S,
  handlers: Handlers<S>,
  serializers: Serializers<S> = {},
): ServedService {
  const byName = handlers as Record<string, ServedMethod['invoke'] | undefined>;
  const serializerByName = serializers as Record<string, ServedMethod['serialize']>;
  const methods = descriptor.methods.map((method): ServedMethod => {
    if (method.methodKind !== 'unary' && method.methodKind !== 'server_streaming') {
      throw new TypeError(
        `${descriptor.typeName}.${method.name} is ${method.methodKind}; only unary and server streaming are served`,
      );
    }
    const handler = byName[method.localName];
    if (handler === undefined) throw new TypeError(`no handler for ${descriptor.typeName}.${method.name}`);
    return {
      descriptor: method,
      path: methodPath(method),
      streaming: method.methodKind === 'server_streaming',
      serialize: serializerByName[method.localName],
      invoke: handler.bind(handlers),
    };
  });
  return { descriptor, methods };
}

/** `/package.Service/Method`, as it stands in the HTTP request. */
export function methodPath(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

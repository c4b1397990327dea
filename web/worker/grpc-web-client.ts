import { create, type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { GrpcWebClientBase, MethodDescriptor, MethodType, type RpcError } from 'grpc-web';

/**
 * The grpc-web package speaks protocol buffers by whatever functions it is given: here protobuf-es. Text mode, because only
 * there does a browser hand over a stream's messages before it ends.
 */
const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
const client = new GrpcWebClientBase({ format: 'text', maxReceiveMessageSize: MAX_MESSAGE_BYTES });

/** A call that ended with a status other than OK. `code` is the gRPC status code; 14 also where no server answered. */
export class CallError extends Error {
  override name = 'CallError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

function describe<I extends DescMessage, O extends DescMessage>(
  method: DescMethod & { input: I; output: O },
  type: string,
) {
  const path = `${method.parent.typeName}/${method.name}`;
  const descriptor = new MethodDescriptor<MessageShape<I>, MessageShape<O>>(
    path,
    type,
    Object as never,
    Object as never,
    (request: MessageShape<I>) => toBinary(method.input, request),
    (bytes: Uint8Array) => fromBinary(method.output, bytes),
  );
  return { path, descriptor };
}

function callError(error: RpcError): CallError {
  return new CallError(error.code, error.message);
}

export interface StreamHandlers<T> {
  message(message: T): void;
  /** Called once; no error when the server ended the stream in order. */
  end(error?: CallError): void;
}

/** Opens a server stream. Returns a function that cancels it; nothing is reported after that. */
export function openStream<I extends DescMessage, O extends DescMessage>(
  base: string,
  method: DescMethod & { input: I; output: O },
  request: MessageShape<I>,
  handlers: StreamHandlers<MessageShape<O>>,
): () => void {
  const { path, descriptor } = describe(method, MethodType.SERVER_STREAMING);
  let ended = false;
  const end = (error?: CallError) => {
    if (ended) return;
    ended = true;
    handlers.end(error);
  };
  const stream = client.serverStreaming(base + path, request, {}, descriptor);
  stream.on('data', (message) => {
    if (!ended) handlers.message(message);
  });
  stream.on('error', (error) => end(callError(error)));
  stream.on('end', () => end());
  return () => {
    ended = true;
    stream.cancel();
  };
}

export async function callUnary<I extends DescMessage, O extends DescMessage>(
  base: string,
  method: DescMethod & { input: I; output: O },
  request: MessageShape<I> = create(method.input),
): Promise<MessageShape<O>> {
  const { path, descriptor } = describe(method, MethodType.UNARY);
  try {
    return await client.unaryCall(base + path, request, {}, descriptor);
  } catch (error) {
    throw callError(error as RpcError);
  }
}

import { create, type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { GrpcWebClientBase, MethodDescriptor, MethodType, type RpcError } from 'grpc-web';
import { CallError, NO_STATUS } from './call-error.ts';
import { MAX_MESSAGE_BYTES } from './grpc-web-frames.ts';

/** Whoever asks is told that there was no answer after so long, and may ask again. */
const ANSWER_MS = 15_000;

/** The grpc-web package speaks protocol buffers by whatever functions it is given: here protobuf-es. */
const client = new GrpcWebClientBase({ format: 'text', maxReceiveMessageSize: MAX_MESSAGE_BYTES });

function describe<I extends DescMessage, O extends DescMessage>(method: DescMethod & { input: I; output: O }) {
  const path = `${method.parent.typeName}/${method.name}`;
  const descriptor = new MethodDescriptor<MessageShape<I>, MessageShape<O>>(
    path,
    MethodType.UNARY,
    Object as never,
    Object as never,
    (request: MessageShape<I>) => toBinary(method.input, request),
    (bytes: Uint8Array) => fromBinary(method.output, bytes),
  );
  return { path, descriptor };
}

function callError({ code, message }: RpcError): CallError {
  // What the package says of a connection that could not be made.
  return new CallError(/status code: 0$/.test(message) ? NO_STATUS.NO_ANSWER : code, message);
}

export async function callUnary<I extends DescMessage, O extends DescMessage>(
  base: string,
  method: DescMethod & { input: I; output: O },
  request: MessageShape<I> = create(method.input),
): Promise<MessageShape<O>> {
  const { path, descriptor } = describe(method);
  try {
    // The package makes a header and a limit of its own of this.
    const metadata = { deadline: String(Date.now() + ANSWER_MS) };
    return await client.unaryCall(base + path, request, metadata, descriptor);
  } catch (error) {
    throw callError(error as RpcError);
  }
}

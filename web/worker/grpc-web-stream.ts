import { type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { CallError, MAX_MESSAGE_BYTES, NO_ANSWER } from './call-error.ts';
import { type CallStatus, callStatus, FrameReader, messageFrame } from './grpc-web-frames.ts';

const UNKNOWN = 2;
const UNAVAILABLE = 14;
const DATA_LOSS = 15;

/** What an HTTP status of somebody between page and server means; others are UNKNOWN. As the `grpc-web` package has it. */
const OF_HTTP: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  409: 10,
  412: 9,
  429: 8,
  499: 1,
  501: 12,
  503: UNAVAILABLE,
  504: 4,
};

export interface StreamHandlers<T> {
  message(message: T): void;
  /** Called once; no error when the server ended the stream in order. */
  end(error?: CallError): void;
}

/**
 * Opens a server stream, in gRPC-Web's binary mode over `fetch`: its body can be read as it comes. Returns a function that cancels it;
 * nothing is reported after that.
 */
export function openStream<I extends DescMessage, O extends DescMessage>(
  base: string,
  method: DescMethod & { input: I; output: O },
  request: MessageShape<I>,
  handlers: StreamHandlers<MessageShape<O>>,
): () => void {
  const abort = new AbortController();
  const { signal } = abort;
  const reader = new FrameReader(MAX_MESSAGE_BYTES, (bytes) => {
    if (!signal.aborted) handlers.message(fromBinary(method.output, bytes));
  });
  const end = (error?: CallError) => {
    if (signal.aborted) return;
    abort.abort();
    handlers.end(error);
  };
  const url = `${base}${method.parent.typeName}/${method.name}`;
  call(url, messageFrame(toBinary(method.input, request)), reader, signal).then(
    ({ code, message }) => end(code === 0 ? undefined : new CallError(code, message)),
    (error: unknown) => end(error instanceof CallError ? error : new CallError(DATA_LOSS, String(error))),
  );
  return () => abort.abort();
}

async function call(
  url: string,
  body: Uint8Array<ArrayBuffer>,
  reader: FrameReader,
  signal: AbortSignal,
): Promise<CallStatus> {
  const type = 'application/grpc-web+proto';
  const headers = { 'content-type': type, accept: type, 'x-grpc-web': '1' };
  const response = await fetch(url, { method: 'POST', headers, body, signal, cache: 'no-store' }).catch(() => {
    throw new CallError(NO_ANSWER, 'no connection');
  });
  if (!response.ok) {
    throw new CallError(OF_HTTP[response.status] ?? UNKNOWN, `HTTP status ${response.status}`);
  }
  const told = response.headers.get('grpc-status');
  if (told !== null && told !== '0') return callStatus(told, response.headers.get('grpc-message') ?? '');
  const answered = response.headers.get('content-type') ?? 'nothing';
  if (!answered.startsWith('application/grpc-web')) {
    throw new CallError(UNKNOWN, `the answer is ${answered}, not gRPC-Web`);
  }
  const pieces = response.body?.getReader();
  let broke = false;
  while (pieces !== undefined) {
    const piece = await pieces.read().catch(() => undefined);
    broke = piece === undefined;
    if (piece === undefined || piece.done) break;
    reader.push(piece.value);
  }
  // Who has said how the call ended may break off.
  if (reader.status !== undefined) return reader.status;
  throw new CallError(UNAVAILABLE, broke ? 'the connection broke' : 'the connection ended before the call');
}

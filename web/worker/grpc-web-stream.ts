import { type DescMessage, type DescMethod, fromBinary, type MessageShape, toBinary } from '@bufbuild/protobuf';
import { CallError, CODE, NO_STATUS } from './call-error.ts';
import { type CallStatus, callStatus, FrameReader, MAX_MESSAGE_BYTES, messageFrame } from './grpc-web-frames.ts';

/** Who has said how the call ended is to end the answer within this: a connection that is read to its end carries the next one. */
const END_MS = 1_000;
/** Bytes of somebody's words that are repeated. */
const MOST_SAID = 200;

export interface StreamHandlers<T> {
  /** Bytes have come, be they only a part of a message. */
  heard?(): void;
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
  const take = (piece: Uint8Array) => {
    if (!signal.aborted) handlers.heard?.();
    reader.push(piece);
    return reader.status;
  };
  const end = (error?: CallError) => {
    if (signal.aborted) return;
    abort.abort();
    handlers.end(error);
  };
  const url = `${base}${method.parent.typeName}/${method.name}`;
  call(url, messageFrame(toBinary(method.input, request)), take, signal).then(
    ({ code, message }) => end(code === CODE.OK ? undefined : new CallError(code, message)),
    (error: unknown) => end(error instanceof CallError ? error : new CallError(CODE.DATA_LOSS, wordsOf(error))),
  );
  return () => abort.abort();
}

async function call(
  url: string,
  body: Uint8Array<ArrayBuffer>,
  take: (piece: Uint8Array) => CallStatus | undefined,
  signal: AbortSignal,
): Promise<CallStatus> {
  const type = 'application/grpc-web+proto';
  const headers = { 'content-type': type, accept: type, 'x-grpc-web': '1' };
  // The server leads nowhere: who does wants a person to sign in.
  const options = { method: 'POST', headers, body, signal, cache: 'no-store', redirect: 'manual' } as const;
  const response = await fetch(url, options).catch(() => {
    throw new CallError(NO_STATUS.NO_ANSWER, 'no connection');
  });
  await refuseOther(response);
  const told = response.headers.get('grpc-status');
  if (told !== null && told !== '0') return callStatus(told, response.headers.get('grpc-message') ?? '');
  const pieces = response.body?.getReader();
  let broke = false;
  while (pieces !== undefined) {
    const piece = await pieces.read().catch(() => undefined);
    broke = piece === undefined;
    if (piece === undefined || piece.done) break;
    const status = take(piece.value);
    if (status === undefined) continue;
    await Promise.race([pieces.read().catch(() => {}), new Promise((resolve) => setTimeout(resolve, END_MS))]);
    return status;
  }
  throw new CallError(NO_STATUS.BROKEN, broke ? 'the connection broke' : 'the connection ended before the call');
}

/** The server's own answers are all 200 and gRPC-Web, whatever their status. Throws CallError for any other. */
async function refuseOther(response: Response): Promise<void> {
  const { type, status, headers } = response;
  if (type === 'opaqueredirect' || (status >= 300 && status < 400)) {
    throw new CallError(NO_STATUS.SIGN_IN, 'it leads elsewhere');
  }
  const answered = headers.get('content-type') ?? 'nothing';
  if (status !== 200) {
    const said = `HTTP status ${status}${answered.startsWith('text/plain') ? await firstLine(response) : ''}`;
    const code =
      status === 401 || status === 403
        ? NO_STATUS.SIGN_IN
        : status === 429
          ? CODE.RESOURCE_EXHAUSTED
          : NO_STATUS.INTERCEPTED;
    throw new CallError(code, said);
  }
  if (answered.startsWith('text/html')) throw new CallError(NO_STATUS.SIGN_IN, 'it answers with a page to read');
  if (!answered.startsWith('application/grpc-web')) {
    throw new CallError(NO_STATUS.INTERCEPTED, `${answered}, not gRPC-Web`);
  }
}

/** What was written for a person to read, with a colon before it; of a long text the beginning. */
async function firstLine(response: Response): Promise<string> {
  const piece = await response.body
    ?.getReader()
    .read()
    .catch(() => undefined);
  const line = new TextDecoder().decode(piece?.value?.subarray(0, MOST_SAID)).split('\n', 1)[0].trim();
  return line === '' ? '' : `: ${line}`;
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

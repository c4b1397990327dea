import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { toStatusError } from '../grpc/call-outcome.ts';
import type { Caller } from '../grpc/caller.ts';
import { EncodedResponses } from '../grpc/encoded-responses.ts';
import { pumpResponses } from '../grpc/response-pump.ts';
import { Code, type ServedMethod, type ServedService, StatusError } from '../grpc/service.ts';
import { createLogger, type Logger } from '../log.ts';
import { messageFrame, readRequest, trailersFrame } from './frame.ts';
import { readBody } from './request-body.ts';
import { decodeText, encodeText } from './text-encoding.ts';
import { parseTimeout } from './timeout.ts';

export interface GrpcWebOptions {
  /** Largest request message in bytes. Default 1 MiB. */
  readonly maxReceiveBytes?: number;
  /** Calls running at once, streams included; more are answered RESOURCE_EXHAUSTED. Default 1,000. */
  readonly maxConcurrentCalls?: number;
  /** When it aborts, streams end with UNAVAILABLE and no new calls are taken. */
  readonly shutdown?: AbortSignal;
  /** Who a request is from, as what stands before the router has found out. */
  readonly callerOf?: (response: Response) => Caller | undefined;
  /** Why a request is not to be read at all; nobody has to hold what strangers send. */
  readonly refusalOf?: (response: Response) => StatusError | undefined;
  readonly log?: Logger;
}

const CONTENT_TYPE = /^application\/grpc-web(-text)?(?:\+proto)?$/;
const PATH = /^\/[\w.]+\/\w+$/;

// The rest of a refused request is read and thrown away up to this size; with more, the connection is closed.
const MAX_SKIPPED_BYTES = 64 * 1024;

/**
 * Serves handlers over gRPC-Web, binary and text, one POST per call. Requests of other content types go on to the next
 * handler. Whatever the request, the answer is a gRPC status; only one that is no gRPC-Web at all gets an HTTP error.
 */
export function grpcWebRouter(services: readonly ServedService[], options: GrpcWebOptions = {}): RequestHandler {
  const {
    maxReceiveBytes = 1024 * 1024,
    maxConcurrentCalls = 1_000,
    shutdown,
    callerOf,
    refusalOf,
    log = createLogger('grpc-web'),
  } = options;
  const methods = new Map<string, ServedMethod>();
  for (const served of services) for (const method of served.methods) methods.set(method.path, method);
  let running = 0;

  const router = Router();
  router.use((request, response, next) => {
    const mode = CONTENT_TYPE.exec(request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '');
    const method = methods.get(request.path);
    if (mode === null && method === undefined) return next();
    if (request.method !== 'POST') {
      response.set('allow', 'POST').status(405).end();
      return;
    }
    if (mode === null) {
      response.set('accept-post', 'application/grpc-web, application/grpc-web-text').status(415).end();
      return;
    }
    const call = new Call(request, response, mode[1] !== undefined);
    let refusal: StatusError | undefined;
    if (method === undefined) {
      const path = PATH.test(request.path) ? request.path : 'this path';
      refusal = new StatusError(Code.UNIMPLEMENTED, `${path} is no method of this server`);
    } else if (shutdown?.aborted) refusal = new StatusError(Code.UNAVAILABLE, 'the server is shutting down');
    else if (running >= maxConcurrentCalls) {
      refusal = new StatusError(Code.RESOURCE_EXHAUSTED, `${running} calls are running already; try again later`);
    } else if ((request.headers['content-encoding'] ?? 'identity') !== 'identity') {
      refusal = new StatusError(Code.UNIMPLEMENTED, 'compressed requests are not accepted');
    } else refusal = refusalOf?.(response);
    if (refusal !== undefined || method === undefined) {
      call.finish(refusal);
      return;
    }
    running++;
    call.run(method, maxReceiveBytes, callerOf?.(response), shutdown, log).finally(() => running--);
  });
  return router;
}

class Call {
  readonly #request: Request;
  readonly #response: Response;
  readonly #requestIsText: boolean;
  readonly #responseIsText: boolean;
  #drained: (() => void) | undefined;

  constructor(request: Request, response: Response, requestIsText: boolean) {
    this.#request = request;
    this.#response = response;
    this.#requestIsText = requestIsText;
    const accept = request.headers.accept ?? '';
    this.#responseIsText = accept.includes('application/grpc-web') ? accept.includes('grpc-web-text') : requestIsText;
    response.on('drain', () => this.#drained?.());
    // A connection that breaks is the end of the call, told by 'close'.
    response.on('error', () => {});
  }

  /** Never throws: every outcome becomes a status. */
  async run(
    method: ServedMethod,
    maxBytes: number,
    caller: Caller | undefined,
    shutdown: AbortSignal | undefined,
    log: Logger,
  ): Promise<void> {
    const { socket } = this.#request;
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    const controller = new AbortController();
    const { signal } = controller;
    const abort = (code: Code, why: string) => controller.abort(new StatusError(code, why));
    const onShutdown = () => abort(Code.UNAVAILABLE, 'the server is shutting down');
    this.#response.once('close', () => abort(Code.CANCELLED, 'the caller went away'));
    let timer: NodeJS.Timeout | undefined;
    try {
      const timeoutMs = parseTimeout(this.#request.get('grpc-timeout'));
      if (timeoutMs !== undefined) {
        timer = setTimeout(() => abort(Code.DEADLINE_EXCEEDED, 'the deadline of the call passed'), timeoutMs);
      }
      const message = await orAborted(this.#readMessage(method, maxBytes), signal);
      if (method.streaming) {
        shutdown?.addEventListener('abort', onShutdown, { once: true });
        this.#begin();
        this.#response.flushHeaders();
        const responses = method.invoke(message, { signal, peer, caller }) as AsyncIterable<unknown>;
        await pumpResponses(responses, signal, (response) => {
          if (!(response instanceof EncodedResponses)) return this.#write(encode(method, response));
          let drained: Promise<void> | undefined;
          for (const bytes of response.messages()) drained = this.#write(bytes);
          return drained;
        });
      } else {
        const response = (await orAborted(
          method.invoke(message, { signal, peer, caller }) as Promise<unknown>,
          signal,
        )) as unknown;
        this.#write(encode(method, response));
      }
      this.finish(signal.aborted ? (signal.reason as StatusError) : undefined);
    } catch (error) {
      this.finish(signal.aborted ? (signal.reason as StatusError) : toStatusError(error, method.path, peer, log));
    } finally {
      clearTimeout(timer);
      shutdown?.removeEventListener('abort', onShutdown);
      // Also after the end: whatever the handler hung on the signal is let go.
      abort(Code.CANCELLED, 'the call is over');
    }
  }

  /** Ends the response with a status, OK without an error. */
  finish(error?: StatusError): void {
    const request = this.#request;
    if (this.#response.destroyed) return;
    // What is left of a request must be read before the connection can carry the next one, or the connection must go.
    const discard = !request.complete && Number(request.headers['content-length'] ?? Infinity) > MAX_SKIPPED_BYTES;
    if (discard) this.#response.set('connection', 'close');
    else request.resume();
    this.#begin();
    const trailers = this.#encode(trailersFrame(error?.code ?? Code.OK, error?.message ?? ''));
    this.#response.end(trailers, () => discard && request.socket.destroySoon());
  }

  #begin(): void {
    if (this.#response.headersSent) return;
    this.#response.writeHead(200, {
      'content-type': this.#responseIsText ? 'application/grpc-web-text+proto' : 'application/grpc-web+proto',
      'cache-control': 'no-store',
      // A proxy that collects a response before passing it on would hold every stream back.
      'x-accel-buffering': 'no',
    });
  }

  async #readMessage(method: ServedMethod, maxBytes: number): Promise<unknown> {
    const frameBytes = maxBytes + 5;
    const body = await readBody(this.#request, this.#requestIsText ? Math.ceil(frameBytes / 3) * 4 : frameBytes);
    const bytes = readRequest(this.#requestIsText ? decodeText(body) : body, maxBytes);
    try {
      return fromBinary(method.descriptor.input, bytes);
    } catch (error) {
      const why = (error as Error).message;
      throw new StatusError(Code.INVALID_ARGUMENT, `the request is no ${method.descriptor.input.typeName}: ${why}`);
    }
  }

  #write(message: Uint8Array): Promise<void> | undefined {
    this.#begin();
    if (this.#response.write(this.#encode(messageFrame(message)))) return undefined;
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  #encode(bytes: Buffer): Buffer {
    return this.#responseIsText ? encodeText(bytes) : bytes;
  }
}

function encode(method: ServedMethod, response: unknown): Uint8Array {
  const { serialize, descriptor } = method;
  return serialize ? serialize(response as never) : toBinary(descriptor.output, response as never);
}

/** The result, or the reason of the abort that came first. */
function orAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    result.then(resolve, reject);
  });
}

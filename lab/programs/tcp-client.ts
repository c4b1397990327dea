import type { Socket } from 'node:net';
import { Outcomes } from './outcomes.ts';
import { type Program, type ProgramContext, parseTarget } from './program-context.ts';
import { encodeRequest, HEADER_BYTES, MAX_MESSAGE_BYTES } from './tcp-exchange.ts';

const RESPONSE_TIMEOUT_MS = 5_000;

/**
 * Sends requests of REQUEST_BYTES (128) to tcp-server at TARGET, RATE (5) a second, wanting RESPONSE_BYTES (512) back, over
 * one connection at a time that is closed after CONNECTION_REQUESTS (20) and opened anew.
 */
export const tcpClient: Program = async (context) => {
  const target = parseTarget('TARGET', context.text('TARGET'));
  const rate = context.number('RATE', 5, 0.01, 10_000);
  const requestBytes = context.number('REQUEST_BYTES', 128, HEADER_BYTES, MAX_MESSAGE_BYTES);
  const responseBytes = context.number('RESPONSE_BYTES', 512, 1, MAX_MESSAGE_BYTES);
  const perConnection = context.number('CONNECTION_REQUESTS', 20, 1, 1e9);
  const request = encodeRequest(requestBytes, responseBytes);
  const outcomes = new Outcomes(context);
  context.started();
  let due = Date.now();
  while (!context.signal.aborted) {
    try {
      const socket = await context.connect(target.host, target.port);
      for (let sent = 0; sent < perConnection && !context.signal.aborted; sent++) {
        await exchange(socket, request, responseBytes);
        outcomes.ok();
        due = await nextTurn(context, due, 1000 / rate);
      }
      socket.end();
    } catch (error) {
      outcomes.failed((error as Error).message);
      due = await nextTurn(context, due, 1000 / rate);
    }
  }
  return 0;
};

/** Waits for the next request's time; a client that fell behind does not catch up in a burst. */
async function nextTurn(context: ProgramContext, due: number, interval: number): Promise<number> {
  const next = Math.max(due + interval, Date.now() - 1000);
  await context.pause(Math.max(0, next - Date.now()));
  return next;
}

function exchange(socket: Socket, request: Buffer, responseBytes: number): Promise<void> {
  if (socket.destroyed) return Promise.reject(new Error('the server closed the connection'));
  return new Promise((resolve, reject) => {
    let missing = responseBytes;
    const finish = (error?: Error): void => {
      clearTimeout(timer);
      socket.off('data', take).off('error', finish).off('close', closed);
      if (error) {
        socket.destroy();
        reject(error);
      } else resolve();
    };
    const take = (chunk: Buffer): void => {
      missing -= chunk.length;
      if (missing <= 0) finish();
    };
    const closed = (): void => finish(new Error('the server closed the connection'));
    const timer = setTimeout(() => finish(new Error(`no response in ${RESPONSE_TIMEOUT_MS} ms`)), RESPONSE_TIMEOUT_MS);
    socket.on('data', take).on('error', finish).on('close', closed);
    socket.write(request);
  });
}

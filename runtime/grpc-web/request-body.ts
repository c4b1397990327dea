import type { IncomingMessage } from 'node:http';
import { Code, StatusError } from '../grpc/service.ts';
import { tooLarge } from './frame.ts';

/**
 * Reads a request's body of at most `maxBytes`. A declared length over it is refused before a byte is read, an undeclared one
 * as soon as it is passed. Throws {@link StatusError}.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > maxBytes) throw tooLarge(declared, maxBytes);
  const chunks: Buffer[] = [];
  let received = 0;
  await new Promise<void>((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > maxBytes) {
        // What still comes is not kept; the connection is closed after the answer.
        request.pause();
        reject(tooLarge(received, maxBytes));
        return;
      }
      chunks.push(chunk);
    });
    request.once('end', resolve);
    request.once('error', (error) => reject(new StatusError(Code.CANCELLED, error.message)));
    request.once('close', () => reject(new StatusError(Code.CANCELLED, 'the caller went away')));
  });
  return Buffer.concat(chunks);
}

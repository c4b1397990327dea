import { Code, StatusError } from '../grpc/service.ts';

// A frame is one byte of flags, four of length (big endian), then that many bytes.
const HEADER_BYTES = 5;
const COMPRESSED = 0x01;
const TRAILERS = 0x80;

/** Longest status message sent, in characters before encoding: a status is no place for a document. */
const MAX_STATUS_MESSAGE = 2_000;

/** A message as it travels in a body. */
export function messageFrame(message: Uint8Array): Buffer {
  return frame(0, message);
}

/** What ends every response: the status, as a block of header lines in a frame of its own. */
export function trailersFrame(code: Code, message: string): Buffer {
  const lines = `grpc-status: ${code}\r\ngrpc-message: ${percentEncode(message.slice(0, MAX_STATUS_MESSAGE))}\r\n`;
  return frame(TRAILERS, Buffer.from(lines, 'latin1'));
}

function frame(flags: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.byteLength);
  bytes[0] = flags;
  bytes.writeUInt32BE(payload.byteLength, 1);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/**
 * The one message of a request's body, as a view on it. Throws {@link StatusError}: RESOURCE_EXHAUSTED for an announced length
 * over `maxBytes`, UNIMPLEMENTED for a compressed message, INVALID_ARGUMENT for anything that is not exactly one message.
 */
export function readRequest(body: Buffer, maxBytes: number): Buffer {
  let message: Buffer | undefined;
  let offset = 0;
  while (offset < body.length) {
    if (body.length - offset < HEADER_BYTES)
      throw malformed(`${body.length - offset} stray bytes after the last frame`);
    const flags = body.readUInt8(offset);
    const length = body.readUInt32BE(offset + 1);
    offset += HEADER_BYTES;
    // The limit first: an announced length is not believed for anything, an allocation least of all.
    if (length > maxBytes) throw tooLarge(length, maxBytes);
    if (length > body.length - offset)
      throw malformed(`a frame announces ${length} bytes, ${body.length - offset} follow`);
    if ((flags & ~(COMPRESSED | TRAILERS)) !== 0) throw malformed(`unknown frame flags 0x${flags.toString(16)}`);
    // Trailers of a request carry nothing for us.
    if ((flags & TRAILERS) === 0) {
      if ((flags & COMPRESSED) !== 0) throw new StatusError(Code.UNIMPLEMENTED, 'compressed messages are not accepted');
      if (message !== undefined) throw malformed('more than one message');
      message = body.subarray(offset, offset + length);
    }
    offset += length;
  }
  if (message === undefined) throw malformed('no message');
  return message;
}

/** RESOURCE_EXHAUSTED: a request of so many bytes where `maxBytes` are accepted. */
export function tooLarge(bytes: number, maxBytes: number): StatusError {
  return new StatusError(Code.RESOURCE_EXHAUSTED, `the request has ${bytes} bytes; at most ${maxBytes} are accepted`);
}

function malformed(what: string): StatusError {
  return new StatusError(Code.INVALID_ARGUMENT, `malformed gRPC-Web request: ${what}`);
}

/** UTF-8 with everything but printable ASCII, and `%`, as `%XX`: gRPC's form of a status message. */
export function percentEncode(message: string): string {
  let encoded = '';
  for (const byte of Buffer.from(message, 'utf8')) {
    encoded +=
      byte >= 0x20 && byte <= 0x7e && byte !== 0x25
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}

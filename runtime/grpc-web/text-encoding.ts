import { Code, StatusError } from '../grpc/service.ts';

// gRPC-Web's text mode: the same bytes as base64, for clients that can read a response only as text while it arrives. Each
// piece is padded by itself, so a body may have padding in its middle: "AAAAAAA=gAAAAA==".
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** One piece of a response, decodable without what comes before or after it. */
export function encodeText(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64'), 'latin1');
}

/** The bytes of a body in text mode: pieces of padded base64, one after the other. Throws {@link StatusError}. */
export function decodeText(body: Buffer): Buffer {
  if (body.length % 4 !== 0) throw malformed('its length is not a multiple of 4');
  const text = body.toString('latin1');
  if (!text.includes('=')) {
    if (!BASE64.test(text)) throw malformed('it has other characters');
    return Buffer.from(text, 'base64');
  }
  const pieces: Buffer[] = [];
  let start = 0;
  while (start < text.length) {
    const padding = text.indexOf('=', start);
    // A piece ends with the group of four that holds its padding.
    const end = padding < 0 ? text.length : padding - (padding % 4) + 4;
    const piece = text.slice(start, end);
    if (!BASE64.test(piece)) throw malformed('it has other characters, or padding inside a group');
    pieces.push(Buffer.from(piece, 'base64'));
    start = end;
  }
  return Buffer.concat(pieces);
}

function malformed(what: string): StatusError {
  return new StatusError(Code.INVALID_ARGUMENT, `the body is not base64: ${what}`);
}

import { CODE } from './call-error.ts';

// A frame is one byte of flags, four of length (big endian), then that many bytes: "PROTOCOL-WEB" of the gRPC project.
const HEADER_BYTES = 5;
const COMPRESSED = 0x01;
const TRAILERS = 0x80;

/** The longest message that is read, in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** How a call ended, from its trailers. */
export interface CallStatus {
  /** 0 = OK. */
  readonly code: number;
  readonly message: string;
}

/** A message as it travels in a body. */
export function messageFrame(message: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(HEADER_BYTES + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, HEADER_BYTES);
  return frame;
}

/** Takes a gRPC-Web body apart, in pieces as they come. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #message: (message: Uint8Array) => void;
  /** Of a frame that has not come whole: its header, then as many bytes as it announces. */
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #body: Uint8Array | undefined;
  #bodyBytes = 0;
  /** Undefined until the trailers have come; what follows them is not read. */
  status: CallStatus | undefined;

  /**
   * @param maxBytes of a message
   * @param message is called with each, as bytes that nobody else holds or changes
   */
  constructor(maxBytes: number, message: (message: Uint8Array) => void) {
    this.#maxBytes = maxBytes;
    this.#message = message;
  }

  /** Throws where this is no gRPC-Web body, or a message is longer than it may be. */
  push(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length && this.status === undefined) {
      if (this.#body === undefined) {
        const part = piece.subarray(at, at + HEADER_BYTES - this.#headerBytes);
        this.#header.set(part, this.#headerBytes);
        this.#headerBytes += part.length;
        at += part.length;
        if (this.#headerBytes < HEADER_BYTES) return;
        this.#begin();
      }
      const body = this.#body!;
      const part = piece.subarray(at, at + body.length - this.#bodyBytes);
      body.set(part, this.#bodyBytes);
      this.#bodyBytes += part.length;
      at += part.length;
      if (this.#bodyBytes < body.length) return;
      this.#body = undefined;
      this.#headerBytes = this.#bodyBytes = 0;
      if ((this.#header[0] & TRAILERS) !== 0) this.status = readTrailers(body);
      else this.#message(body);
    }
  }

  #begin(): void {
    const flags = this.#header[0];
    const length = new DataView(this.#header.buffer).getUint32(1);
    if ((flags & ~TRAILERS) !== 0) {
      throw new Error(flags & COMPRESSED ? 'a message is compressed' : `unknown frame flags 0x${flags.toString(16)}`);
    }
    if (length > this.#maxBytes) throw new Error(`a message of ${length} bytes; at most ${this.#maxBytes} are read`);
    this.#body = new Uint8Array(length);
  }
}

/** `grpc-status` and `grpc-message` of a block of header lines. Without a status, as gRPC has it, UNKNOWN. */
export function readTrailers(block: Uint8Array): CallStatus {
  const lines = new TextDecoder('latin1').decode(block).split('\r\n');
  const told = (name: string) =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim();
  return callStatus(told('grpc-status'), told('grpc-message'));
}

/** From the values as they travel: digits, and UTF-8 with `%XX`. */
export function callStatus(code: string | undefined, message = ''): CallStatus {
  const number = code !== undefined && /^\d{1,3}$/.test(code) ? Number(code) : CODE.UNKNOWN;
  return { code: number, message: percentDecoded(message) };
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Not as it should be, and still better than nothing.
    return text;
  }
}

// What tcp-client and tcp-server say to each other: a request is 8 bytes of header (its whole length and the length of the
// response it wants, both unsigned 32 bits, network byte order) and padding; a response is padding alone.

export const HEADER_BYTES = 8;
/** Largest request and response, in bytes. */
export const MAX_MESSAGE_BYTES = 1024 * 1024;

const PADDING = Buffer.alloc(MAX_MESSAGE_BYTES, 'x');

/** @param requestBytes at least HEADER_BYTES. */
export function encodeRequest(requestBytes: number, responseBytes: number): Buffer {
  const request = Buffer.from(PADDING.subarray(0, requestBytes));
  request.writeUInt32BE(requestBytes, 0);
  request.writeUInt32BE(responseBytes, 4);
  return request;
}

export function response(bytes: number): Buffer {
  return PADDING.subarray(0, bytes);
}

/** Takes a connection's bytes as they come and says how long a response each whole request wants. */
export class RequestReader {
  #header = Buffer.alloc(0);
  /** Bytes of the present request still to come after its header. */
  #missing = 0;
  #wanted = 0;

  /** Returns the responses' lengths for the requests this chunk completed. Throws on lengths beyond the limits. */
  read(chunk: Buffer): number[] {
    const complete: number[] = [];
    let rest = chunk;
    while (rest.length > 0) {
      if (this.#missing === 0) {
        const take = HEADER_BYTES - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, take)]);
        rest = rest.subarray(take);
        if (this.#header.length < HEADER_BYTES) break;
        this.#begin();
      }
      const body = Math.min(this.#missing, rest.length);
      rest = rest.subarray(body);
      this.#missing -= body;
      if (this.#missing === 0) complete.push(this.#wanted);
    }
    return complete;
  }

  #begin(): void {
    const length = this.#header.readUInt32BE(0);
    this.#wanted = this.#header.readUInt32BE(4);
    this.#header = Buffer.alloc(0);
    if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES || this.#wanted > MAX_MESSAGE_BYTES) {
      throw new RangeError(`request of ${length} bytes for a response of ${this.#wanted}: out of range`);
    }
    this.#missing = length - HEADER_BYTES;
  }
}

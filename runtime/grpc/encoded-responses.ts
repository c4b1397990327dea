import { WireWriter } from '#core/hubble/wire-writer.ts';

/** gRPC and gRPC-Web put a flag byte and the message's length, big endian, before each message. */
const HEADER_BYTES = 5;
/** Memory that was sent is kept for the next responses, of whichever stream: so many pieces of at most so many bytes. */
const MOST_KEPT = 4;
const LARGEST_KEPT_BYTES = 1024 * 1024;
const kept: WireWriter[] = [];

/**
 * Several responses of one stream, encoded already, yielded by its handler in place of one response: many small messages
 * cost less by the batch. They stand one behind the other, each with its header, as they go over the wire, so that a hot
 * handler writes them in place and no message needs memory of its own. Each must be a valid encoding of the method's
 * response message.
 */
export class EncodedResponses {
  readonly #writer = kept.pop() ?? new WireWriter();
  #count = 0;

  constructor(messages: readonly Uint8Array[] = []) {
    for (const message of messages) this.add(message);
  }

  get count(): number {
    return this.#count;
  }

  add(message: Uint8Array): void {
    this.write((to) => to.raw(message));
  }

  /** Adds what `encode` appends as one message. */
  write(encode: (to: WireWriter) => void): void {
    const writer = this.#writer;
    writer.reserve(HEADER_BYTES);
    const begin = writer.length;
    writer.length += HEADER_BYTES;
    encode(writer);
    const length = writer.length - begin - HEADER_BYTES;
    const { bytes } = writer;
    bytes[begin] = 0;
    bytes[begin + 1] = length >>> 24;
    bytes[begin + 2] = length >>> 16;
    bytes[begin + 3] = length >>> 8;
    bytes[begin + 4] = length;
    this.#count++;
  }

  /** All messages with their headers; valid until they are released. */
  get framed(): Uint8Array {
    return this.#writer.bytes.subarray(0, this.#writer.length);
  }

  /** To be called when they were copied to where they are sent from, at most once; afterwards they are not to be used. */
  release(): void {
    const writer = this.#writer;
    if (kept.length >= MOST_KEPT || writer.bytes.length > LARGEST_KEPT_BYTES) return;
    writer.reset();
    kept.push(writer);
  }

  /** One after the other, without headers. */
  *messages(): Generator<Uint8Array> {
    const { framed } = this;
    const view = new DataView(framed.buffer, framed.byteOffset, framed.byteLength);
    for (let at = 0; at < framed.length; ) {
      const begin = at + HEADER_BYTES;
      at = begin + view.getUint32(at + 1);
      yield framed.subarray(begin, at);
    }
  }
}

/** gRPC puts a flag byte and the message's length, big endian, before each message. */
const HEADER_BYTES = 5;

/**
 * Several messages of a stream as one write. grpc-js frames what a serializer returns by asking its length and having it
 * copy itself behind the header: this copies every message with a header of its own, the first one's included. One by one
 * a core sends a third as many flows of Hubble's (`waggle bench hubble`); grpc.spec.ts holds the two to the same messages.
 */
export class FramedBatch {
  readonly #messages: readonly Uint8Array[];
  /** As if it were one message: without the first header. */
  readonly byteLength: number;

  constructor(messages: readonly Uint8Array[]) {
    this.#messages = messages;
    let bytes = -HEADER_BYTES;
    for (const { length } of messages) bytes += HEADER_BYTES + length;
    this.byteLength = bytes;
  }

  /** Writes all of it into `target`, whose first header stands right before `start`. */
  copy(target: Buffer, start: number): void {
    let at = start - HEADER_BYTES;
    for (const message of this.#messages) {
      target[at] = 0;
      target.writeUInt32BE(message.length, at + 1);
      target.set(message, at + HEADER_BYTES);
      at += HEADER_BYTES + message.length;
    }
  }
}

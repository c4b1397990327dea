import type { EncodedResponses } from './encoded-responses.ts';

/** What grpc-js puts before each message it is given. */
const HEADER_BYTES = 5;

/**
 * Several messages of a stream as one write. grpc-js frames what a serializer returns by asking its length and having it
 * copy itself behind the header: this copies every message with a header of its own, the first one's included. One by one
 * a core sends a third as many flows of Hubble's (`waggle bench hubble`); grpc.spec.ts holds the two to the same messages.
 */
export class FramedBatch {
  readonly #responses: EncodedResponses;
  /** As if it were one message: without the first header. */
  readonly byteLength: number;

  /** @param responses at least one. */
  constructor(responses: EncodedResponses) {
    this.#responses = responses;
    this.byteLength = responses.framed.length - HEADER_BYTES;
  }

  /** Writes all of it into `target`, whose first header stands right before `start`. To be called once, as grpc-js does. */
  copy(target: Buffer, start: number): void {
    target.set(this.#responses.framed, start - HEADER_BYTES);
    this.#responses.release();
  }
}

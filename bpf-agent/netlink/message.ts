/**
 * Netlink messages (RFC 3549, linux/netlink.h): a datagram holds messages, a message a header, a body and attributes.
 * Pure, and careful: whatever the bytes, nothing outside them is read, and what does not fit is left out.
 */

export const NLMSG = { ERROR: 2, DONE: 3 } as const;

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** The upper two bits of an attribute's type are flags (nested, network byte order). */
const ATTRIBUTE_TYPE_MASK = 0x3fff;

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** The messages of one datagram, in order; ends at the first one whose length cannot be. */
export function* parseMessages(datagram: Uint8Array): Generator<NetlinkMessage> {
  const view = viewOf(datagram);
  let at = 0;
  while (at + HEADER_BYTES <= datagram.length) {
    const length = view.getUint32(at, true);
    if (length < HEADER_BYTES || at + length > datagram.length) return;
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      payload: datagram.subarray(at + HEADER_BYTES, at + length),
    };
    at += align4(length);
  }
}

/** Attributes by type; of several with the same type the last one. Ends at the first whose length cannot be. */
export function parseAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  const view = viewOf(bytes);
  const attributes = new Map<number, Uint8Array>();
  let at = 0;
  while (at + ATTRIBUTE_HEADER_BYTES <= bytes.length) {
    const length = view.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || at + length > bytes.length) break;
    const type = view.getUint16(at + 2, true) & ATTRIBUTE_TYPE_MASK;
    attributes.set(type, bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += align4(length);
  }
  return attributes;
}

/** A request with a fixed body and no attributes. */
export function encodeRequest(type: number, flags: number, sequence: number, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(HEADER_BYTES + body.length);
  const view = viewOf(message);
  view.setUint32(0, message.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  message.set(body, HEADER_BYTES);
  return message;
}

/** The positive error number in the payload of an error message; 0 = acknowledged. */
export function errorOf(payload: Uint8Array): number {
  return payload.length < 4 ? 0 : -viewOf(payload).getInt32(0, true);
}

/** A 32-bit attribute, or undefined when it is absent or cut. */
export function u32Of(attribute: Uint8Array | undefined): number | undefined {
  return attribute && attribute.length >= 4 ? viewOf(attribute).getUint32(0, true) : undefined;
}

/** A NUL-terminated string attribute; empty when absent. */
export function stringOf(attribute: Uint8Array | undefined): string {
  if (!attribute) return '';
  const end = attribute.indexOf(0);
  return Buffer.from(end < 0 ? attribute : attribute.subarray(0, end)).toString('utf8');
}

function align4(length: number): number {
  return (length + 3) & ~3;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

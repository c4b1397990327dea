import { readableName } from '#core/dns/known-names.ts';
import { formatAddress } from '#core/ip/address.ts';

/** What a DNS server answered about one name. */
export interface DnsAnswer {
  /** As asked: lower case, without the last dot. */
  readonly name: string;
  /** Number of the record type that was asked for. */
  readonly type: number;
  /** 0 = no error. */
  readonly rcode: number;
  /** Of A and AAAA records, whatever aliases led to them. */
  readonly addresses: readonly { readonly address: string; readonly ttlSeconds: number }[];
}

const HEADER = 12;
const RESPONSE = 0x8000;
const OPCODE = 0x7800;
const RCODE = 0x000f;
const CLASS_IN = 1;
const TYPE_A = 1;
const TYPE_AAAA = 28;
/** A record behind its name: type, class, time to live, length. */
const RECORD_HEADER = 10;
const POINTER = 0xc0;
const MOST_RECORDS = 64;
/** A time to live with its first bit set is none (RFC 2181, 8). */
const TTL_SIGN = 0x8000_0000;

/**
 * Reads the beginning of a DNS message, whatever there is of it: records that are cut off are left out. Whoever can send packets
 * may have written it. Undefined for what is no answer to one question about the name of a host.
 */
export function readDnsAnswer(message: Uint8Array): DnsAnswer | undefined {
  if (message.length < HEADER) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  const flags = view.getUint16(2);
  if ((flags & RESPONSE) === 0 || (flags & OPCODE) !== 0 || view.getUint16(4) !== 1) return undefined;
  const question = readQuestion(message, view);
  if (question === undefined) return undefined;
  const addresses: { address: string; ttlSeconds: number }[] = [];
  let at = question.end;
  for (let left = Math.min(view.getUint16(6), MOST_RECORDS); left > 0; left--) {
    at = endOfName(message, at);
    const data = at + RECORD_HEADER;
    if (data > message.length) break;
    const length = view.getUint16(at + 8);
    const end = data + length;
    if (end > message.length) break;
    const type = view.getUint16(at);
    if (
      view.getUint16(at + 2) === CLASS_IN &&
      ((type === TYPE_A && length === 4) || (type === TYPE_AAAA && length === 16))
    ) {
      const ttl = view.getUint32(at + 4);
      addresses.push({ address: formatAddress(message.subarray(data, end)), ttlSeconds: ttl >= TTL_SIGN ? 0 : ttl });
    }
    at = end;
  }
  const { name, type } = question;
  return { name, type, rcode: flags & RCODE, addresses };
}

function readQuestion(message: Uint8Array, view: DataView): { name: string; type: number; end: number } | undefined {
  let text = '';
  let at = HEADER;
  for (;;) {
    const length = message[at++];
    if (length === undefined || length > 63) return undefined; // cut off, or a pointer: there is nothing before it
    if (length === 0) break;
    if (at + length > message.length) return undefined;
    if (text !== '') text += '.';
    for (const end = at + length; at < end; at++) {
      // A dot within a label would look like the end of one.
      if (message[at] === 0x2e) return undefined;
      text += String.fromCharCode(message[at]);
    }
  }
  const name = readableName(text);
  if (name === undefined || at + 4 > message.length || view.getUint16(at + 2) !== CLASS_IN) return undefined;
  return { name, type: view.getUint16(at), end: at + 4 };
}

/** Where the record goes on behind the name of which it is; beyond the message when that is cut off. */
function endOfName(message: Uint8Array, from: number): number {
  for (let at = from; at < message.length; ) {
    const length = message[at];
    if (length === 0) return at + 1;
    if ((length & POINTER) === POINTER) return at + 2;
    at += 1 + length;
  }
  return message.length;
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseAddress, parseLink, RTM } from './link.ts';
import { encodeRequest, errorOf, parseAttributes, parseMessages, stringOf, u32Of } from './message.ts';

/** One attribute, padded. */
function attribute(type: number, payload: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc((4 + payload.length + 3) & ~3);
  bytes.writeUInt16LE(4 + payload.length, 0);
  bytes.writeUInt16LE(type, 2);
  bytes.set(payload, 4);
  return bytes;
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};

function linkMessage(type: number = RTM.NEWLINK): Uint8Array {
  const body = Buffer.alloc(16);
  body.writeInt32LE(42, 4);
  body.writeUInt32LE(1, 8);
  const attributes = [
    attribute(3, Buffer.from('veth0\0')),
    attribute(1, Uint8Array.of(2, 0, 0, 0, 0, 1)),
    attribute(5, u32(7)),
    attribute(37, u32(3)),
    attribute(18 | 0x8000, attribute(1, Buffer.from('veth\0'))),
  ];
  return encodeRequest(type, 0, 9, Buffer.concat([body, ...attributes]));
}

describe('netlink messages', () => {
  it('give a link its index, name, kind and peer', () => {
    const [message] = [...parseMessages(linkMessage())];
    expect(message).toMatchObject({ type: RTM.NEWLINK, sequence: 9 });
    expect(parseLink(message!)).toEqual({
      index: 42,
      name: 'veth0',
      kind: 'veth',
      up: true,
      peerIndex: 7,
      peerNamespace: 3,
      mac: Uint8Array.of(2, 0, 0, 0, 0, 1),
    });
  });

  it('follow one another in a datagram, each padded to four bytes', () => {
    const odd = encodeRequest(20, 0, 1, new Uint8Array(5));
    const padded = new Uint8Array((odd.length + 3) & ~3);
    padded.set(odd);
    const datagram = Buffer.concat([padded, linkMessage(RTM.DELLINK)]);
    expect([...parseMessages(datagram)].map((message) => message.type)).toEqual([20, RTM.DELLINK]);
  });

  it('leave out bridge ports, other messages and absent attributes', () => {
    const bridge = linkMessage();
    bridge[16] = 7;
    expect(parseLink([...parseMessages(bridge)][0]!)).toBeUndefined();
    expect(parseLink([...parseMessages(linkMessage(RTM.NEWADDR))][0]!)).toBeUndefined();
    const bare = encodeRequest(RTM.NEWLINK, 0, 1, new Uint8Array(16));
    expect(parseLink([...parseMessages(bare)][0]!)).toMatchObject({ name: '', kind: '', peerIndex: undefined });
  });

  it('give an address, the local one where there are two', () => {
    const body = Uint8Array.of(2, 24, 0, 0, 4, 0, 0, 0);
    const both = Buffer.concat([
      body,
      attribute(1, Uint8Array.of(10, 0, 0, 9)),
      attribute(2, Uint8Array.of(10, 0, 0, 1)),
    ]);
    const [message] = [...parseMessages(encodeRequest(RTM.NEWADDR, 0, 1, both))];
    expect(parseAddress(message!)).toEqual({
      linkIndex: 4,
      address: Uint8Array.of(10, 0, 0, 1),
      prefixLength: 24,
      scope: 0,
    });
  });

  it('name the error of a refusal', () => {
    const refusal = Buffer.alloc(4);
    refusal.writeInt32LE(-19);
    expect(errorOf(refusal)).toBe(19);
    expect(errorOf(new Uint8Array(2))).toBe(0);
  });
});

describe('whatever the bytes', () => {
  const everything = (bytes: Uint8Array) => {
    let read = 0;
    for (const message of parseMessages(bytes)) {
      read += message.payload.length + 16;
      parseLink(message);
      parseAddress(message);
      errorOf(message.payload);
      for (const [, value] of parseAttributes(message.payload)) {
        u32Of(value);
        stringOf(value);
      }
    }
    return read;
  };

  it('nothing throws, and no more is read than there is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(everything(bytes)).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it('a real message cut anywhere, or with any byte changed, does no harm', () => {
    const whole = linkMessage();
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length - 1), fc.nat(255), (length, at, value) => {
        const changed = Uint8Array.from(whole);
        changed[at] = value;
        const cut = changed.slice(0, length);
        expect(everything(cut)).toBeLessThanOrEqual(cut.length);
      }),
    );
  });

  it('attributes never reach beyond their container', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        for (const value of parseAttributes(bytes).values()) expect(value.length).toBeLessThanOrEqual(bytes.length - 4);
      }),
    );
  });
});

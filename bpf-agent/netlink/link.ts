/** Network interfaces and their addresses as rtnetlink tells them (linux/if_link.h, linux/if_addr.h). Pure parsing. */
import { type NetlinkMessage, parseAttributes, stringOf, u32Of } from './message.ts';

export const RTM = { NEWLINK: 16, DELLINK: 17, GETLINK: 18, NEWADDR: 20, GETADDR: 22 } as const;

const IFLA = { ADDRESS: 1, IFNAME: 3, LINK: 5, LINKINFO: 18, LINK_NETNSID: 37 } as const;
const IFLA_INFO_KIND = 1;
const IFA = { ADDRESS: 1, LOCAL: 2 } as const;
const LINK_BODY_BYTES = 16;
const ADDRESS_BODY_BYTES = 8;
const IFF_UP = 1;
const AF_BRIDGE = 7;

export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, …; empty for loopback and hardware. */
  readonly kind: string;
  readonly up: boolean;
  /** Index of the other end (veth) or of what it stands on; undefined = none. In another namespace if `peerNamespace` is set. */
  readonly peerIndex: number | undefined;
  /** This namespace's number for the namespace of `peerIndex`; undefined = the same namespace. */
  readonly peerNamespace: number | undefined;
  /** 6 bytes for Ethernet; empty when there is none. */
  readonly mac: Uint8Array;
}

export interface LinkAddress {
  readonly linkIndex: number;
  /** 4 or 16 bytes, network order. */
  readonly address: Uint8Array;
  readonly prefixLength: number;
  /** 0 = global, 253 = link, 254 = host. */
  readonly scope: number;
}

/** Reads an RTM_NEWLINK or RTM_DELLINK message; undefined when it is another one or cut short. */
export function parseLink(message: NetlinkMessage): Link | undefined {
  if (message.type !== RTM.NEWLINK && message.type !== RTM.DELLINK) return undefined;
  const { payload } = message;
  // Messages of family bridge speak of ports, not of interfaces coming and going.
  if (payload.length < LINK_BODY_BYTES || payload[0] === AF_BRIDGE) return undefined;
  const body = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const attributes = parseAttributes(payload.subarray(LINK_BODY_BYTES));
  const info = attributes.get(IFLA.LINKINFO);
  const peerIndex = u32Of(attributes.get(IFLA.LINK));
  return {
    index: body.getInt32(4, true),
    name: stringOf(attributes.get(IFLA.IFNAME)),
    kind: info ? stringOf(parseAttributes(info).get(IFLA_INFO_KIND)) : '',
    up: (body.getUint32(8, true) & IFF_UP) !== 0,
    peerIndex: peerIndex || undefined,
    peerNamespace: u32Of(attributes.get(IFLA.LINK_NETNSID)),
    mac: (attributes.get(IFLA.ADDRESS) ?? new Uint8Array(0)).slice(),
  };
}

/** Reads an RTM_NEWADDR message; undefined when it is another one, cut short, or of another family. */
export function parseAddress(message: NetlinkMessage): LinkAddress | undefined {
  if (message.type !== RTM.NEWADDR || message.payload.length < ADDRESS_BODY_BYTES) return undefined;
  const { payload } = message;
  const attributes = parseAttributes(payload.subarray(ADDRESS_BODY_BYTES));
  // Where both are given (point to point, and always for IPv4), LOCAL is ours.
  const address = attributes.get(IFA.LOCAL) ?? attributes.get(IFA.ADDRESS);
  if (!address || (address.length !== 4 && address.length !== 16)) return undefined;
  return {
    linkIndex: new DataView(payload.buffer, payload.byteOffset).getUint32(4, true),
    address: address.slice(),
    prefixLength: payload[1]!,
    scope: payload[3]!,
  };
}

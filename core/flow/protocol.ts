import { vocabulary } from '../vocabulary/vocabulary.ts';

/** IP protocol numbers (IANA) that flows name; names as Hubble prints them. */
export const PROTOCOL = {
  ICMPv4: 1,
  IGMP: 2,
  TCP: 6,
  UDP: 17,
  ICMPv6: 58,
  VRRP: 112,
  SCTP: 132,
} as const;

export const protocols = vocabulary('protocol', PROTOCOL);

/** True where source and destination ports have a meaning. */
export function hasPorts(protocol: number): boolean {
  return protocol === PROTOCOL.TCP || protocol === PROTOCOL.UDP || protocol === PROTOCOL.SCTP;
}

/** Of IPv4 or IPv6. */
export function isIcmp(protocol: number): boolean {
  return protocol === PROTOCOL.ICMPv4 || protocol === PROTOCOL.ICMPv6;
}

import { any } from '../../filter/algebra.ts';
import { PROTOCOL } from '../../flow/protocol.ts';
import { type FilterPart, FlowFilterError, isOneOf, ofLayer7 } from './filter-part.ts';

/** Names as the command line has them. Those of layer 7 have no number: a flow's record says them. */
const NUMBERS: Readonly<Record<string, readonly number[]>> = {
  tcp: [PROTOCOL.TCP],
  udp: [PROTOCOL.UDP],
  sctp: [PROTOCOL.SCTP],
  icmp: [PROTOCOL.ICMPv4, PROTOCOL.ICMPv6],
  icmpv4: [PROTOCOL.ICMPv4],
  icmpv6: [PROTOCOL.ICMPv6],
  vrrp: [PROTOCOL.VRRP],
  igmp: [PROTOCOL.IGMP],
  dns: [],
  http: [],
  kafka: [],
};

/** `protocol`, whatever its letter case. */
export const protocolFilter: FilterPart = ({ protocol }, tables) => {
  if (protocol.length === 0) return [];
  const numbers = protocol.flatMap((name) => {
    const known = Object.hasOwn(NUMBERS, name.toLowerCase()) ? NUMBERS[name.toLowerCase()] : undefined;
    if (known === undefined) {
      throw new FlowFilterError('protocol', name, `is not one of ${Object.keys(NUMBERS).join(', ')}`);
    }
    return known;
  });
  const ofLayer4 = isOneOf('protocol', numbers);
  const names = new Set(protocol.map((name) => name.toLowerCase()).filter((name) => NUMBERS[name].length === 0));
  if (names.size === 0) return [ofLayer4];
  return [any([ofLayer4, ofLayer7(tables, ({ record }) => names.has(record.case ?? ''))])];
};

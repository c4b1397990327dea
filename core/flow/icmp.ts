import { PROTOCOL } from './protocol.ts';

const ICMPV4: Readonly<Record<number, string>> = {
  0: 'EchoReply',
  3: 'DestinationUnreachable',
  4: 'SourceQuench',
  5: 'Redirect',
  8: 'EchoRequest',
  9: 'RouterAdvertisement',
  10: 'RouterSolicitation',
  11: 'TimeExceeded',
  12: 'ParameterProblem',
  13: 'TimestampRequest',
  14: 'TimestampReply',
};

const ICMPV6: Readonly<Record<number, string>> = {
  1: 'DestinationUnreachable',
  2: 'PacketTooBig',
  3: 'TimeExceeded',
  4: 'ParameterProblem',
  128: 'EchoRequest',
  129: 'EchoReply',
  133: 'RouterSolicitation',
  134: 'RouterAdvertisement',
  135: 'NeighborSolicitation',
  136: 'NeighborAdvertisement',
};

const UNREACHABLE: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  [PROTOCOL.ICMPv4]: {
    0: 'Net',
    1: 'Host',
    2: 'Protocol',
    3: 'Port',
    4: 'FragmentationNeeded',
    13: 'CommAdminProhibited',
  },
  [PROTOCOL.ICMPv6]: { 0: 'NoRouteToDst', 1: 'AdminProhibited', 3: 'Address', 4: 'Port' },
};

/** `EchoRequest`, `DestinationUnreachable(Port)`; numbers where there is no name: `42(7)`. */
export function icmpText(protocol: number, type: number, code: number): string {
  const name = (protocol === PROTOCOL.ICMPv4 ? ICMPV4 : ICMPV6)[type];
  if (name === undefined) return `${type}(${code})`;
  if (name !== 'DestinationUnreachable') return name;
  return `${name}(${UNREACHABLE[protocol]?.[code] ?? code})`;
}

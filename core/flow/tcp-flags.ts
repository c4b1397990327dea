/** TCP header flag bits (RFC 9293, section 3.1: byte 13 of the header), in the order Hubble prints them. */
export const TCP_FLAG = {
  FIN: 0x01,
  SYN: 0x02,
  RST: 0x04,
  PSH: 0x08,
  ACK: 0x10,
  URG: 0x20,
  ECE: 0x40,
  CWR: 0x80,
} as const;

export type TcpFlagName = keyof typeof TCP_FLAG;

const PRINT_ORDER = ['SYN', 'ACK', 'RST', 'FIN', 'PSH', 'URG', 'ECE', 'CWR'] as const satisfies readonly TcpFlagName[];

/** Names of the set flags joined by ", ": `SYN, ACK`; empty for none. */
export function tcpFlagNames(bits: number): string {
  return PRINT_ORDER.filter((name) => bits & TCP_FLAG[name]).join(', ');
}

/** A flag's bit by its name, in any letter case; undefined where there is none. */
export function parseTcpFlag(name: string): number | undefined {
  const upper = name.toUpperCase();
  return upper in TCP_FLAG ? TCP_FLAG[upper as TcpFlagName] : undefined;
}

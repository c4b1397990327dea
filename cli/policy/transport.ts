import { PROTOCOL } from '#core/flow/protocol.ts';
import { InvalidValueError, type Parser } from '#runtime/settings/parsers.ts';

/** What a connection goes to: a protocol and its port. */
export interface Transport {
  readonly protocol: number;
  readonly port: number;
  /** `TCP 80`, `ICMPv4 type 8` */
  readonly text: string;
}

const PROTOCOLS: Readonly<Record<string, number>> = {
  tcp: PROTOCOL.TCP,
  udp: PROTOCOL.UDP,
  sctp: PROTOCOL.SCTP,
  icmp: PROTOCOL.ICMPv4,
  icmpv6: PROTOCOL.ICMPv6,
};

/** Reads `80` (TCP), `53/udp`, `icmp/8`. */
export function parseTransport(text: string): Transport | undefined {
  const parts = /^(?:(\d{1,5})(?:\/(tcp|udp|sctp))?|(icmp|icmpv6)\/(\d{1,3}))$/i.exec(text);
  if (parts === null) return undefined;
  const [, number, transport = 'tcp', icmp, type] = parts;
  const name = (icmp ?? transport).toLowerCase();
  const port = Number(icmp === undefined ? number : type);
  if (port > (icmp === undefined ? 65_535 : 255)) return undefined;
  const shown =
    icmp === undefined ? `${name.toUpperCase()} ${port}` : `${name === 'icmp' ? 'ICMPv4' : 'ICMPv6'} type ${port}`;
  return { protocol: PROTOCOLS[name]!, port, text: shown };
}

export const TRANSPORT_FORM = 'a port such as 80, 53/udp or 9/sctp, or an ICMP type such as icmp/8';

export const transportParser: Parser<Transport> = (text) => {
  const transport = parseTransport(text);
  if (transport === undefined) throw new InvalidValueError(TRANSPORT_FORM);
  return transport;
};

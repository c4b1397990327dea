import { isReserved, reservedIdentities } from '../identity/reserved.ts';
import { type FlowColumns, rowTimeMs } from './columns.ts';
import { REPLY } from './direction.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointStore } from './endpoint-store.ts';
import { observations } from './observation.ts';
import { hasPorts, isIcmp, PROTOCOL, protocols } from './protocol.ts';
import { tcpFlagNames } from './tcp-flags.ts';
import { verdicts } from './verdict.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * A row as `hubble observe` prints it:
 * `Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/deathstar:80 (ID:901) to-endpoint FORWARDED (TCP Flags: SYN)`.
 * The opener stands first: `->` for its packets, `<-` for replies, `<>` when who opened is not known. Time is local.
 */
export function compactLine(columns: FlowColumns, row: number, endpoints: EndpointStore): string {
  const reply = columns.reply[row];
  const source = end(columns, endpoints.get(columns.source[row]), row, columns.sourcePort[row]);
  const destination = end(columns, endpoints.get(columns.destination[row]), row, columns.destinationPort[row]);
  const ends =
    reply === REPLY.REPLY
      ? `${destination} <- ${source}`
      : `${source} ${reply === REPLY.ORIGINAL ? '->' : '<>'} ${destination}`;
  const point = observations.name(columns.observation[row]).toLowerCase().replaceAll('_', '-');
  const verdict = verdicts.name(columns.verdict[row]);
  return `${shortTime(rowTimeMs(columns, row))}: ${ends} ${point} ${verdict} (${summary(columns, row)})`;
}

/** `TCP Flags: SYN, ACK`, `UDP`, `ICMPv4 EchoRequest`. */
export function summary(columns: FlowColumns, row: number): string {
  const protocol = columns.protocol[row];
  if (protocol === PROTOCOL.TCP) return `TCP Flags: ${tcpFlagNames(columns.tcpFlags[row])}`;
  if (!isIcmp(protocol)) return protocols.name(protocol);
  const [type, code] = [columns.sourcePort[row], columns.destinationPort[row]];
  return `${protocols.name(protocol)} ${icmpTypeName(protocol, type) ?? `type ${type} code ${code}`}`;
}

function icmpTypeName(protocol: number, type: number): string | undefined {
  const names: Record<number, string> =
    protocol === PROTOCOL.ICMPv4
      ? { 0: 'EchoReply', 3: 'DestinationUnreachable', 8: 'EchoRequest', 11: 'TimeExceeded' }
      : { 1: 'DestinationUnreachable', 2: 'PacketTooBig', 3: 'TimeExceeded', 128: 'EchoRequest', 129: 'EchoReply' };
  return names[type];
}

function end(columns: FlowColumns, endpoint: Endpoint, row: number, port: number): string {
  const name = endpoint.pod === '' ? (endpoint.names[0] ?? endpoint.address) : `${endpoint.namespace}/${endpoint.pod}`;
  const bare = name.includes(':') && endpoint.pod === '' ? `[${name}]` : name;
  return `${bare}${hasPorts(columns.protocol[row]) ? `:${port}` : ''} ${identityText(endpoint.identity)}`;
}

function identityText(identity: number): string {
  return isReserved(identity) ? `(${reservedIdentities.name(identity)})` : `(ID:${identity})`;
}

function shortTime(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${MONTHS[at.getMonth()]} ${two(at.getDate())} ${clock}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

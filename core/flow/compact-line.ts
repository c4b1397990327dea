import { isReserved, RESERVED_IDENTITY, reservedIdentities } from '../identity/reserved.ts';
import { type FlowColumns, rowTimeMs } from './columns.ts';
import type { DecisionStore } from './decision-store.ts';
import { decisionText } from './decision-text.ts';
import { REPLY } from './direction.ts';
import { dropReasonText } from './drop-reason.ts';
import type { Endpoint } from './endpoint.ts';
import type { EndpointStore } from './endpoint-store.ts';
import { icmpText } from './icmp.ts';
import { isLayer7, layer7LatencyNs, layer7Number } from './layer7.ts';
import type { Layer7Store } from './layer7-store.ts';
import { layer7Summary, layer7TypeText } from './layer7-text.ts';
import { observations, seenAtDestination } from './observation.ts';
import { hasPorts, isIcmp, PROTOCOL, protocols } from './protocol.ts';
import { serviceReferenceText } from './service-reference.ts';
import { tcpFlagNames } from './tcp-flags.ts';
import { isTranslation } from './translation.ts';
import { VERDICT, verdicts } from './verdict.ts';

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * A row as `hubble observe` prints it:
 * `Nov 21 09:26:56.123: default/xwing:41234 (ID:2331) -> default/deathstar:80 (ID:901) to-endpoint FORWARDED (TCP Flags: SYN)`.
 * The opener stands first: `->` for its packets, `<-` for replies, `<>` when who opened is not known. A drop tells its
 * reason where others tell the observation point. Time is local. `node`, where given, follows the time in brackets.
 * With the decisions' store, a drop or an audit says at the end which policies made it. Then comes the Service it went through.
 */
export function compactLine(
  columns: FlowColumns,
  row: number,
  endpoints: EndpointStore,
  node?: string,
  decisions?: DecisionStore,
  layer7?: Layer7Store,
): string {
  const reply = columns.reply[row];
  const source = end(columns, endpoints.get(columns.source[row]), row, columns.sourcePort[row]);
  const destination = end(columns, endpoints.get(columns.destination[row]), row, columns.destinationPort[row]);
  const ends =
    reply === REPLY.REPLY
      ? `${destination} <- ${source}`
      : `${source} ${reply === REPLY.ORIGINAL ? '->' : '<>'} ${destination}`;
  const verdict = columns.verdict[row];
  const request = layer7?.get(layer7Number(columns, row));
  const type = isLayer7(columns.observation[row])
    ? request === undefined
      ? 'l7'
      : layer7TypeText(request)
    : verdict === VERDICT.DROPPED
      ? dropReasonText(columns.dropReason[row])
      : observations.name(columns.observation[row]).toLowerCase().replaceAll('_', '-');
  const where = node === undefined ? '' : ` [${node}]`;
  return `${shortTime(rowTimeMs(columns, row))}${where}: ${ends} ${type} ${verdicts.name(verdict)} (${summary(columns, row, layer7)})${policyText(columns, row, decisions)}${serviceText(columns, row, endpoints)}`;
}

function policyText(columns: FlowColumns, row: number, decisions: DecisionStore | undefined): string {
  const verdict = columns.verdict[row];
  if (decisions === undefined || columns.policy[row] === 0) return '';
  if (verdict !== VERDICT.DROPPED && verdict !== VERDICT.AUDIT) return '';
  return ` ${decisionText(decisions.get(columns.policy[row]))}`;
}

function serviceText(columns: FlowColumns, row: number, endpoints: EndpointStore): string {
  const atSource = columns.reply[row] === REPLY.REPLY || isTranslatedBack(columns, row);
  const { service } = endpoints.get(atSource ? columns.source[row] : columns.destination[row]);
  return service === undefined ? '' : ` through ${serviceReferenceText(service)}`;
}

function isTranslatedBack(columns: FlowColumns, row: number): boolean {
  return isTranslation(columns.observation[row]) && seenAtDestination(columns.observation[row]);
}

/** `TCP Flags: SYN, ACK`, `UDP`, `ICMPv4 EchoRequest`, `HTTP/1.1 GET http://shop/`; of what happens at a socket the protocol alone. */
export function summary(columns: FlowColumns, row: number, layer7?: Layer7Store): string {
  const protocol = columns.protocol[row];
  if (isLayer7(columns.observation[row])) {
    const entry = layer7?.get(layer7Number(columns, row));
    return entry === undefined ? '' : layer7Summary(entry, layer7LatencyNs(columns, row));
  }
  if (isTranslation(columns.observation[row])) return protocols.name(protocol);
  if (protocol === PROTOCOL.TCP) return `TCP Flags: ${tcpFlagNames(columns.tcpFlags[row])}`;
  if (!isIcmp(protocol)) return protocols.name(protocol);
  return `${protocols.name(protocol)} ${icmpText(protocol, columns.sourcePort[row], columns.destinationPort[row])}`;
}

/** Pod, else the DNS names, else the address; then the port where there is one, and the identity. */
function end(columns: FlowColumns, endpoint: Endpoint, row: number, port: number): string {
  const name = endpoint.pod === '' ? endpoint.names.join(',') || endpoint.address : podName(endpoint);
  const withPort = hasPorts(columns.protocol[row]) && port !== 0;
  const text = withPort ? `${name.includes(':') ? `[${name}]` : name}:${port}` : name;
  return `${text} ${identityText(endpoint.identity)}`;
}

function podName({ namespace, pod }: Endpoint): string {
  return namespace === '' ? pod : `${namespace}/${pod}`;
}

function identityText(identity: number): string {
  return isReserved(identity) || identity === RESERVED_IDENTITY.unknown
    ? `(${reservedIdentities.name(identity)})`
    : `(ID:${identity})`;
}

/** `Nov  1 09:26:56.123`: the day is padded with a space. */
function shortTime(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, '0');
  const clock = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  const day = String(at.getDate()).padStart(2, ' ');
  return `${MONTHS[at.getMonth()]} ${day} ${clock}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

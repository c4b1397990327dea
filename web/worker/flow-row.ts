import { rowTimeMs } from '#core/flow/columns.ts';
import { DIRECTION, REPLY } from '#core/flow/direction.ts';
import { dropReasonText } from '#core/flow/drop-reason.ts';
import { icmpText } from '#core/flow/icmp.ts';
import { isLayer7, layer7LatencyNs, layer7Number, packetsBack } from '#core/flow/layer7.ts';
import { layer7Words } from '#core/flow/layer7-text.ts';
import { observations, seenAtDestination } from '#core/flow/observation.ts';
import { hasPorts, isIcmp, PROTOCOL, protocols } from '#core/flow/protocol.ts';
import { serviceReferenceText } from '#core/flow/service-reference.ts';
import { tcpFlagNames } from '#core/flow/tcp-flags.ts';
import { isTranslation, roundTripMicros, sentAgain } from '#core/flow/translation.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { formatBytes, formatMicros } from '../format/quantity.ts';
import { endpointName, endpointRealm } from './endpoint-name.ts';
import { policyName } from './flow-policy.ts';
import type { PageWindow } from './page-window.ts';
import type { FlowEnd, FlowRow } from './shown-flow.ts';

/** Makes the object for one row of a window: only for rows that are about to be seen. */
export function flowRow(window: PageWindow, position: number): FlowRow {
  const { columns } = window;
  const slot = window.slot(position);
  const reply = columns.reply[slot] === REPLY.REPLY;
  const protocol = columns.protocol[slot];
  const ported = hasPorts(protocol);
  const sender = flowEnd(window, columns.source[slot], ported ? columns.sourcePort[slot] : 0);
  const receiver = flowEnd(window, columns.destination[slot], ported ? columns.destinationPort[slot] : 0);
  const source = reply ? receiver : sender;
  const destination = reply ? sender : receiver;
  const boot = window.nodes[columns.node[slot]];
  const policy = columns.policy[slot];
  const policyText = policy === 0 ? '' : policyName(window.decisions.get(policy));
  const layer7 = isLayer7(columns.observation[slot]) ? requestWords(window, slot) : '';
  return {
    position,
    id: window.id(slot),
    time: rowTimeMs(columns, slot),
    source,
    destination,
    port: destination.port,
    protocol: protocols.name(protocol),
    verdict: columns.verdict[slot],
    reason: columns.verdict[slot] === VERDICT.DROPPED ? dropReasonText(columns.dropReason[slot]) : '',
    policy: policyText,
    info: layer7 || rowInfo(window, slot, reply, policyText),
    layer7,
    tcpFlags: protocol === PROTOCOL.TCP ? tcpFlagNames(columns.tcpFlags[slot]) : '',
    direction: DIRECTION_WORDS[columns.direction[slot]] ?? '',
    reply,
    node: boot.node,
    bytes: columns.bytesOriginal[slot] + columns.bytesReply[slot],
    packets: columns.packetsOriginal[slot] + packetsBack(columns, slot),
    rttMicros: roundTripMicros(columns, slot),
    retransmits: sentAgain(columns, slot),
    count: 1,
  };
}

/** `← 200 12 ms GET /cart`; a request that was denied says so. */
function requestWords(window: PageWindow, slot: number): string {
  const { columns } = window;
  const latency = layer7LatencyNs(columns, slot);
  const record = window.layer7.get(layer7Number(columns, slot));
  const words = layer7Words(record, latency > 0 ? formatMicros(latency / 1000) : '');
  return columns.verdict[slot] === VERDICT.DROPPED ? `${words} · denied` : words;
}

const DIRECTION_WORDS: Record<number, string> = { [DIRECTION.INGRESS]: 'ingress', [DIRECTION.EGRESS]: 'egress' };

/** Why a record was made, where that says something that nothing else in the row does. */
export const TRIGGER_WORDS: Readonly<Record<number, string>> = {
  [TRIGGER.INTERVAL]: 'active',
  [TRIGGER.CLOSE]: 'closed',
  [TRIGGER.IDLE_END]: 'ended, idle',
};

/** What else there is to say about a row, in a few words. */
function rowInfo(window: PageWindow, slot: number, reply: boolean, policy: string): string {
  const { columns } = window;
  const verdict = columns.verdict[slot];
  if (isTranslation(columns.observation[slot])) return translationInfo(window, slot);
  if (verdict === VERDICT.DROPPED) {
    return [dropReasonText(columns.dropReason[slot]), policy].filter((part) => part !== '').join(' · ');
  }
  if (verdict === VERDICT.AUDIT && policy !== '') return `would be dropped · ${policy}`;
  const protocol = columns.protocol[slot];
  const parts: string[] = [];
  if (isIcmp(protocol)) parts.push(icmpText(protocol, columns.sourcePort[slot], columns.destinationPort[slot]));
  const trigger = TRIGGER_WORDS[columns.trigger[slot]];
  if (trigger !== undefined) parts.push(trigger);
  else if (reply) parts.push('reply');
  const bytes = columns.bytesOriginal[slot] + columns.bytesReply[slot];
  if (bytes > 0 && trigger !== undefined) parts.push(formatBytes(bytes));
  const { service } = window.endpoints.get(reply ? columns.source[slot] : columns.destination[slot]);
  if (service !== undefined) parts.push(`through ${serviceReferenceText(service)}`);
  if (columns.rttMicros[slot] > 0) parts.push(`${formatMicros(columns.rttMicros[slot])} RTT`);
  if (columns.retransmits[slot] > 0) parts.push(`${columns.retransmits[slot]} sent again`);
  return parts.join(' · ');
}

/** What stood at the socket, or stands there now. */
function translationInfo(window: PageWindow, slot: number): string {
  const { columns, endpoints } = window;
  const observation = columns.observation[slot];
  const { service } = endpoints.get(seenAtDestination(observation) ? columns.source[slot] : columns.destination[slot]);
  const word = observations.name(observation).toLowerCase().replaceAll('_', '-');
  return service === undefined ? word : `${word} · through ${serviceReferenceText(service)}`;
}

function flowEnd(window: PageWindow, number: number, port: number): FlowEnd {
  const endpoint = window.endpoints.get(number);
  return {
    name: endpointName(endpoint),
    namespace: endpointRealm(endpoint),
    address: endpoint.address,
    port,
    pod: endpoint.pod,
    workload: endpoint.workloadName === '' ? '' : `${endpoint.workloadKind} ${endpoint.workloadName}`,
    node: endpoint.node,
    identity: endpoint.identity,
  };
}

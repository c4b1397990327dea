import type { Endpoint as EndpointMessage, Flow } from '#proto/gen/flow/flow_pb.ts';
import type { FlowColumns } from '../flow/columns.ts';
import type { DecisionStore } from '../flow/decision-store.ts';
import { DIRECTION, REPLY } from '../flow/direction.ts';
import { proxyDropReason } from '../flow/drop-reason.ts';
import { type Endpoint, NO_ENDPOINT } from '../flow/endpoint.ts';
import type { EndpointStore } from '../flow/endpoint-store.ts';
import { writeLayer7 } from '../flow/layer7.ts';
import type { Layer7Store } from '../flow/layer7-store.ts';
import { type NodeBoot, parseFlowId } from '../flow/node-boot.ts';
import { OBSERVATION, seenAtDestination } from '../flow/observation.ts';
import { NO_DECISION, type PolicyReference } from '../flow/policy-decision.ts';
import { PROTOCOL } from '../flow/protocol.ts';
import { TCP_FLAG, type TcpFlagName } from '../flow/tcp-flags.ts';
import { isTranslation, observationOfSocketPoint, writeSocketCookie } from '../flow/translation.ts';
import { TRIGGER } from '../flow/trigger.ts';
import { VERDICT } from '../flow/verdict.ts';
import { EVENT_TYPE } from './event-type.ts';
import { layer7OfFlow } from './layer7-part.ts';

/** Where the numbers of a row come from; a FlowWindow is one. */
export interface RowTables {
  readonly endpoints: EndpointStore;
  readonly decisions: DecisionStore;
  readonly layer7: Layer7Store;
  nodeNumber(boot: NodeBoot): number;
}

/**
 * Writes a flow that another Hubble told of into a row. What Hubble's message does not hold (bytes, packets, round trip)
 * is 0, which stands for "not known"; what our columns do not hold (tunnels, services) is left out. Layer 7 is written as it is told:
 * redact it before. The numbers of its endpoints, decision and record of layer 7 are interned and not retained.
 *
 * @param boot whose flow it is; `sequence` is the row's in it. A uuid of our own form goes before both.
 */
export function writeFlowRow(
  flow: Flow,
  boot: NodeBoot,
  sequence: number,
  columns: FlowColumns,
  row: number,
  tables: RowTables,
): void {
  const own = parseFlowId(flow.uuid);
  columns.sequence[row] = own?.sequence ?? sequence;
  columns.node[row] = tables.nodeNumber(own?.boot ?? boot);
  columns.timeSeconds[row] = Number(flow.time?.seconds ?? 0n);
  columns.timeNanos[row] = flow.time?.nanos ?? 0;
  const observation = observationOf(flow);
  columns.observation[row] = observation;
  const atDestination = seenAtDestination(observation);
  const cgroupId = Number(flow.cgroupId);
  const source = endpoint(flow.source, flow.IP?.source, flow.sourceNames, atDestination ? undefined : flow.interface);
  const destination = endpoint(
    flow.destination,
    flow.IP?.destination,
    flow.destinationNames,
    atDestination ? flow.interface : undefined,
  );
  const [from, to] =
    cgroupId === 0
      ? [source, destination]
      : atDestination
        ? [source, { ...destination, cgroupId }]
        : [{ ...source, cgroupId }, destination];
  columns.source[row] = tables.endpoints.intern(from);
  columns.destination[row] = tables.endpoints.intern(to);
  columns.verdict[row] = flow.verdict;
  columns.dropReason[row] = flow.verdict === VERDICT.DROPPED ? dropReasonOf(flow) : 0;
  columns.direction[row] = flow.trafficDirection;
  columns.reply[row] = flow.isReply === undefined ? REPLY.UNKNOWN : flow.isReply ? REPLY.REPLY : REPLY.ORIGINAL;
  columns.trigger[row] =
    flow.verdict === VERDICT.DROPPED
      ? TRIGGER.DROP
      : isTranslation(observation)
        ? TRIGGER.TRANSLATION
        : flow.traceReason === 1
          ? TRIGGER.FIRST_PACKET
          : TRIGGER.UNKNOWN;
  writeLayer4(flow, columns, row);
  for (const name of [
    'packetsOriginal',
    'packetsReply',
    'bytesOriginal',
    'bytesReply',
    'rttMicros',
    'retransmits',
  ] as const) {
    columns[name][row] = 0;
  }
  if (isTranslation(observation)) {
    writeSocketCookie(columns, row, Number(flow.socketCookie & 0xffff_ffffn), Number(flow.socketCookie >> 32n));
  }
  const request = layer7OfFlow(flow);
  if (request !== undefined) {
    writeLayer7(columns, row, tables.layer7.intern(request), Number(flow.l7!.latencyNs));
  }
  columns.policy[row] = decision(flow, tables.decisions);
}

/** Of a drop nobody tells where it was seen; whose rules were asked says at which end. */
function observationOf({ traceObservationPoint, sockXlatePoint, verdict, ...flow }: Flow): number {
  const { trafficDirection, isReply, eventType, l7 } = flow;
  if (l7 !== undefined) return OBSERVATION.LAYER7;
  if (sockXlatePoint !== 0) return observationOfSocketPoint(sockXlatePoint);
  if (traceObservationPoint !== OBSERVATION.UNKNOWN) return traceObservationPoint;
  if (verdict === VERDICT.DROPPED) {
    if (trafficDirection === DIRECTION.UNKNOWN) return OBSERVATION.UNKNOWN;
    return (trafficDirection === DIRECTION.INGRESS) === (isReply === true)
      ? OBSERVATION.TO_STACK
      : OBSERVATION.TO_ENDPOINT;
  }
  if (eventType?.type !== EVENT_TYPE.TRACE) return OBSERVATION.UNKNOWN;
  return eventType.subType === 0 ? OBSERVATION.UNKNOWN : eventType.subType;
}

/** Of a request that was refused Hubble gives no reason: it was the proxy that did. */
function dropReasonOf({ dropReasonDesc, dropReason, eventType, l7 }: Flow): number {
  const told = dropReasonDesc || dropReason;
  if (told !== 0) return told;
  return l7 === undefined ? (eventType?.subType ?? 0) : proxyDropReason(l7.record.case);
}

function writeLayer4({ l4 }: Flow, columns: FlowColumns, row: number): void {
  const protocol = l4?.protocol;
  columns.protocol[row] = protocol?.case === undefined ? 0 : PROTOCOL[protocol.case];
  columns.sourcePort[row] = 0;
  columns.destinationPort[row] = 0;
  columns.tcpFlags[row] = 0;
  switch (protocol?.case) {
    case 'TCP':
      for (const flag of Object.keys(TCP_FLAG) as TcpFlagName[]) {
        if (protocol.value.flags?.[flag]) columns.tcpFlags[row] |= TCP_FLAG[flag];
      }
      columns.sourcePort[row] = protocol.value.sourcePort;
      columns.destinationPort[row] = protocol.value.destinationPort;
      break;
    case 'UDP':
    case 'SCTP':
      columns.sourcePort[row] = protocol.value.sourcePort;
      columns.destinationPort[row] = protocol.value.destinationPort;
      break;
    case 'ICMPv4':
    case 'ICMPv6':
      columns.sourcePort[row] = protocol.value.type;
      columns.destinationPort[row] = protocol.value.code;
  }
}

function endpoint(
  message: EndpointMessage | undefined,
  address = '',
  names: readonly string[],
  link: { index: number; name: string } | undefined,
): Endpoint {
  if (message === undefined) return { ...NO_ENDPOINT, address, names };
  const [workload] = message.workloads;
  return {
    address,
    identity: message.identity,
    cluster: message.clusterName,
    namespace: message.namespace,
    pod: message.podName,
    workloadKind: workload?.kind ?? '',
    workloadName: workload?.name ?? '',
    labels: message.labels,
    names,
    node: '',
    interfaceIndex: link?.index ?? 0,
    interfaceName: link?.name ?? '',
    id: message.ID,
  };
}

/** The decision as far as Hubble tells it: which policies, not by which rule. */
function decision(flow: Flow, decisions: DecisionStore): number {
  const ingress = flow.ingressAllowedBy.length + flow.ingressDeniedBy.length > 0;
  const allowed = ingress ? flow.ingressAllowedBy : flow.egressAllowedBy;
  const denied = ingress ? flow.ingressDeniedBy : flow.egressDeniedBy;
  if (allowed.length + denied.length === 0) return 0;
  const reference = ({ kind, namespace, name }: (typeof allowed)[number]): PolicyReference => ({
    kind,
    namespace,
    name,
    rule: -1,
  });
  return decisions.intern({
    ...NO_DECISION,
    direction: ingress ? 1 : 2,
    allowedBy: allowed.map(reference),
    deniedBy: denied.map(reference),
  });
}

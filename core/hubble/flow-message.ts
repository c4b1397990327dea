import { create } from '@bufbuild/protobuf';
import { type Timestamp, TimestampSchema } from '@bufbuild/protobuf/wkt';
import {
  type CiliumEventType,
  CiliumEventTypeSchema,
  type DropReason,
  type Endpoint as EndpointMessage,
  EndpointSchema,
  type Flow,
  FlowSchema,
  FlowType,
  type IP,
  IPSchema,
  IPVersion,
  type Layer4,
  Layer4Schema,
  type NetworkInterface,
  NetworkInterfaceSchema,
  type Policy,
  PolicySchema,
  type Service,
  ServiceSchema,
  type SocketTranslationPoint,
  type TCPFlags,
  TCPFlagsSchema,
  type TraceObservationPoint,
  TraceReason,
  type TrafficDirection,
  type Verdict,
} from '#proto/gen/flow/flow_pb.ts';
import type { FlowColumns } from '../flow/columns.ts';
import { summary } from '../flow/compact-line.ts';
import { DIRECTION, REPLY } from '../flow/direction.ts';
import { toldDropReason } from '../flow/drop-reason.ts';
import type { Endpoint } from '../flow/endpoint.ts';
import { isLayer7, layer7LatencyNs, layer7Number } from '../flow/layer7.ts';
import { flowId } from '../flow/node-boot.ts';
import { OBSERVATION, seenAtDestination } from '../flow/observation.ts';
import type { PolicyDecision, PolicyReference } from '../flow/policy-decision.ts';
import { PROTOCOL } from '../flow/protocol.ts';
import { TCP_FLAG, type TcpFlagName } from '../flow/tcp-flags.ts';
import { isTranslation, socketCookie, socketPoint } from '../flow/translation.ts';
import { TRIGGER } from '../flow/trigger.ts';
import { VERDICT } from '../flow/verdict.ts';
import { EVENT_TYPE } from './event-type.ts';
import type { HubbleTables } from './flow-json.ts';
import { hubbleLayer7, hubbleTraceContext } from './layer7-part.ts';

/**
 * A row as Hubble's `flow.Flow`, for what looks at flows one by one (CEL, rare field masks). Streams go by
 * `flow-encoder.ts`, which makes the same bytes without the object.
 */
export function flowMessage(columns: FlowColumns, row: number, tables: HubbleTables): Flow {
  const boot = tables.nodes[columns.node[row]];
  const source = tables.endpoints.get(columns.source[row]);
  const destination = tables.endpoints.get(columns.destination[row]);
  const decision = columns.policy[row] === 0 ? undefined : tables.decisions?.get(columns.policy[row]);
  return create(FlowSchema, {
    time: timeMessage(columns, row),
    uuid: flowId(boot, columns.sequence[row]),
    IP: ipMessage(source.address, destination.address),
    l4: layer4Message(columns, row),
    source: hubbleEndpoint(source),
    destination: hubbleEndpoint(destination),
    nodeName: `${boot.cluster}/${boot.node}`,
    sourceNames: [...source.names],
    destinationNames: [...destination.names],
    sourceService: serviceMessage(source),
    destinationService: serviceMessage(destination),
    interface: interfaceMessage(seenAtDestination(columns.observation[row]) ? destination : source),
    Summary: summary(columns, row, tables.layer7),
    ...eventFields(columns, row),
    ...socketFields(columns, row, source, destination),
    ...layer7Fields(columns, row, tables),
    ...(decision === undefined ? {} : policyFields(decision)),
  });
}

/** When the row's flow was seen, to the nanosecond. */
export function timeMessage(columns: FlowColumns, row: number): Timestamp {
  return create(TimestampSchema, { seconds: BigInt(columns.timeSeconds[row]), nanos: columns.timeNanos[row] });
}

/** What a translation says of its socket; nothing of other rows. */
export function socketFields(columns: FlowColumns, row: number, source: Endpoint, destination: Endpoint) {
  if (!isTranslation(columns.observation[row])) return {};
  return {
    socketCookie: BigInt(socketCookie(columns, row)),
    cgroupId: BigInt(source.cgroupId ?? destination.cgroupId ?? 0),
  };
}

/** What a row says of a request; nothing of other rows. */
export function layer7Fields(columns: FlowColumns, row: number, { layer7 }: HubbleTables) {
  if (layer7 === undefined || !isLayer7(columns.observation[row])) return {};
  const entry = layer7.get(layer7Number(columns, row));
  return { l7: hubbleLayer7(entry, layer7LatencyNs(columns, row)), traceContext: hubbleTraceContext(entry) };
}

/** What a row says of its event: fields of few values each, which many rows have in common. */
export function eventFields(columns: FlowColumns, row: number) {
  const verdict = columns.verdict[row] as Verdict;
  const dropped = verdict === VERDICT.DROPPED;
  const observation = columns.observation[row];
  const point = socketPoint(observation) as SocketTranslationPoint;
  const reply = columns.reply[row];
  const reason = (dropped ? toldDropReason(columns.dropReason[row]) : 0) as DropReason;
  const request = isLayer7(observation);
  return {
    verdict,
    dropReason: reason,
    Type: request ? FlowType.L7 : point === 0 ? FlowType.L3_L4 : FlowType.SOCK,
    reply: reply === REPLY.REPLY,
    eventType: eventTypeMessage(dropped, reason, observation),
    trafficDirection: columns.direction[row] as TrafficDirection,
    traceObservationPoint: (dropped || point !== 0 || request ? 0 : observation) as TraceObservationPoint,
    traceReason: dropped || request ? TraceReason.TRACE_REASON_UNKNOWN : traceReason(columns.trigger[row], reply),
    dropReasonDesc: reason,
    isReply: reply === REPLY.UNKNOWN ? undefined : reply === REPLY.REPLY,
    sockXlatePoint: point,
  };
}

function eventTypeMessage(dropped: boolean, reason: number, observation: number): CiliumEventType {
  if (isLayer7(observation)) return create(CiliumEventTypeSchema, { type: EVENT_TYPE.L7 });
  if (dropped) return create(CiliumEventTypeSchema, { type: EVENT_TYPE.DROP, subType: reason });
  if (isTranslation(observation)) {
    return create(CiliumEventTypeSchema, { type: EVENT_TYPE.TRACE_SOCK, subType: socketPoint(observation) });
  }
  // In a trace event "to-endpoint" is 0; as an observation point it is 101.
  const subType = observation === OBSERVATION.TO_ENDPOINT ? 0 : observation;
  return create(CiliumEventTypeSchema, { type: EVENT_TYPE.TRACE, subType });
}

/** What the connection table said about the packet. */
function traceReason(trigger: number, reply: number): TraceReason {
  if (reply === REPLY.REPLY) return TraceReason.REPLY;
  if (reply === REPLY.UNKNOWN) return TraceReason.TRACE_REASON_UNKNOWN;
  return trigger === TRIGGER.FIRST_PACKET ? TraceReason.NEW : TraceReason.ESTABLISHED;
}

/** One end of a flow as Hubble's message has it. */
export function hubbleEndpoint(endpoint: Endpoint): EndpointMessage {
  return create(EndpointSchema, {
    ID: endpoint.id,
    identity: endpoint.identity,
    clusterName: endpoint.cluster,
    namespace: endpoint.namespace,
    labels: [...endpoint.labels],
    podName: endpoint.pod,
    workloads: endpoint.workloadName === '' ? [] : [{ name: endpoint.workloadName, kind: endpoint.workloadKind }],
  });
}

/** The Service that the client asked for; undefined where it asked for the endpoint itself. */
export function serviceMessage({ service }: Endpoint): Service | undefined {
  return service && create(ServiceSchema, { name: service.name, namespace: service.namespace });
}

/** Undefined where neither end has an address. */
export function ipMessage(source: string, destination: string): IP | undefined {
  if (source === '' && destination === '') return undefined;
  const ipVersion = (source || destination).includes(':') ? IPVersion.IPv6 : IPVersion.IPv4;
  return create(IPSchema, { source, destination, ipVersion });
}

/** Undefined for protocols that Hubble has no message for. */
export function layer4Message(columns: FlowColumns, row: number): Layer4 | undefined {
  const ports = { sourcePort: columns.sourcePort[row], destinationPort: columns.destinationPort[row] };
  const icmp = { type: columns.sourcePort[row], code: columns.destinationPort[row] };
  switch (columns.protocol[row]) {
    case PROTOCOL.TCP:
      return create(Layer4Schema, {
        protocol: { case: 'TCP', value: { ...ports, flags: tcpFlagsMessage(columns.tcpFlags[row]) } },
      });
    case PROTOCOL.UDP:
      return create(Layer4Schema, { protocol: { case: 'UDP', value: ports } });
    case PROTOCOL.SCTP:
      return create(Layer4Schema, { protocol: { case: 'SCTP', value: ports } });
    case PROTOCOL.ICMPv4:
      return create(Layer4Schema, { protocol: { case: 'ICMPv4', value: icmp } });
    case PROTOCOL.ICMPv6:
      return create(Layer4Schema, { protocol: { case: 'ICMPv6', value: icmp } });
    case PROTOCOL.IGMP:
      return create(Layer4Schema, { protocol: { case: 'IGMP', value: {} } });
    case PROTOCOL.VRRP:
      return create(Layer4Schema, { protocol: { case: 'VRRP', value: {} } });
    default:
      return undefined;
  }
}

/** Undefined where no flag is set. */
export function tcpFlagsMessage(bits: number): TCPFlags | undefined {
  if (bits === 0) return undefined;
  const set = (Object.keys(TCP_FLAG) as TcpFlagName[]).filter((name) => bits & TCP_FLAG[name]);
  return create(TCPFlagsSchema, Object.fromEntries(set.map((name) => [name, true])));
}

/** The interface of the endpoint that observed the packet. */
export function interfaceMessage(observer: Endpoint): NetworkInterface | undefined {
  if (observer.interfaceIndex === 0) return undefined;
  return create(NetworkInterfaceSchema, { index: observer.interfaceIndex, name: observer.interfaceName });
}

/** By whose rules: those of the observing endpoint's ingress or egress. Hubble has no field for audited policies. */
export function policyFields({ direction, allowedBy, deniedBy }: PolicyDecision) {
  const [allowed, denied] = [policies(allowedBy), policies(deniedBy)];
  return direction === DIRECTION.INGRESS
    ? { ingressAllowedBy: allowed, ingressDeniedBy: denied }
    : { egressAllowedBy: allowed, egressDeniedBy: denied };
}

/** Each policy once, whichever of its rules. */
function policies(references: readonly PolicyReference[]): Policy[] {
  const byName = new Map<string, Policy>();
  for (const { kind, namespace, name } of references) {
    byName.set(`${kind}/${namespace}/${name}`, create(PolicySchema, { name, namespace, kind }));
  }
  return [...byName.values()];
}

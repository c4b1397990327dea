import { type FlowColumns, rowTimeNs } from '../flow/columns.ts';
import { summary } from '../flow/compact-line.ts';
import type { DecisionStore } from '../flow/decision-store.ts';
import { DIRECTION, directions, REPLY } from '../flow/direction.ts';
import { dropReasons, toldDropReason } from '../flow/drop-reason.ts';
import type { Endpoint } from '../flow/endpoint.ts';
import type { EndpointStore } from '../flow/endpoint-store.ts';
import { isLayer7, layer7LatencyNs, layer7Number } from '../flow/layer7.ts';
import type { Layer7Store } from '../flow/layer7-store.ts';
import { flowId, type NodeBoot } from '../flow/node-boot.ts';
import { OBSERVATION, observations, seenAtDestination } from '../flow/observation.ts';
import type { PolicyReference } from '../flow/policy-decision.ts';
import { hasPorts, isIcmp, PROTOCOL, protocols } from '../flow/protocol.ts';
import { TCP_FLAG, type TcpFlagName } from '../flow/tcp-flags.ts';
import { isTranslation, socketCookie, socketPoint } from '../flow/translation.ts';
import { TRIGGER } from '../flow/trigger.ts';
import { VERDICT, verdicts } from '../flow/verdict.ts';
import { EVENT_TYPE } from './event-type.ts';
import type { HubbleJson } from './hubble-json.ts';
import { layer7Json } from './layer7-json.ts';

/** What the numbers in a row refer to; a FlowWindow is one. */
export interface HubbleTables {
  readonly endpoints: EndpointStore;
  readonly nodes: readonly NodeBoot[];
  /** Without it, policies are not told. */
  readonly decisions?: DecisionStore;
  /** Without it, requests are told as such and not what they say. */
  readonly layer7?: Layer7Store;
}

/**
 * A row as `hubble observe -o json` prints it: one `GetFlowsResponse` in protobuf's JSON mapping with the proto's field
 * names. What is empty, zero or false is left out, as that mapping does, and so is what Hubble's message has no field for
 * (bytes, packets, round trip). Source and destination are those of the packet. `sequence` is the row's, where the
 * columns do not hold it in full.
 */
export function hubbleResponseJson(
  columns: FlowColumns,
  row: number,
  tables: HubbleTables,
  sequence: number = columns.sequence[row],
): HubbleJson {
  const flow = hubbleFlowJson(columns, row, tables, sequence);
  return { flow, node_name: flow.node_name, time: flow.time };
}

/** Hubble's `flow.Flow` of a row. */
export function hubbleFlowJson(
  columns: FlowColumns,
  row: number,
  { endpoints, nodes, decisions, layer7 }: HubbleTables,
  sequence: number = columns.sequence[row],
): HubbleJson {
  const boot = nodes[columns.node[row]];
  const source = endpoints.get(columns.source[row]);
  const destination = endpoints.get(columns.destination[row]);
  const verdict = columns.verdict[row];
  const dropped = verdict === VERDICT.DROPPED;
  const observation = columns.observation[row];
  const reply = columns.reply[row];
  const direction = columns.direction[row];
  const reason = toldDropReason(columns.dropReason[row]);
  const l4 = layer4(columns, row);
  const observer = seenAtDestination(observation) ? destination : source;
  const atSocket = isTranslation(observation);
  const request = isLayer7(observation) ? layer7?.get(layer7Number(columns, row)) : undefined;
  const flow: Record<string, HubbleJson | readonly HubbleJson[] | string | number | boolean | undefined> = {
    time: protoTime(rowTimeNs(columns, row)),
    uuid: flowId(boot, sequence),
    verdict: verdict === VERDICT.UNKNOWN ? undefined : verdicts.name(verdict),
    drop_reason: dropped && reason > 0 ? reason : undefined,
    IP: addresses(source.address, destination.address),
    l4,
    l7: request && layer7Json(request, layer7LatencyNs(columns, row)),
    source: endpointJson(source),
    destination: endpointJson(destination),
    Type: isLayer7(observation) ? 'L7' : atSocket ? 'SOCK' : 'L3_L4',
    node_name: `${boot.cluster}/${boot.node}`,
    source_names: names(source),
    destination_names: names(destination),
    source_service: serviceJson(source),
    destination_service: serviceJson(destination),
    reply: reply === REPLY.REPLY || undefined,
    event_type: isLayer7(observation)
      ? eventType(EVENT_TYPE.L7, 0)
      : dropped
        ? eventType(EVENT_TYPE.DROP, reason)
        : atSocket
          ? eventType(EVENT_TYPE.TRACE_SOCK, socketPoint(observation))
          : eventType(EVENT_TYPE.TRACE, traceSubType(observation)),
    traffic_direction: direction === DIRECTION.UNKNOWN ? undefined : directions.name(direction),
    trace_observation_point:
      dropped || atSocket || isLayer7(observation) || observation === OBSERVATION.UNKNOWN
        ? undefined
        : observations.name(observation),
    trace_reason: dropped || isLayer7(observation) ? undefined : traceReason(columns.trigger[row], reply),
    drop_reason_desc: dropped && reason > 0 ? dropReasons.name(reason) : undefined,
    is_reply: reply === REPLY.UNKNOWN ? undefined : reply === REPLY.REPLY,
    interface:
      observer.interfaceIndex === 0 ? undefined : { index: observer.interfaceIndex, name: observer.interfaceName },
    trace_context: request && request.traceId !== '' ? { parent: { trace_id: request.traceId } } : undefined,
    ...(atSocket ? socketJson(columns, row, source, destination) : {}),
    Summary: summary(columns, row, layer7) || undefined,
    ...(decisions === undefined ? {} : policies(columns.policy[row], decisions)),
  };
  return present(flow);
}

function socketJson(columns: FlowColumns, row: number, source: Endpoint, destination: Endpoint): HubbleJson {
  const cookie = socketCookie(columns, row);
  const cgroup = source.cgroupId ?? destination.cgroupId;
  return present({
    sock_xlate_point: SOCKET_POINT_NAMES[socketPoint(columns.observation[row])],
    socket_cookie: cookie === 0 ? undefined : String(cookie),
    cgroup_id: cgroup === undefined ? undefined : String(cgroup),
  });
}

const SOCKET_POINT_NAMES = [
  'SOCK_XLATE_POINT_UNKNOWN',
  'SOCK_XLATE_POINT_PRE_DIRECTION_FWD',
  'SOCK_XLATE_POINT_POST_DIRECTION_FWD',
  'SOCK_XLATE_POINT_PRE_DIRECTION_REV',
  'SOCK_XLATE_POINT_POST_DIRECTION_REV',
] as const;

function endpointJson(endpoint: Endpoint): HubbleJson {
  return present({
    ID: endpoint.id || undefined,
    identity: endpoint.identity || undefined,
    cluster_name: endpoint.cluster || undefined,
    namespace: endpoint.namespace || undefined,
    labels: endpoint.labels.length > 0 ? (endpoint.labels as unknown as HubbleJson[]) : undefined,
    pod_name: endpoint.pod || undefined,
    workloads:
      endpoint.workloadName === '' ? undefined : [{ name: endpoint.workloadName, kind: endpoint.workloadKind }],
  });
}

/** The Service that the client asked for. */
function serviceJson({ service }: Endpoint): HubbleJson | undefined {
  return service && present({ name: service.name, namespace: service.namespace || undefined });
}

function addresses(source: string, destination: string): HubbleJson | undefined {
  if (source === '' && destination === '') return undefined;
  return present({
    source: source || undefined,
    destination: destination || undefined,
    ipVersion: (source || destination).includes(':') ? 'IPv6' : 'IPv4',
  });
}

function layer4(columns: FlowColumns, row: number): HubbleJson | undefined {
  const protocol = columns.protocol[row];
  const from = columns.sourcePort[row] || undefined;
  const to = columns.destinationPort[row] || undefined;
  if (hasPorts(protocol)) {
    const flags = protocol === PROTOCOL.TCP ? tcpFlags(columns.tcpFlags[row]) : undefined;
    return { [protocols.name(protocol)]: present({ source_port: from, destination_port: to, flags }) };
  }
  if (isIcmp(protocol)) return { [protocols.name(protocol)]: present({ type: from, code: to }) };
  if (protocol === PROTOCOL.IGMP || protocol === PROTOCOL.VRRP) return { [protocols.name(protocol)]: {} };
  return undefined;
}

function tcpFlags(bits: number): HubbleJson | undefined {
  const set = (Object.keys(TCP_FLAG) as TcpFlagName[]).filter((name) => bits & TCP_FLAG[name]);
  return set.length === 0 ? undefined : Object.fromEntries(set.map((name) => [name, true]));
}

function names(endpoint: Endpoint): readonly HubbleJson[] | undefined {
  return endpoint.names.length > 0 ? (endpoint.names as unknown as HubbleJson[]) : undefined;
}

function eventType(type: number, subType: number): HubbleJson {
  return subType === 0 ? { type } : { type, sub_type: subType };
}

/** In a trace event "to-endpoint" is 0; as an observation point it is 101. */
function traceSubType(observation: number): number {
  return observation === OBSERVATION.TO_ENDPOINT ? 0 : observation;
}

/** What the connection table said about the packet. */
function traceReason(trigger: number, reply: number): string | undefined {
  if (reply === REPLY.REPLY) return 'REPLY';
  if (reply === REPLY.UNKNOWN) return undefined;
  return trigger === TRIGGER.FIRST_PACKET ? 'NEW' : 'ESTABLISHED';
}

/** By whose rules: those of the observing endpoint's ingress or egress. Hubble has no field for audited policies. */
function policies(number: number, decisions: DecisionStore): Record<string, HubbleJson[]> {
  if (number === 0) return {};
  const { direction, allowedBy, deniedBy } = decisions.get(number);
  const side = direction === DIRECTION.INGRESS ? 'ingress' : 'egress';
  const told: Record<string, HubbleJson[]> = {};
  if (allowedBy.length > 0) told[`${side}_allowed_by`] = policyList(allowedBy);
  if (deniedBy.length > 0) told[`${side}_denied_by`] = policyList(deniedBy);
  return told;
}

/** Each policy once, whichever of its rules. */
function policyList(references: readonly PolicyReference[]): HubbleJson[] {
  const byName = new Map(
    references.map(({ kind, namespace, name }) => [
      `${kind}/${namespace}/${name}`,
      present({ name, namespace: namespace || undefined, kind }),
    ]),
  );
  return [...byName.values()];
}

/** As protobuf's JSON mapping writes a Timestamp: UTC, with 0, 3, 6 or 9 digits of a second. */
function protoTime(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  const nanos = String(ns % 1_000_000_000n).padStart(9, '0');
  const digits =
    nanos === '000000000'
      ? ''
      : nanos.endsWith('000000')
        ? nanos.slice(0, 3)
        : nanos.endsWith('000')
          ? nanos.slice(0, 6)
          : nanos;
  return `${seconds}${digits === '' ? '' : `.${digits}`}Z`;
}

function present(object: Record<string, HubbleJson[string] | undefined>): HubbleJson {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as HubbleJson;
}

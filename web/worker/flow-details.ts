import { rowTimeNs } from '#core/flow/columns.ts';
import { decisionText, referenceText } from '#core/flow/decision-text.ts';
import { DIRECTION, directions, REPLY } from '#core/flow/direction.ts';
import { dropReasons, dropReasonText } from '#core/flow/drop-reason.ts';
import { icmpText } from '#core/flow/icmp.ts';
import { isLayer7 } from '#core/flow/layer7.ts';
import { OBSERVATION, observations } from '#core/flow/observation.ts';
import type { PolicyDecision, PolicyReference } from '#core/flow/policy-decision.ts';
import { hasPorts, isIcmp, PROTOCOL, protocols } from '#core/flow/protocol.ts';
import { type ServiceReference, serviceReferenceText } from '#core/flow/service-reference.ts';
import { tcpFlagNames } from '#core/flow/tcp-flags.ts';
import { isTranslation, socketCookie } from '#core/flow/translation.ts';
import { triggers } from '#core/flow/trigger.ts';
import { VERDICT, verdicts } from '#core/flow/verdict.ts';
import { hubbleResponseJson } from '#core/hubble/flow-json.ts';
import { isReserved, reservedIdentities } from '#core/identity/reserved.ts';
import { formatBytes, formatMicros } from '../format/quantity.ts';
import { fact } from './flow-fact.ts';
import { flowRow } from './flow-row.ts';
import type { PageWindow } from './page-window.ts';
import { policyKey } from './policy-report.ts';
import { requestFacts } from './request-facts.ts';
import type { FlowDetails, FlowFact } from './shown-flow.ts';

/** Every field of a flow in words, with the filters that ask for its like, and the flow in Hubble's JSON. */
export function flowDetails(window: PageWindow, position: number): FlowDetails {
  const slot = window.slot(position);
  const { columns } = window;
  const reply = columns.reply[slot] === REPLY.REPLY;
  const json = hubbleResponseJson(columns, slot, window, window.sequence(slot));
  return {
    row: flowRow(window, position),
    facts: [
      ...flowFacts(window, slot),
      ...requestFacts(window, slot),
      // Ends as the table shows them: the source is who opened the connection.
      ...endFacts(window, slot, 'source', reply ? 'to' : 'from'),
      ...endFacts(window, slot, 'destination', reply ? 'from' : 'to'),
      ...trafficFacts(window, slot),
    ],
    json: JSON.stringify(json, null, 2),
  };
}

function flowFacts(window: PageWindow, slot: number): FlowFact[] {
  const { columns } = window;
  const { cluster, node } = window.nodes[columns.node[slot]];
  const verdict = verdicts.name(columns.verdict[slot]);
  const protocol = columns.protocol[slot];
  const direction = columns.direction[slot];
  const reason = columns.dropReason[slot];
  const flags = protocol === PROTOCOL.TCP ? tcpFlagNames(columns.tcpFlags[slot]) : '';
  const policy = columns.policy[slot] === 0 ? undefined : window.decisions.get(columns.policy[slot]);
  const say = (name: string, text: string, ...filters: string[]) => fact('flow', name, text, ...filters);
  return [
    ...say('Time', timeText(rowTimeNs(columns, slot))),
    ...say('Verdict', lower(verdict), `verdict=${verdict}`),
    ...(columns.verdict[slot] === VERDICT.DROPPED
      ? say('Drop reason', dropReasonText(reason), `reason=${dropReasons.name(reason)}`)
      : []),
    ...(policy === undefined ? [] : policyFacts(policy)),
    ...say('Protocol', protocols.name(protocol), `proto=${protocols.name(protocol)}`),
    ...(isIcmp(protocol)
      ? say('ICMP', icmpText(protocol, columns.sourcePort[slot], columns.destinationPort[slot]))
      : []),
    ...say('TCP flags', flags, `tcp-flag=${flags.replaceAll(', ', '+')}`),
    ...(direction === DIRECTION.UNKNOWN
      ? []
      : say('Direction', lower(directions.name(direction)), `direction=${directions.name(direction)}`)),
    ...say(
      'Reply',
      columns.reply[slot] === REPLY.UNKNOWN ? 'not known' : columns.reply[slot] === REPLY.REPLY ? 'yes' : 'no',
      `reply=${['false', 'true', 'unknown'][columns.reply[slot]]}`,
    ),
    ...(columns.observation[slot] === OBSERVATION.UNKNOWN
      ? []
      : say('Seen at', lower(observations.name(columns.observation[slot])))),
    ...say('Recorded for', lower(triggers.name(columns.trigger[slot]))),
    ...say('Node', cluster === '' ? node : `${cluster}/${node}`, `node=${cluster}/${node}`),
    ...say('Id', window.id(slot)),
  ];
}

/** What is enforced, then what would be if audited policies were, each by its rule; of a default deny, who makes it. */
function policyFacts(decision: PolicyDecision): FlowFact[] {
  const { allowedBy, deniedBy, defaultDeny, auditDeniedBy, auditDefaultDeny } = decision;
  return [
    ...fact('flow', 'Policy decision', decisionText(decision)),
    ...references('Allowed by', allowedBy),
    ...references(defaultDeny ? 'Closed by' : 'Denied by', deniedBy),
    ...references(auditDefaultDeny ? 'Would close' : 'Would deny', auditDeniedBy),
  ];
}

/** What the client asked for: this end is the backend it was given. */
function serviceFacts(section: FlowFact['section'], service: ServiceReference): FlowFact[] {
  const { namespace, name, address, port } = service;
  const frontend = `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return fact(
    section,
    'Through Service',
    `${serviceReferenceText(service)} (${frontend})`,
    `service=${namespace}/${name}`,
  );
}

function references(name: string, list: readonly PolicyReference[]): FlowFact[] {
  return list.flatMap((reference) => {
    const { kind, namespace, name: policy, path = '' } = reference;
    const facts = fact(
      'flow',
      name,
      referenceText(reference),
      `policy=${namespace === '' ? policy : `${namespace}/${policy}`}`,
    );
    return facts.map((each) => ({ ...each, policy: { key: policyKey(kind, namespace, policy), rule: path } }));
  });
}

/** `side`: the packet's end on which the connection's end stands. */
function endFacts(
  window: PageWindow,
  slot: number,
  section: 'source' | 'destination',
  side: 'from' | 'to',
): FlowFact[] {
  const { columns } = window;
  const endpoint = window.endpoints.get(side === 'from' ? columns.source[slot] : columns.destination[slot]);
  const port = side === 'from' ? columns.sourcePort[slot] : columns.destinationPort[slot];
  const say = (name: string, text: string, filter?: string) =>
    fact(section, name, text, ...(filter === undefined ? [] : [filter, `${side}:${filter}`]));
  const { namespace, workloadKind, workloadName, identity } = endpoint;
  const identityName = isReserved(identity) ? reservedIdentities.name(identity) : String(identity);
  return [
    ...say(
      'Workload',
      workloadName === '' ? '' : `${workloadKind} ${workloadName}`,
      `workload=${namespace}/${workloadKind}/${workloadName}`,
    ),
    ...say('Pod', endpoint.pod, `pod=${namespace}/${endpoint.pod}`),
    ...say('Namespace', namespace, `ns=${namespace}`),
    ...endpoint.names.flatMap((name) => say('DNS name', name, `dns=${name}`)),
    ...(endpoint.service === undefined ? [] : serviceFacts(section, endpoint.service)),
    ...say('Address', endpoint.address, `ip=${endpoint.address}`),
    // A socket that is about to be connected has none yet.
    ...(hasPorts(columns.protocol[slot]) && !(port === 0 && isTranslation(columns.observation[slot]))
      ? say('Port', String(port), `port=${port}`)
      : []),
    ...say('Identity', identity === 0 ? '' : identityName, `identity=${identityName}`),
    ...endpoint.labels.flatMap((label) => say('Label', label, `label ${label}`)),
    ...say('Lives on', endpoint.node),
    ...say('Cluster', endpoint.cluster),
    ...say('Interface', endpoint.interfaceIndex === 0 ? '' : `${endpoint.interfaceName} (${endpoint.interfaceIndex})`),
    ...say('Endpoint', endpoint.id === 0 ? '' : String(endpoint.id)),
  ];
}

function trafficFacts(window: PageWindow, slot: number): FlowFact[] {
  const { columns } = window;
  if (isTranslation(columns.observation[slot])) return socketFacts(window, slot);
  // What carried it is told by the packets' own flows.
  if (isLayer7(columns.observation[slot])) return [];
  const say = (name: string, text: string) => fact('traffic', name, text);
  const count = (packets: number, bytes: number) =>
    packets === 0 && bytes === 0 ? 'none' : `${packets.toLocaleString('en')} packets, ${exactBytes(bytes)}`;
  return [
    ...say('There', count(columns.packetsOriginal[slot], columns.bytesOriginal[slot])),
    ...say('Back', count(columns.packetsReply[slot], columns.bytesReply[slot])),
    ...(columns.rttMicros[slot] > 0 ? say('Round trip', formatMicros(columns.rttMicros[slot])) : []),
    ...(columns.retransmits[slot] > 0 ? say('Sent again', `${columns.retransmits[slot]} segments`) : []),
  ];
}

function socketFacts({ columns, endpoints }: PageWindow, slot: number): FlowFact[] {
  const cgroup = endpoints.get(columns.source[slot]).cgroupId ?? endpoints.get(columns.destination[slot]).cgroupId;
  return [
    ...fact('traffic', 'Socket', `cookie ${socketCookie(columns, slot)}`),
    ...fact('traffic', 'Program’s cgroup', cgroup === undefined ? '' : String(cgroup)),
  ];
}

function exactBytes(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${formatBytes(bytes)} (${bytes.toLocaleString('en')} B)`;
}

function lower(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

/** UTC with nanoseconds: `2026-11-21 09:26:56.123456789 UTC`. */
function timeText(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19).replace('T', ' ');
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')} UTC`;
}

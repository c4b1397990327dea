import { type FlowColumns, rowTimeNs } from '../columns.ts';
import type { DecisionStore } from '../decision-store.ts';
import { directions } from '../direction.ts';
import { dropReasons } from '../drop-reason.ts';
import type { Endpoint } from '../endpoint.ts';
import type { EndpointStore } from '../endpoint-store.ts';
import { FLOW_FIELD_NAMES } from '../fields.ts';
import { isLayer7, layer7LatencyNs, layer7Number, packetsBack } from '../layer7.ts';
import type { Layer7Store } from '../layer7-store.ts';
import { flowId, type NodeBoot } from '../node-boot.ts';
import { observations } from '../observation.ts';
import type { PolicyReference } from '../policy-decision.ts';
import { protocols } from '../protocol.ts';
import { tcpFlagNames } from '../tcp-flags.ts';
import { isTranslation, roundTripMicros, sentAgain, socketCookie } from '../translation.ts';
import { triggers } from '../trigger.ts';
import { verdicts } from '../verdict.ts';

const NAMED = {
  protocol: protocols.name,
  verdict: verdicts.name,
  dropReason: dropReasons.name,
  observation: observations.name,
  trigger: triggers.name,
  direction: directions.name,
  tcpFlags: tcpFlagNames,
} as const;

/** A row as a plain object for people and JSON: names instead of numbers, ends in full, time in RFC 3339 with nanoseconds. */
export function rowObject(
  columns: FlowColumns,
  row: number,
  endpoints: EndpointStore,
  nodes: readonly NodeBoot[],
  decisions?: DecisionStore,
  layer7?: Layer7Store,
): Record<string, unknown> {
  const boot = nodes[columns.node[row]];
  const object: Record<string, unknown> = {
    id: flowId(boot, columns.sequence[row]),
    time: timeText(rowTimeNs(columns, row)),
  };
  for (const name of FLOW_FIELD_NAMES) {
    if (name === 'timeSeconds' || name === 'timeNanos' || name === 'sequence') continue;
    if (name === 'node') object.node = `${boot.cluster}/${boot.node}`;
    else if (name === 'source' || name === 'destination')
      object[name] = endpointObject(endpoints.get(columns[name][row]));
    else if (name === 'policy') {
      if (columns.policy[row] !== 0 && decisions !== undefined)
        object.policy = decisionObject(decisions, columns.policy[row]);
    } else if (name === 'dropReason' && columns.dropReason[row] === 0) continue;
    else if (name === 'rttMicros') object.rttMicros = roundTripMicros(columns, row);
    else if (name === 'packetsReply') object.packetsReply = packetsBack(columns, row);
    else if (name === 'retransmits') object.retransmits = sentAgain(columns, row);
    else if (name === 'reply') object.reply = [false, true, null][columns.reply[row]] ?? null;
    else object[name] = name in NAMED ? NAMED[name as keyof typeof NAMED](columns[name][row]) : columns[name][row];
  }
  if (isTranslation(columns.observation[row])) object.socketCookie = socketCookie(columns, row);
  if (isLayer7(columns.observation[row])) {
    if (layer7 !== undefined) object.layer7 = withoutEmpty(layer7.get(layer7Number(columns, row)));
    object.latencyNs = layer7LatencyNs(columns, row);
  }
  return object;
}

function endpointObject(endpoint: Endpoint): Record<string, unknown> {
  return withoutEmpty(endpoint);
}

function decisionObject(decisions: DecisionStore, number: number): Record<string, unknown> {
  const { direction, allowedBy, deniedBy, auditDeniedBy, ...flags } = decisions.get(number);
  return withoutEmpty({
    direction: directions.name(direction),
    allowedBy: allowedBy.map(referenceObject),
    deniedBy: deniedBy.map(referenceObject),
    auditDeniedBy: auditDeniedBy.map(referenceObject),
    ...flags,
  });
}

/** The rule stays when it is 0, the first; a policy as a whole has none. */
function referenceObject({ rule, ...policy }: PolicyReference): Record<string, unknown> {
  return rule < 0 ? withoutEmpty(policy) : { ...withoutEmpty(policy), rule };
}

function withoutEmpty(object: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(object).filter(
      ([, value]) => value !== '' && value !== 0 && value !== false && !(Array.isArray(value) && value.length === 0),
    ),
  );
}

function timeText(ns: bigint): string {
  const seconds = new Date(Number(ns / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(ns % 1_000_000_000n).padStart(9, '0')}Z`;
}

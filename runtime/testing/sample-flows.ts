import { BatchEncoder } from '#core/flow/batch.ts';
import { allocateColumns, type FlowColumns } from '#core/flow/columns.ts';
import { DIRECTION } from '#core/flow/direction.ts';
import { type Endpoint, NO_ENDPOINT } from '#core/flow/endpoint.ts';
import { FLOW_FIELD_NAMES, type FlowFieldName } from '#core/flow/fields.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { type Layer7, writeLayer7 } from '#core/flow/layer7.ts';
import type { NodeBoot } from '#core/flow/node-boot.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import type { PolicyDecision } from '#core/flow/policy-decision.ts';
import { TCP_FLAG } from '#core/flow/tcp-flags.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import type { FlowBatch } from '#proto/gen/waggle/v1/flow_pb.ts';

export const CLUSTER = 'test';

/** A pod of a Deployment. */
export function pod(namespace: string, workload: string, node: string, address: string, suffix = 'a'): Endpoint {
  return {
    ...NO_ENDPOINT,
    address,
    identity: 0x40000000 + workload.length,
    cluster: CLUSTER,
    namespace,
    pod: `${workload}-5f7c-${suffix}`,
    workloadKind: 'Deployment',
    workloadName: workload,
    labels: [`k8s:app=${workload}`, `k8s:pod=${suffix}`],
    node,
  };
}

export const WEB = pod('shop', 'web', 'node-1', '10.0.1.7');
export const DB = pod('data', 'maindb', 'node-2', '10.0.2.9');
export const WORLD: Endpoint = { ...NO_ENDPOINT, address: '93.184.216.34', identity: 2, labels: ['reserved:world'] };

/** What of a flow differs from a forwarded SYN of WEB to DB:3306, seen leaving WEB now. */
export type SampleFlow = Partial<Record<Exclude<FlowFieldName, 'source' | 'destination' | 'node'>, number>> & {
  source?: Endpoint;
  destination?: Endpoint;
  boot?: NodeBoot;
  timeMs?: number;
  decision?: PolicyDecision;
  /** Makes it a request, or an answer. */
  layer7?: Layer7;
};

export const TO_STACK = { observation: OBSERVATION.TO_STACK, direction: DIRECTION.EGRESS };
export const TO_ENDPOINT = { observation: OBSERVATION.TO_ENDPOINT, direction: DIRECTION.INGRESS };

let sequence = 0;

/** Appends flows to a window, numbered there. */
export function pushFlows(window: FlowWindow, flows: readonly SampleFlow[]): void {
  const columns = allocateColumns(1);
  for (const flow of flows) {
    fillRow(columns, window, flow);
    window.push(columns, 0);
  }
}

function fillRow(columns: FlowColumns, window: FlowWindow, flow: SampleFlow): void {
  const { source = WEB, destination = DB, timeMs = Date.now(), boot, decision, layer7, ...values } = flow;
  const defaults = {
    sequence: ++sequence,
    timeSeconds: Math.floor(timeMs / 1000),
    timeNanos: Math.floor((timeMs % 1000) * 1e6),
    sourcePort: 41_000,
    destinationPort: 3306,
    protocol: 6,
    verdict: VERDICT.FORWARDED,
    trigger: TRIGGER.FIRST_PACKET,
    tcpFlags: TCP_FLAG.SYN,
    packetsOriginal: 1,
    bytesOriginal: 60,
    ...TO_STACK,
  };
  for (const name of FLOW_FIELD_NAMES) {
    columns[name][0] = { ...defaults, ...values }[name as keyof typeof defaults] ?? 0;
  }
  columns.node[0] = window.nodeNumber(boot ?? { cluster: CLUSTER, node: 'node-1', bootId: 1n });
  columns.source[0] = window.endpoints.intern(source);
  columns.destination[0] = window.endpoints.intern(destination);
  if (decision !== undefined) columns.policy[0] = window.decisions.intern(decision);
  if (layer7 !== undefined) writeLayer7(columns, 0, window.layer7.intern(layer7), 1_000_000);
}

/** Encodes flows as one agent's stream would: dictionaries are sent on first need. */
export class SampleStream {
  readonly #window = new FlowWindow(65_536);
  readonly #encoder = new BatchEncoder(this.#window);

  batch(flows: readonly SampleFlow[]): FlowBatch {
    const from = this.#window.end;
    pushFlows(this.#window, flows);
    return this.#encoder.encode(Array.from({ length: flows.length }, (_, index) => from + index));
  }
}

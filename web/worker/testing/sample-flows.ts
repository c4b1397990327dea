import { allocateColumns } from '#core/flow/columns.ts';
import { type Endpoint, NO_ENDPOINT } from '#core/flow/endpoint.ts';
import type { FlowFieldName } from '#core/flow/fields.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';

/** A pod of a Deployment. */
export function pod(workload: string, address: string, namespace = 'shop'): Endpoint {
  return {
    ...NO_ENDPOINT,
    address,
    identity: 0x40000000 + address.length,
    cluster: 'kind',
    namespace,
    pod: `${workload}-5f7c-${address.split('.').at(-1)}`,
    workloadKind: 'Deployment',
    workloadName: workload,
    labels: [`k8s:app=${workload}`],
    node: 'node-1',
  };
}

export const WEB = pod('web', '10.0.1.7');
export const WEB_2 = pod('web', '10.0.1.8');
export const DB = pod('maindb', '10.0.2.9', 'data');
export const WORLD: Endpoint = { ...NO_ENDPOINT, address: '93.184.216.34', identity: 2, labels: ['reserved:world'] };

/** What of a flow differs from a forwarded SYN of WEB to DB:3306 at node-1. */
export type SampleFlow = Partial<Record<Exclude<FlowFieldName, 'source' | 'destination' | 'node'>, number>> & {
  readonly source?: Endpoint;
  readonly destination?: Endpoint;
  readonly node?: string;
};

const columns = allocateColumns(1);
let sequence = 0;

export function pushFlows(window: FlowWindow, ...flows: SampleFlow[]): void {
  for (const { source = WEB, destination = DB, node = 'node-1', ...values } of flows) {
    for (const column of Object.values(columns)) column[0] = 0;
    const defaults = {
      sequence: ++sequence,
      timeSeconds: 1_790_000_000,
      timeNanos: sequence * 1000,
      sourcePort: 41_000,
      destinationPort: 3306,
      protocol: 6,
      verdict: 1,
      observation: 3,
      trigger: 1,
      direction: 2,
      tcpFlags: 2,
      packetsOriginal: 1,
      bytesOriginal: 60,
    };
    for (const [name, value] of Object.entries({ ...defaults, ...values })) columns[name as FlowFieldName][0] = value;
    columns.node[0] = window.nodeNumber({ cluster: 'kind', node, bootId: 1n });
    columns.source[0] = window.endpoints.intern(source);
    columns.destination[0] = window.endpoints.intern(destination);
    window.push(columns, 0);
  }
}

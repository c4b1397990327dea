import { BatchDecoder } from '#core/flow/batch.ts';
import { rowTimeNs } from '#core/flow/columns.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { EndpointStore } from '#core/flow/endpoint-store.ts';
import { FLOW_FIELD_NAMES, type FlowFieldName } from '#core/flow/fields.ts';
import type { NodeBoot } from '#core/flow/node-boot.ts';
import type { PolicyDecision } from '#core/flow/policy-decision.ts';
import { type Cursor, type FlowBatch, FlowService, type Loss } from '#proto/gen/waggle/v1/flow_pb.ts';
import { createClient } from '#runtime/grpc/client.ts';

/** One flow as an object: for tests, which look at thousands, not millions. */
export interface ToldFlow
  extends Readonly<Record<Exclude<FlowFieldName, 'node' | 'source' | 'destination' | 'policy'>, number>> {
  readonly boot: NodeBoot;
  readonly source: Endpoint;
  readonly destination: Endpoint;
  readonly policy: PolicyDecision;
  readonly timeNs: bigint;
}

/** The receiving end of one FlowService.Follow or ViewService.Watch stream. A new stream needs a new reader. */
export class FlowReader {
  readonly #endpoints = new EndpointStore();
  readonly #boots: NodeBoot[] = [];
  readonly #decoder = new BatchDecoder({
    endpoints: this.#endpoints,
    nodeNumber: (boot) => this.#boots.push(boot) - 1,
  });
  readonly losses: Loss[] = [];
  /** After the latest batch: resume here. */
  cursor: Cursor | undefined;

  read(batch: FlowBatch): ToldFlow[] {
    const { rows, columns } = this.#decoder.decode(batch);
    this.losses.push(...batch.losses);
    if (batch.cursor) this.cursor = batch.cursor;
    return Array.from({ length: rows }, (_, row) => {
      const numbers = Object.fromEntries(FLOW_FIELD_NAMES.map((name) => [name, columns[name][row]]));
      return {
        ...(numbers as Record<FlowFieldName, number>),
        boot: this.#boots[columns.node[row]],
        source: this.#endpoints.get(columns.source[row]),
        destination: this.#endpoints.get(columns.destination[row]),
        policy: this.#decoder.decisions.get(columns.policy[row]),
        timeNs: rowTimeNs(columns, row),
      };
    });
  }
}

/** A flow's identity: no two flows of a stream may share it. */
export function flowKey({ boot, sequence }: ToldFlow): string {
  return `${boot.cluster}/${boot.node}/${boot.bootId}/${sequence}`;
}

/** Every flow that these servers of the FlowService (agents or relays) still hold, in the order they were told. */
export async function toldFlows(targets: readonly string[]): Promise<ToldFlow[]> {
  const flows: ToldFlow[] = [];
  for (const target of targets) {
    const client = createClient(FlowService, target);
    const reader = new FlowReader();
    try {
      for await (const batch of client.follow({ last: 1_000_000 }, { deadlineMs: 30_000 })) {
        flows.push(...reader.read(batch));
      }
    } finally {
      client.close();
    }
  }
  return flows;
}

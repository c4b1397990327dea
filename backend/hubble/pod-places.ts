import type { FlowColumns } from '#core/flow/columns.ts';
import { DIRECTION, REPLY } from '#core/flow/direction.ts';
import type { EndpointStore } from '#core/flow/endpoint-store.ts';
import { isLayer7 } from '#core/flow/layer7.ts';
import { OBSERVATION } from '#core/flow/observation.ts';

const MOST_PODS = 100_000;

/**
 * Hubble does not say on which node a pod lives; who observed it does, of one end. It is remembered for the flows that
 * show it at their other end: a connection that is seen at both must be counted once.
 */
export class PodPlaces {
  /** By `cluster/namespace/pod`. */
  readonly #nodes = new Map<string, string>();

  /** Gives the endpoints of a row that this node observed their nodes, as far as they are known. */
  place(columns: FlowColumns, row: number, node: string, endpoints: EndpointStore): void {
    const observer = observerOf(columns, row);
    for (const column of ['source', 'destination'] as const) {
      const endpoint = endpoints.get(columns[column][row]);
      if (endpoint.pod === '' || endpoint.node !== '') continue;
      const pod = `${endpoint.cluster}/${endpoint.namespace}/${endpoint.pod}`;
      if (column === observer && this.#nodes.get(pod) !== node) {
        if (this.#nodes.size >= MOST_PODS) this.#nodes.clear();
        this.#nodes.set(pod, node);
      }
      const known = this.#nodes.get(pod);
      if (known === undefined) continue;
      const without = columns[column][row];
      columns[column][row] = endpoints.intern({ ...endpoint, node: known });
      // The one without a node goes, unless a row that was before its node was known still holds it.
      endpoints.retain(without);
      endpoints.release(without);
    }
  }
}

/** At which end of the packet it was observed; undefined where that is not told. */
function observerOf(columns: FlowColumns, row: number): 'source' | 'destination' | undefined {
  const observation = columns.observation[row];
  if (!isLayer7(observation)) return observation === OBSERVATION.TO_ENDPOINT ? 'destination' : 'source';
  const direction = columns.direction[row];
  const reply = columns.reply[row];
  if (direction === DIRECTION.UNKNOWN || reply === REPLY.UNKNOWN) return undefined;
  // A proxy tells of both ways, for the endpoint whose egress or ingress it stands in.
  return (direction === DIRECTION.EGRESS) === (reply === REPLY.ORIGINAL) ? 'source' : 'destination';
}

import { create } from '@bufbuild/protobuf';
import {
  type Endpoint as EndpointMessage,
  EndpointSchema,
  type FlowBatch,
  FlowBatchSchema,
  NodeBootSchema,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { formatAddress, parseAddress } from '../ip/address.ts';
import { decodeColumns, encodeColumns, FlowDecodeError } from './column-codec.ts';
import { allocateColumns, copyRow, type FlowColumns } from './columns.ts';
import type { Endpoint } from './endpoint.ts';
import { type EndpointStore, NO_ENDPOINT_NUMBER } from './endpoint-store.ts';
import type { FlowWindow } from './flow-window.ts';
import type { NodeBoot } from './node-boot.ts';

/**
 * The sending end of one stream: rows of a window become batches whose dictionaries hold what this stream has not been
 * sent yet. A dictionary is per stream, never shared between viewers: it would tell names a viewer may not see.
 */
export class BatchEncoder {
  readonly #window: FlowWindow;
  /** By the window's endpoint number: the index in this stream, plus one, and the generation it was sent for. */
  #sentIndex = new Uint32Array(1024);
  #sentGeneration = new Uint32Array(1024);
  #endpointsSent = 0;
  readonly #nodeIndex = new Map<number, number>();
  #rows: FlowColumns = allocateColumns(1024);
  #capacity = 1024;

  constructor(window: FlowWindow) {
    this.#window = window;
  }

  /** Entries in the stream's endpoint dictionary so far: a stream that has grown large is best begun anew. */
  get dictionarySize(): number {
    return this.#endpointsSent;
  }

  /** Encodes the rows at these positions of the window, in this order. Losses and cursor are the caller's to set. */
  encode(positions: ArrayLike<number>, count: number = positions.length): FlowBatch {
    if (count > this.#capacity) {
      this.#capacity = Math.max(count, this.#capacity * 2);
      this.#rows = allocateColumns(this.#capacity);
    }
    const batch = create(FlowBatchSchema, { rows: count });
    for (let row = 0; row < count; row++) {
      copyRow(this.#window.columns, this.#window.slot(positions[row]), this.#rows, row);
      this.#rows.source[row] = this.#endpointIndex(this.#rows.source[row], batch);
      this.#rows.destination[row] = this.#endpointIndex(this.#rows.destination[row], batch);
      this.#rows.node[row] = this.#nodeIndexOf(this.#rows.node[row], batch);
    }
    batch.columns = encodeColumns(this.#rows, 0, count);
    return batch;
  }

  #endpointIndex(number: number, batch: FlowBatch): number {
    const store = this.#window.endpoints;
    if (number >= this.#sentIndex.length) this.#grow(store.bound);
    if (this.#sentIndex[number] !== 0 && this.#sentGeneration[number] === store.generation(number)) {
      return this.#sentIndex[number] - 1;
    }
    batch.endpoints.push(endpointMessage(store.get(number)));
    this.#sentIndex[number] = ++this.#endpointsSent;
    this.#sentGeneration[number] = store.generation(number);
    return this.#endpointsSent - 1;
  }

  #nodeIndexOf(number: number, batch: FlowBatch): number {
    let index = this.#nodeIndex.get(number);
    if (index === undefined) {
      index = this.#nodeIndex.size;
      this.#nodeIndex.set(number, index);
      batch.nodes.push(create(NodeBootSchema, this.#window.nodes[number]));
    }
    return index;
  }

  #grow(bound: number): void {
    const length = Math.max(this.#sentIndex.length * 2, bound);
    const index = new Uint32Array(length);
    index.set(this.#sentIndex);
    this.#sentIndex = index;
    const generation = new Uint32Array(length);
    generation.set(this.#sentGeneration);
    this.#sentGeneration = generation;
  }
}

/** The receiving end of one stream: batches become columns whose `node`, `source` and `destination` are a store's numbers. */
export class BatchDecoder {
  readonly #endpoints: EndpointStore;
  readonly #nodeNumber: (boot: NodeBoot) => number;
  /** By the stream's index: the store's number, retained until the stream is closed. */
  readonly #endpointNumbers: number[] = [];
  readonly #nodeNumbers: number[] = [];

  constructor(into: { endpoints: EndpointStore; nodeNumber(boot: NodeBoot): number }) {
    this.#endpoints = into.endpoints;
    this.#nodeNumber = (boot) => into.nodeNumber(boot);
  }

  /** Throws FlowDecodeError for a batch that is malformed or refers to what was never sent. */
  decode(batch: FlowBatch): { rows: number; columns: FlowColumns } {
    for (const boot of batch.nodes) {
      this.#nodeNumbers.push(this.#nodeNumber({ cluster: boot.cluster, node: boot.node, bootId: boot.bootId }));
    }
    for (const message of batch.endpoints) {
      const number = this.#endpoints.intern(endpointFromMessage(message));
      this.#endpoints.retain(number);
      this.#endpointNumbers.push(number);
    }
    const { rows, columns } = decodeColumns(batch.columns);
    if (rows !== batch.rows) throw new FlowDecodeError(`batch says ${batch.rows} rows and holds ${rows}`);
    const endpoints = this.#endpointNumbers;
    const nodes = this.#nodeNumbers;
    for (let row = 0; row < rows; row++) {
      const source = columns.source[row];
      const destination = columns.destination[row];
      const node = columns.node[row];
      if (source >= endpoints.length || destination >= endpoints.length || node >= nodes.length) {
        throw new FlowDecodeError(`row ${row} refers to a dictionary entry that was not sent`);
      }
      columns.source[row] = endpoints[source];
      columns.destination[row] = endpoints[destination];
      columns.node[row] = nodes[node];
    }
    return { rows, columns };
  }

  /** Gives the dictionary's references back; rows already pushed to a window hold their own. */
  close(): void {
    for (const number of this.#endpointNumbers) if (number !== NO_ENDPOINT_NUMBER) this.#endpoints.release(number);
    this.#endpointNumbers.length = 0;
    this.#nodeNumbers.length = 0;
  }
}

export function endpointMessage(endpoint: Endpoint): EndpointMessage {
  return create(EndpointSchema, {
    address: endpoint.address === '' ? new Uint8Array(0) : parseAddress(endpoint.address),
    identity: endpoint.identity,
    cluster: endpoint.cluster,
    namespace: endpoint.namespace,
    pod: endpoint.pod,
    workload: endpoint.workloadName === '' ? undefined : { kind: endpoint.workloadKind, name: endpoint.workloadName },
    labels: [...endpoint.labels],
    names: [...endpoint.names],
    node: endpoint.node,
    interface:
      endpoint.interfaceIndex === 0 ? undefined : { index: endpoint.interfaceIndex, name: endpoint.interfaceName },
    id: endpoint.id,
  });
}

export function endpointFromMessage(message: EndpointMessage): Endpoint {
  const length = message.address.length;
  if (length !== 0 && length !== 4 && length !== 16) {
    throw new FlowDecodeError(`an address of ${length} bytes: 4 or 16 are possible`);
  }
  return {
    address: length === 0 ? '' : formatAddress(message.address),
    identity: message.identity,
    cluster: message.cluster,
    namespace: message.namespace,
    pod: message.pod,
    workloadKind: message.workload?.kind ?? '',
    workloadName: message.workload?.name ?? '',
    labels: message.labels,
    names: message.names,
    node: message.node,
    interfaceIndex: message.interface?.index ?? 0,
    interfaceName: message.interface?.name ?? '',
    id: message.id,
  };
}

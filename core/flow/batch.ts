import { create } from '@bufbuild/protobuf';
import {
  type Endpoint as EndpointMessage,
  EndpointSchema,
  type FlowBatch,
  FlowBatchSchema,
  NodeBootSchema,
  type ServiceReference as ServiceReferenceMessage,
} from '#proto/gen/waggle/v1/flow_pb.ts';
import { formatAddress, parseAddress } from '../ip/address.ts';
import { decodeColumns, encodeColumns, FlowDecodeError } from './column-codec.ts';
import { allocateColumns, copyRow, type FlowColumns } from './columns.ts';
import { decisionFromMessage, decisionMessage } from './decision-message.ts';
import { DecisionStore, MOST_DECISIONS } from './decision-store.ts';
import type { Endpoint } from './endpoint.ts';
import { type EndpointStore, NO_ENDPOINT_NUMBER } from './endpoint-store.ts';
import { type EntryStore, NO_ENTRY_NUMBER } from './entry-store.ts';
import type { FlowWindow } from './flow-window.ts';
import type { Layer7 } from './layer7.ts';
import { layer7FromMessage, layer7Message } from './layer7-message.ts';
import { Layer7Store } from './layer7-store.ts';
import type { NodeBoot } from './node-boot.ts';
import { OBSERVATION } from './observation.ts';
import type { PolicyDecision } from './policy-decision.ts';
import { SentIndex } from './sent-index.ts';
import { RING_ENTRIES, SentRing } from './sent-ring.ts';
import type { ServiceReference } from './service-reference.ts';

/** What of one store a stream has been sent, and under which index. */
class SentEntries<T> {
  readonly #store: EntryStore<T>;
  readonly #sent = new SentIndex(64);
  /** Entries sent so far. */
  count = 0;

  constructor(store: EntryStore<T>) {
    this.#store = store;
  }

  /** The entry's index in the stream's dictionary; one not sent yet is given to `send` first. */
  index(number: number, send: (entry: T) => void): number {
    const generation = this.#store.generation(number);
    const known = this.#sent.get(number, generation);
    if (known >= 0) return known;
    send(this.#store.get(number));
    this.#sent.set(number, generation, this.count, this.#store.bound);
    return this.count++;
  }
}

/** Where rows are put together. One for all streams, of which there may be a thousand: a batch is encoded in one go. */
let room: FlowColumns = allocateColumns(1024);
let roomRows = 1024;

function roomFor(rows: number): FlowColumns {
  if (rows > roomRows) {
    roomRows = Math.max(rows, roomRows * 2);
    room = allocateColumns(roomRows);
  }
  return room;
}

/** Room left in a stream's dictionary of decisions when it is to be begun anew: more than a batch of rows can need. */
const SPARE_DECISIONS = 8_192;

/**
 * The sending end of one stream: rows of a window become batches whose dictionaries hold what this stream has not been
 * sent yet. A dictionary is per stream, never shared between viewers: it would tell names a viewer may not see.
 */
export class BatchEncoder {
  readonly #window: FlowWindow;
  readonly #endpoints: SentEntries<Endpoint>;
  readonly #decisions: SentEntries<PolicyDecision>;
  readonly #nodeIndex = new Map<number, number>();
  /** Made when the first such row comes. */
  #layer7: SentRing<Layer7> | undefined;

  constructor(window: FlowWindow) {
    this.#window = window;
    this.#endpoints = new SentEntries(window.endpoints);
    this.#decisions = new SentEntries(window.decisions);
  }

  /**
   * Entries in the stream's dictionaries so far: a stream that has grown large is best begun anew. Infinite when there is
   * hardly room for further decisions.
   */
  get dictionarySize(): number {
    if (this.#decisions.count > MOST_DECISIONS - SPARE_DECISIONS) return Number.POSITIVE_INFINITY;
    return this.#endpoints.count + this.#decisions.count;
  }

  /** Encodes the rows at these positions of the window, in this order. Losses and cursor are the caller's to set. */
  encode(positions: ArrayLike<number>, count: number = positions.length): FlowBatch {
    const batch = create(FlowBatchSchema, { rows: count });
    const rows = roomFor(count);
    const sendEndpoint = (endpoint: Endpoint) => void batch.endpoints.push(endpointMessage(endpoint));
    const sendLayer7 = (record: Layer7) => void batch.layer7.push(layer7Message(record));
    const sendDecision = (decision: PolicyDecision) => void batch.decisions.push(decisionMessage(decision));
    for (let row = 0; row < count; row++) {
      copyRow(this.#window.columns, this.#window.slot(positions[row]), rows, row);
      rows.source[row] = this.#endpoints.index(rows.source[row], sendEndpoint);
      rows.destination[row] = this.#endpoints.index(rows.destination[row], sendEndpoint);
      rows.node[row] = this.#nodeIndexOf(rows.node[row], batch);
      // Past that, the column has no number for it: the flow goes without.
      if (this.#decisions.count >= MOST_DECISIONS) rows.policy[row] = 0;
      if (rows.policy[row] !== 0) rows.policy[row] = this.#decisions.index(rows.policy[row], sendDecision) + 1;
      if (rows.observation[row] === OBSERVATION.LAYER7) {
        this.#layer7 ??= new SentRing(this.#window.layer7);
        rows.packetsReply[row] = this.#layer7.index(rows.packetsReply[row], count - row, sendLayer7);
      }
    }
    batch.columns = encodeColumns(rows, 0, count);
    return batch;
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
}

/** Where a stream's dictionaries go; a FlowWindow is one. */
export interface BatchTarget {
  readonly endpoints: EndpointStore;
  /** One of its own when there is none. */
  readonly decisions?: DecisionStore;
  readonly layer7?: Layer7Store;
  nodeNumber(boot: NodeBoot): number;
}

/**
 * The receiving end of one stream: batches become columns whose `node`, `source`, `destination`, `policy` and record of layer 7
 * are a store's numbers. Records of layer 7 are held for a while only: whoever keeps rows across batches retains them.
 */
export class BatchDecoder {
  readonly #endpoints: EndpointStore;
  readonly decisions: DecisionStore;
  readonly layer7: Layer7Store;
  readonly #nodeNumber: (boot: NodeBoot) => number;
  /** By the stream's index: the store's number, retained until the stream is closed. */
  readonly #endpointNumbers: number[] = [];
  /** The same; index 0 is "no decision", which no stream sends. */
  readonly #decisionNumbers: number[] = [NO_ENTRY_NUMBER];
  readonly #nodeNumbers: number[] = [];
  /** The same, of the ring of records of layer 7, and where the next one goes. */
  readonly #layer7Numbers: number[] = [];
  #layer7Next = 0;

  constructor(into: BatchTarget) {
    this.#endpoints = into.endpoints;
    this.decisions = into.decisions ?? new DecisionStore();
    this.layer7 = into.layer7 ?? new Layer7Store();
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
    for (const message of batch.decisions) {
      const number = this.decisions.intern(decisionFromMessage(message));
      this.decisions.retain(number);
      this.#decisionNumbers.push(number);
    }
    for (const message of batch.layer7) this.#takeLayer7(layer7FromMessage(message));
    const { rows, columns } = decodeColumns(batch.columns);
    if (rows !== batch.rows) throw new FlowDecodeError(`batch says ${batch.rows} rows and holds ${rows}`);
    const endpoints = this.#endpointNumbers;
    const decisions = this.#decisionNumbers;
    const nodes = this.#nodeNumbers;
    for (let row = 0; row < rows; row++) {
      const source = columns.source[row];
      const destination = columns.destination[row];
      const node = columns.node[row];
      const policy = columns.policy[row];
      if (
        source >= endpoints.length ||
        destination >= endpoints.length ||
        node >= nodes.length ||
        policy >= decisions.length
      ) {
        throw new FlowDecodeError(`row ${row} refers to a dictionary entry that was not sent`);
      }
      columns.source[row] = endpoints[source];
      columns.destination[row] = endpoints[destination];
      columns.node[row] = nodes[node];
      columns.policy[row] = decisions[policy];
      if (columns.observation[row] === OBSERVATION.LAYER7) {
        const number = this.#layer7Numbers[columns.packetsReply[row]];
        if (number === undefined) throw new FlowDecodeError(`row ${row} refers to a record that was not sent`);
        columns.packetsReply[row] = number;
      }
    }
    return { rows, columns };
  }

  #takeLayer7(record: Layer7): void {
    const number = this.layer7.intern(record);
    this.layer7.retain(number);
    const before = this.#layer7Numbers[this.#layer7Next];
    if (before !== undefined) this.layer7.release(before);
    this.#layer7Numbers[this.#layer7Next] = number;
    this.#layer7Next = (this.#layer7Next + 1) % RING_ENTRIES;
  }

  /** Gives the dictionary's references back; rows already pushed to a window hold their own. */
  close(): void {
    for (const number of this.#endpointNumbers) if (number !== NO_ENDPOINT_NUMBER) this.#endpoints.release(number);
    for (const number of this.#decisionNumbers) this.decisions.release(number);
    for (const number of this.#layer7Numbers) this.layer7.release(number);
    this.#layer7Numbers.length = 0;
    this.#layer7Next = 0;
    this.#endpointNumbers.length = 0;
    this.#decisionNumbers.length = 1;
    this.#nodeNumbers.length = 0;
  }
}

/** An endpoint as a stream's dictionary carries it. */
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
    service:
      endpoint.service === undefined
        ? undefined
        : { ...endpoint.service, address: parseAddress(endpoint.service.address) },
    cgroupId: BigInt(endpoint.cgroupId ?? 0),
  });
}

/** @throws FlowDecodeError where its addresses are of no length that addresses have */
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
    ...(message.service === undefined ? {} : { service: serviceFromMessage(message.service) }),
    ...(message.cgroupId === 0n ? {} : { cgroupId: Number(message.cgroupId) }),
  };
}

function serviceFromMessage({ namespace, name, portName, address, port }: ServiceReferenceMessage): ServiceReference {
  if (address.length !== 4 && address.length !== 16) {
    throw new FlowDecodeError(`a Service's address of ${address.length} bytes: 4 or 16 are possible`);
  }
  return { namespace, name, portName, address: formatAddress(address), port };
}

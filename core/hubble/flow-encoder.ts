import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { FlowSchema, TCPFlagsSchema } from '#proto/gen/flow/flow_pb.ts';
import type { FlowColumns } from '../flow/columns.ts';
import { summary } from '../flow/compact-line.ts';
import { isLayer7 } from '../flow/layer7.ts';
import { nodeBootKey } from '../flow/node-boot.ts';
import { seenAtDestination } from '../flow/observation.ts';
import { hasPorts, PROTOCOL } from '../flow/protocol.ts';
import { isTranslation } from '../flow/translation.ts';
import { FlowMask, type Wanted } from './field-mask.ts';
import type { HubbleTables } from './flow-json.ts';
import {
  eventFields,
  hubbleEndpoint,
  interfaceMessage,
  ipMessage,
  layer4Message,
  layer7Fields,
  policyFields,
  serviceMessage,
  socketFields,
  tcpFlagsMessage,
  timeMessage,
} from './flow-message.ts';
import { digitsOf, varintLength, WIRE, WireWriter } from './wire-writer.ts';

/** Most parts of one kind that are kept; beyond it all are made anew. */
const MOST_KEPT = 4_096;
const NOTHING = new Uint8Array(0);
const NOWHERE = new WireWriter(0);

/** Field numbers of `flow.Flow` and its parts, where they are written by hand. */
const FLOW = { TIME: 1, IP: 5, L4: 6, UUID: 34 } as const;
const RESPONSE = { FLOW: 1, NODE_NAME: 1000, TIME: 1001 } as const;
const LAYER4: Readonly<Record<number, number>> = { [PROTOCOL.TCP]: 1, [PROTOCOL.UDP]: 2, [PROTOCOL.SCTP]: 5 };

interface EndpointParts {
  readonly generation: number;
  /** `source` with its names and service, `destination` with its own, `interface`: fields of a flow, ready to write. */
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly interface: Uint8Array;
  /** The address as text. */
  readonly address: Uint8Array;
  readonly v6: boolean;
}

interface NodeParts {
  /** `node_name` of a flow and of its response. */
  readonly flow: Uint8Array;
  readonly response: Uint8Array;
  /** The uuid as far as it is the same for every flow of the node boot: `cluster/node/boot/`. */
  readonly uuid: Uint8Array;
}

/**
 * Rows as bytes of Hubble's `GetFlowsResponse`, without an object in between: what many rows have in common (ends, kind of
 * event, summary, policies) is encoded once and copied. One encoder serves one stream, whose field mask it holds.
 */
export class FlowEncoder {
  readonly #tables: HubbleTables;
  readonly #mask: FlowMask;
  readonly #wants: { readonly [field in 'time' | 'uuid' | 'IP' | 'l4' | 'Summary']: Wanted };
  readonly #endpoints: (EndpointParts | undefined)[] = [];
  readonly #nodes: (NodeParts | undefined)[] = [];
  readonly #events = new Map<number, Uint8Array>();
  readonly #summaries = new Map<number, Uint8Array>();
  readonly #decisions = new Map<number, { generation: number; bytes: Uint8Array }>();
  /** By flag bits: the `flags` field of a TCP message. */
  readonly #flags: (Uint8Array | undefined)[] = [];
  /** Where the flow is written that is being written. */
  #flow = NOWHERE;
  readonly #time = new WireWriter(32);

  constructor(tables: HubbleTables, mask: FlowMask = new FlowMask()) {
    this.#tables = tables;
    this.#mask = mask;
    const wants = (field: string) => mask.wants(field);
    this.#wants = {
      time: wants('time'),
      uuid: wants('uuid'),
      IP: wants('IP'),
      l4: wants('l4'),
      Summary: wants('Summary'),
    };
  }

  /** Appends a `GetFlowsResponse` with the row's flow. */
  writeResponse(columns: FlowColumns, row: number, to: WireWriter): void {
    const node = this.#nodeParts(columns.node[row]);
    this.#flow = to;
    this.#writeTime(columns, row);
    to.reserve(512);
    to.tag(RESPONSE.FLOW, WIRE.BYTES);
    const flow = to.beginLength();
    this.#writeFlow(columns, row);
    to.endLength(flow);
    to.raw(node.response);
    to.short(RESPONSE.TIME, this.#time);
    this.#flow = NOWHERE;
  }

  /** The row's `flow.Flow`. */
  flow(columns: FlowColumns, row: number): Uint8Array {
    this.#flow = new WireWriter();
    this.#writeTime(columns, row);
    this.#writeFlow(columns, row);
    return this.#flow.copy();
  }

  #writeTime(columns: FlowColumns, row: number): void {
    const time = this.#time;
    time.reset();
    time.number(1, columns.timeSeconds[row]);
    time.number(2, columns.timeNanos[row]);
  }

  #writeFlow(columns: FlowColumns, row: number): void {
    const flow = this.#flow;
    const wants = this.#wants;
    const source = this.#endpointParts(columns.source[row]);
    const destination = this.#endpointParts(columns.destination[row]);
    const node = this.#nodeParts(columns.node[row]);
    flow.reserve(512);
    if (wants.time === 'all') flow.short(FLOW.TIME, this.#time);
    else if (wants.time === 'some') flow.raw(this.#part({ time: timeMessage(columns, row) }));
    if (wants.uuid === 'all') this.#writeUuid(node.uuid, columns.sequence[row]);
    flow.raw(this.#event(columns, row));
    if (wants.IP === 'all') this.#writeIp(source, destination);
    else if (wants.IP === 'some') {
      const { endpoints } = this.#tables;
      const from = endpoints.get(columns.source[row]).address;
      flow.raw(this.#part({ IP: ipMessage(from, endpoints.get(columns.destination[row]).address) }));
    }
    if (wants.l4 === 'all') this.#writeLayer4(columns, row);
    else if (wants.l4 === 'some') flow.raw(this.#part({ l4: layer4Message(columns, row) }));
    flow.raw(source.source);
    flow.raw(destination.destination);
    flow.raw(node.flow);
    flow.raw((seenAtDestination(columns.observation[row]) ? destination : source).interface);
    if (isTranslation(columns.observation[row])) {
      const { endpoints } = this.#tables;
      const [from, to] = [endpoints.get(columns.source[row]), endpoints.get(columns.destination[row])];
      flow.raw(this.#part(socketFields(columns, row, from, to)));
    }
    if (columns.policy[row] !== 0) flow.raw(this.#policies(columns.policy[row]));
    if (isLayer7(columns.observation[row])) this.#writeLayer7(columns, row);
    else if (wants.Summary === 'all') flow.raw(this.#summary(columns, row));
  }

  /** A request is hardly ever like another: nothing of it is kept. */
  #writeLayer7(columns: FlowColumns, row: number): void {
    const Summary = summary(columns, row, this.#tables.layer7);
    this.#flow.raw(this.#part({ ...layer7Fields(columns, row, this.#tables), Summary }));
  }

  #writeUuid(prefix: Uint8Array, sequence: number): void {
    const flow = this.#flow;
    const digits = digitsOf(sequence);
    flow.reserve(prefix.length + digits + 8);
    flow.tag(FLOW.UUID, WIRE.BYTES);
    flow.varint(prefix.length + digits);
    flow.raw(prefix);
    let left = sequence;
    for (let at = flow.length + digits - 1; at >= flow.length; at--) {
      flow.bytes[at] = 48 + (left % 10);
      left = Math.floor(left / 10);
    }
    flow.length += digits;
  }

  #writeIp(source: EndpointParts, destination: EndpointParts): void {
    const from = source.address;
    const to = destination.address;
    if (from.length === 0 && to.length === 0) return;
    const flow = this.#flow;
    flow.reserve(from.length + to.length + 16);
    // Addresses are shorter than 128 bytes: their lengths take one byte.
    const length = (from.length > 0 ? from.length + 2 : 0) + (to.length > 0 ? to.length + 2 : 0) + 2;
    flow.tag(FLOW.IP, WIRE.BYTES);
    flow.varint(length);
    if (from.length > 0) flow.field(1, from);
    if (to.length > 0) flow.field(2, to);
    flow.number(3, (from.length > 0 ? source.v6 : destination.v6) ? 2 : 1);
  }

  #writeLayer4(columns: FlowColumns, row: number): void {
    const protocol = columns.protocol[row];
    const flow = this.#flow;
    if (!hasPorts(protocol)) {
      const message = layer4Message(columns, row);
      if (message !== undefined) flow.raw(toBinary(FlowSchema, create(FlowSchema, { l4: message })));
      return;
    }
    const from = columns.sourcePort[row];
    const to = columns.destinationPort[row];
    const flags = protocol === PROTOCOL.TCP ? this.#tcpFlags(columns.tcpFlags[row]) : NOTHING;
    const inner = numberLength(from) + numberLength(to) + flags.length;
    flow.reserve(inner + 16);
    flow.tag(FLOW.L4, WIRE.BYTES);
    flow.varint(inner + 2);
    flow.tag(LAYER4[protocol], WIRE.BYTES);
    flow.varint(inner);
    flow.number(1, from);
    flow.number(2, to);
    flow.raw(flags);
  }

  #tcpFlags(bits: number): Uint8Array {
    const known = this.#flags[bits];
    if (known !== undefined) return known;
    const flags = tcpFlagsMessage(bits);
    const writer = new WireWriter(64);
    if (flags !== undefined) writer.field(3, toBinary(TCPFlagsSchema, flags));
    const bytes = writer.copy();
    this.#flags[bits] = bytes;
    return bytes;
  }

  #endpointParts(number: number): EndpointParts {
    const generation = this.#tables.endpoints.generation(number);
    const known = this.#endpoints[number];
    if (known !== undefined && known.generation === generation) return known;
    const endpoint = this.#tables.endpoints.get(number);
    const names = [...endpoint.names];
    const parts = {
      generation,
      source: this.#part({
        source: hubbleEndpoint(endpoint),
        sourceNames: names,
        sourceService: serviceMessage(endpoint),
      }),
      destination: this.#part({
        destination: hubbleEndpoint(endpoint),
        destinationNames: names,
        destinationService: serviceMessage(endpoint),
      }),
      interface: this.#part({ interface: interfaceMessage(endpoint) }),
      address: new TextEncoder().encode(endpoint.address),
      v6: endpoint.address.includes(':'),
    };
    this.#endpoints[number] = parts;
    return parts;
  }

  #nodeParts(number: number): NodeParts {
    const known = this.#nodes[number];
    if (known !== undefined) return known;
    const boot = this.#tables.nodes[number];
    const nodeName = `${boot.cluster}/${boot.node}`;
    const response = new WireWriter(64);
    response.text(RESPONSE.NODE_NAME, nodeName);
    const parts = {
      flow: this.#part({ nodeName }),
      response: response.copy(),
      uuid: new TextEncoder().encode(`${nodeBootKey(boot)}/`),
    };
    this.#nodes[number] = parts;
    return parts;
  }

  #event(columns: FlowColumns, row: number): Uint8Array {
    const first = columns.trigger[row] === 1 ? 1 : 0;
    const kind = (columns.verdict[row] << 16) | (columns.dropReason[row] << 8) | columns.observation[row];
    const key = kind * 32 + ((columns.direction[row] & 3) << 3) + ((columns.reply[row] & 3) << 1) + first;
    return kept(this.#events, key, () => this.#part(eventFields(columns, row)));
  }

  #summary(columns: FlowColumns, row: number): Uint8Array {
    const protocol = columns.protocol[row];
    const key = isTranslation(columns.observation[row])
      ? -1 - protocol
      : protocol === PROTOCOL.TCP
        ? columns.tcpFlags[row]
        : hasPorts(protocol)
          ? 256 + protocol
          : (512 + protocol) * 0x1_0000_0000 + columns.sourcePort[row] * 0x1_0000 + columns.destinationPort[row];
    return kept(this.#summaries, key, () => this.#part({ Summary: summary(columns, row) }));
  }

  #policies(number: number): Uint8Array {
    const { decisions } = this.#tables;
    if (decisions === undefined) return NOTHING;
    const generation = decisions.generation(number);
    const known = this.#decisions.get(number);
    if (known !== undefined && known.generation === generation) return known.bytes;
    const bytes = this.#part(policyFields(decisions.get(number)));
    if (this.#decisions.size >= MOST_KEPT) this.#decisions.clear();
    this.#decisions.set(number, { generation, bytes });
    return bytes;
  }

  /** These fields of a flow as far as the mask wants them, ready to stand among others. */
  #part(fields: MessageInitShape<typeof FlowSchema>): Uint8Array {
    return toBinary(FlowSchema, this.#mask.project(FlowSchema, create(FlowSchema, fields)));
  }
}

function kept(parts: Map<number, Uint8Array>, key: number, make: () => Uint8Array): Uint8Array {
  const known = parts.get(key);
  if (known !== undefined) return known;
  const bytes = make();
  if (parts.size >= MOST_KEPT) parts.clear();
  parts.set(key, bytes);
  return bytes;
}

/** Bytes of a number field with a tag of one byte; none for 0. */
function numberLength(value: number): number {
  return value === 0 ? 0 : 1 + varintLength(value);
}

import { REPLY } from '#core/flow/direction.ts';
import { layer7Number } from '#core/flow/layer7.ts';
import { hasPorts } from '#core/flow/protocol.ts';
import { countsPackets } from '#core/flow/translation.ts';
import { endpointName, endpointRealm } from './endpoint-name.ts';
import type { PageWindow } from './page-window.ts';

/** What differs among the flows of a group, as bits of `varies`. */
export const VARIES = { SOURCE: 1, DESTINATION: 2, SOURCE_PORT: 4, NODE: 8, POLICY: 16, LAYER7: 32 } as const;

const FIRST_GROUPS = 256;

interface GroupColumns {
  /** Of what makes the group: parties, port, protocol, verdict, reason, direction. */
  client: Uint32Array;
  server: Uint32Array;
  kind: Uint32Array;
  port: Uint16Array;
  /** Positions in the window. */
  first: Float64Array;
  last: Float64Array;
  count: Uint32Array;
  bytes: Float64Array;
  packets: Float64Array;
  retransmits: Uint32Array;
  /** The last one known. */
  rtt: Uint32Array;
  flags: Uint8Array;
  varies: Uint8Array;
}

function allocate(length: number): GroupColumns {
  return {
    client: new Uint32Array(length),
    server: new Uint32Array(length),
    kind: new Uint32Array(length),
    port: new Uint16Array(length),
    first: new Float64Array(length),
    last: new Float64Array(length),
    count: new Uint32Array(length),
    bytes: new Float64Array(length),
    packets: new Float64Array(length),
    retransmits: new Uint32Array(length),
    rtt: new Uint32Array(length),
    flags: new Uint8Array(length),
    varies: new Uint8Array(length),
  };
}

/**
 * Flows that repeat each other, as one entry with sums: the same two parties (workloads, or what else has a name), port,
 * protocol, verdict, drop reason and direction; replies count with their connection. In columns, with a hash table of
 * entry numbers over them.
 */
export class GroupTable {
  readonly #window: PageWindow;
  #columns = allocate(FIRST_GROUPS);
  /** Entry number plus one; open addressing, at most half full. */
  #buckets = new Uint32Array(FIRST_GROUPS * 2);
  #size = 0;
  readonly #partyNumbers = new Map<string, number>();
  /** By endpoint number: its party, and the generation (plus one) for which that holds. */
  readonly #party: number[] = [];
  readonly #partyOf: number[] = [];

  constructor(window: PageWindow) {
    this.#window = window;
  }

  get size(): number {
    return this.#size;
  }

  get columns(): Readonly<GroupColumns> {
    return this.#columns;
  }

  add(position: number): void {
    const window = this.#window;
    const flow = window.columns;
    const slot = window.slot(position);
    const reply = flow.reply[slot] === REPLY.REPLY;
    const client = this.#partyNumber(reply ? flow.destination[slot] : flow.source[slot]);
    const server = this.#partyNumber(reply ? flow.source[slot] : flow.destination[slot]);
    const protocol = flow.protocol[slot];
    const port = !hasPorts(protocol) ? 0 : reply ? flow.sourcePort[slot] : flow.destinationPort[slot];
    const kind =
      ((protocol << 24) | (flow.verdict[slot] << 16) | (flow.dropReason[slot] << 8) | flow.direction[slot]) >>> 0;
    const entry = this.#entry(client, server, port, kind, position);
    const groups = this.#columns;
    // A row that the window has overwritten cannot be compared with any more.
    if (groups.count[entry] > 0 && groups.last[entry] >= window.start) {
      groups.varies[entry] |= this.#differences(slot, window.slot(groups.last[entry]));
    }
    groups.last[entry] = position;
    groups.count[entry]++;
    groups.bytes[entry] += flow.bytesOriginal[slot] + flow.bytesReply[slot];
    if (countsPackets(flow.observation[slot])) {
      groups.packets[entry] += flow.packetsOriginal[slot] + flow.packetsReply[slot];
      groups.retransmits[entry] += flow.retransmits[slot];
      if (flow.rttMicros[slot] > 0) groups.rtt[entry] = flow.rttMicros[slot];
    }
    groups.flags[entry] |= flow.tcpFlags[slot];
  }

  /** Between a flow and the one before it in its group. */
  #differences(slot: number, before: number): number {
    const flow = this.#window.columns;
    const swapped = flow.reply[slot] !== flow.reply[before] && (flow.reply[slot] === 1 || flow.reply[before] === 1);
    const source = swapped ? flow.destination[before] : flow.source[before];
    const destination = swapped ? flow.source[before] : flow.destination[before];
    const sourcePort = swapped ? flow.destinationPort[before] : flow.sourcePort[before];
    const destinationPort = swapped ? flow.sourcePort[before] : flow.destinationPort[before];
    const reply = flow.reply[slot] === REPLY.REPLY;
    let varies = 0;
    if (source !== flow.source[slot]) varies |= reply ? VARIES.DESTINATION : VARIES.SOURCE;
    if (destination !== flow.destination[slot]) varies |= reply ? VARIES.SOURCE : VARIES.DESTINATION;
    const clientPortSame = reply
      ? destinationPort === flow.destinationPort[slot]
      : sourcePort === flow.sourcePort[slot];
    if (!clientPortSame) varies |= VARIES.SOURCE_PORT;
    if (this.#window.nodes[flow.node[slot]].node !== this.#window.nodes[flow.node[before]].node) varies |= VARIES.NODE;
    if (flow.policy[slot] !== flow.policy[before]) varies |= VARIES.POLICY;
    if (layer7Number(flow, slot) !== layer7Number(flow, before)) varies |= VARIES.LAYER7;
    return varies;
  }

  #entry(client: number, server: number, port: number, kind: number, position: number): number {
    const groups = this.#columns;
    const mask = this.#buckets.length - 1;
    let bucket = hash(client, server, port, kind) & mask;
    for (; this.#buckets[bucket] !== 0; bucket = (bucket + 1) & mask) {
      const entry = this.#buckets[bucket] - 1;
      if (
        groups.client[entry] === client &&
        groups.server[entry] === server &&
        groups.port[entry] === port &&
        groups.kind[entry] === kind
      ) {
        return entry;
      }
    }
    if (this.#size === groups.client.length) {
      this.#grow();
      return this.#entry(client, server, port, kind, position);
    }
    const entry = this.#size++;
    this.#buckets[bucket] = entry + 1;
    groups.client[entry] = client;
    groups.server[entry] = server;
    groups.port[entry] = port;
    groups.kind[entry] = kind;
    groups.first[entry] = position;
    return entry;
  }

  #grow(): void {
    const before = this.#columns;
    const grown = allocate(before.client.length * 2);
    for (const name of Object.keys(grown) as (keyof GroupColumns)[]) grown[name].set(before[name]);
    this.#columns = grown;
    this.#buckets = new Uint32Array(grown.client.length * 2);
    const mask = this.#buckets.length - 1;
    for (let entry = 0; entry < this.#size; entry++) {
      let bucket = hash(grown.client[entry], grown.server[entry], grown.port[entry], grown.kind[entry]) & mask;
      while (this.#buckets[bucket] !== 0) bucket = (bucket + 1) & mask;
      this.#buckets[bucket] = entry + 1;
    }
  }

  #partyNumber(endpoint: number): number {
    const { endpoints } = this.#window;
    const generation = endpoints.generation(endpoint) + 1;
    if (this.#partyOf[endpoint] === generation) return this.#party[endpoint];
    const known = endpoints.get(endpoint);
    const key = `${known.cluster}\0${known.workloadKind}\0${endpointName(known)}\0${endpointRealm(known)}`;
    let number = this.#partyNumbers.get(key);
    if (number === undefined) {
      number = this.#partyNumbers.size;
      this.#partyNumbers.set(key, number);
    }
    this.#party[endpoint] = number;
    this.#partyOf[endpoint] = generation;
    return number;
  }
}

function hash(a: number, b: number, c: number, d: number): number {
  let mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca77) ^ Math.imul(c, 0xc2b2ae3d) ^ Math.imul(d, 0x27d4eb2f);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

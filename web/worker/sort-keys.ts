import { REPLY } from '#core/flow/direction.ts';
import { dropReasonText } from '#core/flow/drop-reason.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { layer7LatencyNs, layer7Number, packetsBack } from '#core/flow/layer7.ts';
import { layer7Words } from '#core/flow/layer7-text.ts';
import { hasPorts, protocols } from '#core/flow/protocol.ts';
import { roundTripMicros, sentAgain } from '#core/flow/translation.ts';
import { VERDICT, verdicts } from '#core/flow/verdict.ts';
import { parseAddress } from '#core/ip/address.ts';
import { endpointName, endpointRealm } from './endpoint-name.ts';
import type { FlowColumnId } from './flow-column.ts';
import { policyName } from './flow-policy.ts';
import { infoKinds } from './info-kinds.ts';
import type { PageWindow } from './page-window.ts';

/** What to sort rows by: unsigned 32-bit numbers of a row's slot, the least significant first. */
export type SortKeys = readonly ((slot: number) => number)[];

const MOST = 0xffffffff;
/** Whatever a column of bytes may hold: naming all of it is less work than looking at every row for what there is. */
const BYTES = Array.from({ length: 256 }, (_, byte) => byte);

/**
 * The keys of a column for these rows, as the table shows it: ends are those of the connection. Texts sort by their rank
 * among those that the rows hold, which is worked out once per endpoint, not per row.
 */
export function sortKeys(window: PageWindow, column: FlowColumnId, slots: () => Iterable<number>): SortKeys {
  const { columns } = window;
  const client = (slot: number) =>
    columns.reply[slot] === REPLY.REPLY ? columns.destination[slot] : columns.source[slot];
  const server = (slot: number) =>
    columns.reply[slot] === REPLY.REPLY ? columns.source[slot] : columns.destination[slot];
  const ofEnd = (end: (slot: number) => number, text: (endpoint: Endpoint) => string): SortKeys => {
    const rank = ranks(distinct(slots(), end), (number) => text(window.endpoints.get(number)));
    return [(slot) => rank[end(slot)]];
  };
  const ofWords = (numbers: Uint8Array, text: (number: number) => string): SortKeys => {
    const rank = ranks(BYTES, text);
    return [(slot) => rank[numbers[slot]]];
  };
  const clientPort = (slot: number) =>
    columns.reply[slot] === REPLY.REPLY ? columns.destinationPort[slot] : columns.sourcePort[slot];
  const serverPort = (slot: number) =>
    columns.reply[slot] === REPLY.REPLY ? columns.sourcePort[slot] : columns.destinationPort[slot];
  switch (column) {
    case 'time':
      return [(slot) => columns.timeNanos[slot], (slot) => columns.timeSeconds[slot]];
    case 'source':
      return ofEnd(client, nameText);
    case 'source-pod':
      return ofEnd(client, podText);
    case 'source-workload':
      return ofEnd(client, workloadText);
    case 'source-identity':
      return [(slot) => window.endpoints.get(client(slot)).identity];
    case 'source-ip':
      return ofEnd(client, addressText);
    case 'source-port':
      return [(slot) => (hasPorts(columns.protocol[slot]) ? clientPort(slot) : 0)];
    case 'destination':
      return ofEnd(server, nameText);
    case 'destination-pod':
      return ofEnd(server, podText);
    case 'destination-workload':
      return ofEnd(server, workloadText);
    case 'destination-identity':
      return [(slot) => window.endpoints.get(server(slot)).identity];
    case 'destination-ip':
      return ofEnd(server, addressText);
    case 'port':
      return [(slot) => (hasPorts(columns.protocol[slot]) ? serverPort(slot) : 0)];
    case 'protocol':
      return ofWords(columns.protocol, (number) => protocols.name(number));
    case 'verdict':
      return ofWords(columns.verdict, (number) => verdicts.name(number));
    case 'reason': {
      const rank = ranks(BYTES, dropReasonText);
      // What is not dropped has none.
      return [(slot) => (columns.verdict[slot] === VERDICT.DROPPED ? 1 + rank[columns.dropReason[slot]] : 0)];
    }
    case 'policy': {
      const decision = (slot: number) => columns.policy[slot];
      const rank = ranks(distinct(slots(), decision), (number) => policyName(window.decisions.get(number)));
      return [(slot) => rank[decision(slot)]];
    }
    case 'info': {
      const kinds = infoKinds(window, server, slots);
      return [
        (slot) => roundTripMicros(columns, slot),
        ...(kinds.anyRequest ? sortKeys(window, 'layer7', slots) : []),
        (slot) => kinds.rank[kinds.ofSlot[slot]],
      ];
    }
    case 'layer7': {
      const record = (slot: number) => layer7Number(columns, slot);
      const rank = ranks(distinct(slots(), record), (number) =>
        number === 0 ? '' : layer7Words(window.layer7.get(number), ''),
      );
      // Of equal ones the slower after the faster.
      return [
        (slot) => Math.min(MOST, Math.floor(layer7LatencyNs(columns, slot) / 1000)),
        (slot) => rank[record(slot)],
      ];
    }
    case 'flags':
      return [(slot) => columns.tcpFlags[slot]];
    case 'direction':
      return [(slot) => columns.direction[slot]];
    case 'node': {
      const node = (slot: number) => columns.node[slot];
      const rank = ranks(distinct(slots(), node), (number) => window.nodes[number].node);
      return [(slot) => rank[node(slot)]];
    }
    case 'bytes':
      return [(slot) => Math.min(MOST, columns.bytesOriginal[slot] + columns.bytesReply[slot])];
    case 'packets':
      return [(slot) => Math.min(MOST, columns.packetsOriginal[slot] + packetsBack(columns, slot))];
    case 'rtt':
      return [(slot) => roundTripMicros(columns, slot)];
    case 'retransmits':
      return [(slot) => sentAgain(columns, slot)];
    case 'count':
      // Each row stands for itself.
      return [];
  }
}

function nameText(endpoint: Endpoint): string {
  return `${endpointName(endpoint)}\0${endpointRealm(endpoint)}`;
}

function podText({ pod, namespace }: Endpoint): string {
  return `${pod}\0${namespace}`;
}

function workloadText({ workloadName, workloadKind, namespace }: Endpoint): string {
  return `${workloadName}\0${workloadKind}\0${namespace}`;
}

/** IPv4 before IPv6, each by number. */
function addressText({ address }: Endpoint): string {
  if (address === '') return '';
  const bytes = parseAddress(address);
  return String.fromCharCode(bytes.length, ...bytes);
}

function distinct(slots: Iterable<number>, numberOf: (slot: number) => number): number[] {
  const seen: boolean[] = [];
  const numbers: number[] = [];
  for (const slot of slots) {
    const number = numberOf(slot);
    if (seen[number]) continue;
    seen[number] = true;
    numbers.push(number);
  }
  return numbers;
}

/** By number: the rank of its text, the same for equal texts; letter case does not count. */
function ranks(numbers: readonly number[], textOf: (number: number) => string): Uint32Array {
  const texts = numbers.map((number) => ({ number, text: textOf(number).toLowerCase() }));
  texts.sort((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
  const rank = new Uint32Array(numbers.reduce((most, number) => Math.max(most, number), 0) + 1);
  let last = 0;
  for (const [index, { number, text }] of texts.entries()) {
    if (index > 0 && text !== texts[index - 1].text) last++;
    rank[number] = last;
  }
  return rank;
}

import { PROTOCOL } from '#core/flow/protocol.ts';
import { TCP_FLAG } from '#core/flow/tcp-flags.ts';
import type { Conversation, ConversationEnds, ConversationTable } from './conversation.ts';
import { type Packet, parseFrame } from './packet.ts';
import type { CapturedFrame } from './pcap-file.ts';

export interface CaptureSummary {
  /** Frames that belong to no flow, by what they are: ARP, NDP, … */
  readonly housekeeping: Map<string, number>;
  /** What could not be read or attributed: a capture that is to be compared has none. */
  readonly problems: string[];
  readonly packets: number;
}

/**
 * Adds what one endpoint's interface saw to the table. The capture must have begun before the traffic did: who opened a
 * connection is read off its first packet.
 */
export function addCapture(
  frames: Iterable<CapturedFrame>,
  observer: string,
  conversations: ConversationTable,
): CaptureSummary {
  const housekeeping = new Map<string, number>();
  const problems: string[] = [];
  const orientation = new Orientation(observer, conversations);
  const fragments = new Map<string, Packet>();
  let packets = 0;
  for (const frame of frames) {
    const parsed = parseFrame(frame.bytes, frame.length);
    if (parsed.kind === 'housekeeping') {
      housekeeping.set(parsed.what, (housekeeping.get(parsed.what) ?? 0) + 1);
      continue;
    }
    if (parsed.kind !== 'packet') {
      problems.push(
        `${observer}: ${parsed.kind === 'other' ? `EtherType 0x${parsed.etherType.toString(16)}` : parsed.why}`,
      );
      continue;
    }
    const whole = withPorts(parsed.packet, fragments);
    if (whole === undefined) {
      problems.push(`${observer}: a fragment from ${parsed.packet.source} came before its first`);
      continue;
    }
    packets++;
    const problem = orientation.count(whole);
    if (problem !== undefined) problems.push(`${observer}: ${problem}`);
  }
  return { housekeeping, problems, packets };
}

/** A fragment after the first takes its ports from there. */
function withPorts(packet: Packet, fragments: Map<string, Packet>): Packet | undefined {
  if (packet.fragment === undefined) return packet;
  const key = `${packet.source} ${packet.destination} ${packet.protocol} ${packet.fragment.id}`;
  if (packet.fragment.first) {
    fragments.set(key, packet);
    return packet;
  }
  const first = fragments.get(key);
  if (first === undefined) return undefined;
  const { sourcePort, destinationPort, echoId } = first;
  return { ...packet, sourcePort, destinationPort, ...(echoId === undefined ? {} : { echoId }) };
}

/** Finds each packet's conversation, and which way it travels in it. */
class Orientation {
  readonly #observer: string;
  readonly #conversations: ConversationTable;
  /** By the packet's own ends: its conversation, and whether it is a reply. */
  readonly #known = new Map<string, { conversation: Conversation; reply: boolean }>();
  /** Ends and sequence number of every SYN: one sent again opens nothing. */
  readonly #syns = new Set<string>();

  constructor(observer: string, conversations: ConversationTable) {
    this.#observer = observer;
    this.#conversations = conversations;
  }

  /** Returns what is wrong with the packet, or undefined. */
  count(packet: Packet): string | undefined {
    const forward = wayKey(packet, false);
    let found = this.#known.get(forward);
    if (found === undefined) {
      if (packet.protocol === PROTOCOL.TCP && !isOpening(packet)) {
        return `TCP ${packet.source}:${packet.sourcePort} to ${packet.destination}:${packet.destinationPort} began unseen`;
      }
      found = { conversation: this.#conversations.open(this.#ends(packet)), reply: false };
      this.#known.set(forward, found);
      const backward = wayKey(packet, true);
      if (backward !== undefined) this.#known.set(backward, { conversation: found.conversation, reply: true });
      if (packet.protocol !== PROTOCOL.TCP) found.conversation.opened++;
    }
    if (found.reply) found.conversation.replyBytes += packet.bytes;
    else found.conversation.bytes += packet.bytes;
    if (packet.protocol === PROTOCOL.TCP && isOpening(packet)) {
      const syn = `${forward} ${packet.sequence}`;
      if (!this.#syns.has(syn)) {
        this.#syns.add(syn);
        found.conversation.opened++;
      }
    }
    return undefined;
  }

  #ends(packet: Packet): ConversationEnds {
    return {
      observer: this.#observer,
      protocol: packet.protocol,
      client: packet.source,
      clientPort: packet.sourcePort,
      server: packet.destination,
      serverPort: packet.destinationPort,
    };
  }
}

function isOpening(packet: Packet): boolean {
  return (packet.tcpFlags & (TCP_FLAG.SYN | TCP_FLAG.ACK)) === TCP_FLAG.SYN;
}

/** Identifies a packet's way; `back` gives the way of its answers, undefined where there are none. */
function wayKey(packet: Packet, back: false): string;
function wayKey(packet: Packet, back: true): string | undefined;
function wayKey(packet: Packet, back: boolean): string | undefined {
  const { source, destination, protocol, sourcePort, destinationPort, echoId } = packet;
  const ends = back ? `${destination} ${source}` : `${source} ${destination}`;
  if (protocol === PROTOCOL.ICMPv4 || protocol === PROTOCOL.ICMPv6) {
    if (echoId === undefined) return back ? undefined : `${protocol} ${ends} ${sourcePort} ${destinationPort}`;
    // A request and its answer have different types; they are told apart from each other's ways by it.
    const request = sourcePort === 8 || sourcePort === 128;
    return `${protocol} ${ends} echo ${echoId} ${request !== back ? 'request' : 'reply'}`;
  }
  const ports = back ? `${destinationPort} ${sourcePort}` : `${sourcePort} ${destinationPort}`;
  return `${protocol} ${ends} ${ports}`;
}

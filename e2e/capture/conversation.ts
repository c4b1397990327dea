/**
 * What two addresses said to each other on one set of ports, at one endpoint's interface: the common ground of a packet
 * capture and of Waggle's flows, so that the two can be compared.
 */
export interface Conversation {
  /** Where it was observed: `namespace/pod`. */
  readonly observer: string;
  readonly protocol: number;
  /** Who opened it; for ICMP messages without a reply, who sent them. */
  readonly client: string;
  /** ICMP: the type of what the client sends. */
  readonly clientPort: number;
  readonly server: string;
  /** ICMP: the code. */
  readonly serverPort: number;
  /** Bytes from the IP header on, from client to server and back. */
  bytes: number;
  replyBytes: number;
  /** How many times a connection was opened on these ports. */
  opened: number;
}

export type ConversationEnds = Omit<Conversation, 'bytes' | 'replyBytes' | 'opened'>;

/** Conversations by their ends. */
export class ConversationTable {
  readonly #byKey = new Map<string, Conversation>();

  /** The conversation between these ends, made when there is none. */
  open(ends: ConversationEnds): Conversation {
    const key = conversationKey(ends);
    let found = this.#byKey.get(key);
    if (found === undefined) {
      found = { ...ends, bytes: 0, replyBytes: 0, opened: 0 };
      this.#byKey.set(key, found);
    }
    return found;
  }

  get(key: string): Conversation | undefined {
    return this.#byKey.get(key);
  }

  get size(): number {
    return this.#byKey.size;
  }

  [Symbol.iterator](): IterableIterator<[string, Conversation]> {
    return this.#byKey[Symbol.iterator]();
  }
}

function conversationKey(ends: ConversationEnds): string {
  return `${ends.observer}: ${ends.client} ${ends.clientPort} -> ${ends.server} ${ends.serverPort} protocol ${ends.protocol}`;
}

/** One line per difference, empty when both tell the same. */
export function differences(captured: ConversationTable, told: ConversationTable): string[] {
  const lines: string[] = [];
  for (const [key, conversation] of captured) {
    const other = told.get(key);
    if (other === undefined) {
      lines.push(`${key}: captured with ${conversation.bytes} + ${conversation.replyBytes} bytes, never told`);
      continue;
    }
    if (other.bytes !== conversation.bytes || other.replyBytes !== conversation.replyBytes) {
      lines.push(
        `${key}: captured ${conversation.bytes} + ${conversation.replyBytes} bytes, told ${other.bytes} + ${other.replyBytes}`,
      );
    }
    if (other.opened !== conversation.opened) {
      lines.push(`${key}: opened ${conversation.opened} times, told ${other.opened} times`);
    }
  }
  for (const [key, conversation] of told) {
    if (captured.get(key) === undefined) {
      lines.push(`${key}: told with ${conversation.bytes} + ${conversation.replyBytes} bytes, never captured`);
    }
  }
  return lines;
}

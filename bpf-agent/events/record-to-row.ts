import { REPLY } from '#core/flow/direction.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import type { DecisionTable } from '../policy/decision-table.ts';
import type { EndpointTable } from './endpoint-table.ts';
import type { KernelClock } from './kernel-clock.ts';
import { RECORD, type RingView } from './ring-record.ts';

/** Writes ring records into a window, field by field: no object per record. */
export class RecordToRow {
  readonly #window: FlowWindow;
  readonly #node: number;
  readonly #endpoints: EndpointTable;
  readonly #clock: KernelClock;
  readonly #decisions: DecisionTable | undefined;

  /**
   * @param node the window's number of this node boot
   * @param decisions makes the policy column; without it flows tell none
   */
  constructor(
    window: FlowWindow,
    node: number,
    endpoints: EndpointTable,
    clock: KernelClock,
    decisions?: DecisionTable,
  ) {
    this.#window = window;
    this.#node = node;
    this.#endpoints = endpoints;
    this.#clock = clock;
    this.#decisions = decisions;
  }

  /** Appends the record at byte offset `at`. Its sequence is its position in the window plus one. */
  append({ u8, u16, u32 }: RingView, at: number): void {
    const word = at >>> 2;
    const half = at >>> 1;
    const sourceIdentity = u32[word + RECORD.sourceIdentity / 4]!;
    const destinationIdentity = u32[word + RECORD.destinationIdentity / 4]!;
    const source = this.#endpoints.number(u32, word + RECORD.sourceAddress / 4, sourceIdentity);
    // The second look-up may start the table afresh, and with it let go of the first one's endpoint.
    const endpoints = this.#window.endpoints;
    endpoints.retain(source);
    const destination = this.#endpoints.number(u32, word + RECORD.destinationAddress / 4, destinationIdentity);
    endpoints.retain(destination);

    const { columns } = this.#window;
    const slot = this.#window.claim();
    const clock = this.#clock;
    clock.convert(u32[word + RECORD.time / 4]!, u32[word + RECORD.time / 4 + 1]!);
    columns.sequence[slot] = this.#window.end + 1;
    columns.timeSeconds[slot] = clock.seconds;
    columns.timeNanos[slot] = clock.nanos;
    columns.node[slot] = this.#node;
    columns.source[slot] = source;
    columns.destination[slot] = destination;
    columns.sourcePort[slot] = u16[half + RECORD.sourcePort / 2]!;
    columns.destinationPort[slot] = u16[half + RECORD.destinationPort / 2]!;
    columns.protocol[slot] = u8[at + RECORD.protocol]!;
    const trigger = u8[at + RECORD.trigger]!;
    columns.verdict[slot] =
      u8[at + RECORD.verdict]! || (trigger === TRIGGER.DROP ? VERDICT.DROPPED : VERDICT.FORWARDED);
    columns.dropReason[slot] = u8[at + RECORD.dropReason]!;
    columns.observation[slot] = u8[at + RECORD.observation]!;
    columns.trigger[slot] = trigger;
    columns.direction[slot] = u8[at + RECORD.direction]!;
    columns.reply[slot] = u8[at + RECORD.reply]!;
    columns.tcpFlags[slot] = u8[at + RECORD.tcpFlags]!;
    columns.packetsOriginal[slot] = u32[word + RECORD.packetsOriginal / 4]!;
    columns.packetsReply[slot] = u32[word + RECORD.packetsReply / 4]!;
    columns.bytesOriginal[slot] = u32[word + RECORD.bytesOriginal / 4]!;
    columns.bytesReply[slot] = u32[word + RECORD.bytesReply / 4]!;
    columns.rttMicros[slot] = u32[word + RECORD.rttMicros / 4]!;
    columns.retransmits[slot] = Math.min(u32[word + RECORD.retransmits / 4]!, 0xffff);
    const rule = u32[word + RECORD.ruleId / 4]!;
    const auditRule = u32[word + RECORD.auditRuleId / 4]!;
    columns.policy[slot] =
      (rule === 0 && auditRule === 0) || this.#decisions === undefined
        ? 0
        : this.#decisions.number(
            rule,
            auditRule,
            columns.direction[slot]!,
            hitsOf(trigger, columns.reply[slot]!, columns.packetsOriginal[slot]!),
            columns.packetsOriginal[slot]! + columns.packetsReply[slot]!,
            columns.timeSeconds[slot]!,
          );
    this.#window.commit(slot);
    endpoints.release(source);
    endpoints.release(destination);
  }
}

/** What a record counts as in a rule's account: a connection that opened, or packets that were denied. */
function hitsOf(trigger: number, reply: number, packets: number): number {
  if (trigger === TRIGGER.DROP) return packets;
  return trigger === TRIGGER.FIRST_PACKET && reply !== REPLY.REPLY ? 1 : 0;
}

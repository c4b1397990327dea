import { isOutside } from '#core/card/card-name.ts';
import { REPLY } from '#core/flow/direction.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { seenAtDestination } from '#core/flow/observation.ts';
import { writeSocketCookie } from '#core/flow/translation.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import type { NamedNumbers } from '../dns/named-numbers.ts';
import type { DecisionTable } from '../policy/decision-table.ts';
import { ProgramNumbers } from '../services/program-numbers.ts';
import type { ServiceNumbers } from '../services/service-numbers.ts';
import type { EndpointTable } from './endpoint-table.ts';
import type { KernelClock } from './kernel-clock.ts';
import { RECORD, type RingView, TRANSLATION_RECORD } from './ring-record.ts';

/** Writes ring records into a window, field by field: no object per record. */
export class RecordToRow {
  readonly #window: FlowWindow;
  readonly #node: number;
  readonly #endpoints: EndpointTable;
  readonly #clock: KernelClock;
  readonly #decisions: DecisionTable | undefined;
  readonly #services: Pick<ServiceNumbers, 'number' | 'count'> | undefined;
  readonly #names: NamedNumbers | undefined;
  readonly #programs: ProgramNumbers;

  /**
   * @param node the window's number of this node boot
   * @param decisions makes the policy column; without it flows tell none
   * @param services names the Service a backend was reached through, likewise
   * @param names names addresses outside the cluster, likewise
   */
  constructor(
    window: FlowWindow,
    node: number,
    endpoints: EndpointTable,
    clock: KernelClock,
    decisions?: DecisionTable,
    services?: Pick<ServiceNumbers, 'number' | 'count'>,
    names?: NamedNumbers,
  ) {
    this.#window = window;
    this.#node = node;
    this.#endpoints = endpoints;
    this.#clock = clock;
    this.#decisions = decisions;
    this.#services = services;
    this.#names = names;
    this.#programs = new ProgramNumbers(window.endpoints);
  }

  /**
   * Appends `count` records, the first at byte offset `at`, each `step` bytes after the one before. A row's sequence is its
   * position in the window plus one.
   */
  append({ u8, u16, u32 }: RingView, at: number, step: number, count: number): void {
    const window = this.#window;
    const table = this.#endpoints;
    const clock = this.#clock;
    const node = this.#node;
    const decisions = this.#decisions;
    const names = this.#names?.any === true ? this.#names : undefined;
    // Taken out of their objects once: a row writes each column.
    const {
      sequence,
      timeSeconds,
      timeNanos,
      node: nodes,
      source: sources,
      destination: destinations,
      sourcePort,
      destinationPort,
      protocol,
      verdict,
      dropReason,
      observation,
      trigger: triggers,
      direction,
      reply,
      tcpFlags,
      packetsOriginal,
      packetsReply,
      bytesOriginal,
      bytesReply,
      rttMicros,
      retransmits,
      policy,
    } = window.columns;
    for (const end = at + count * step; at < end; at += step) {
      const word = at >>> 2;
      const half = at >>> 1;
      const sourceAt = word + RECORD.sourceAddress / 4;
      const sourceIdentity = u32[word + RECORD.sourceIdentity / 4]!;
      const afresh = table.timesCleared;
      let source = table.number(u32, sourceAt, sourceIdentity);
      const destinationIdentity = u32[word + RECORD.destinationIdentity / 4]!;
      let destination = table.number(u32, word + RECORD.destinationAddress / 4, destinationIdentity);
      // The second look-up may have started the table afresh, and with it let go of the first one's endpoint.
      if (table.timesCleared !== afresh) source = table.number(u32, sourceAt, sourceIdentity);
      const service = u32[word + RECORD.serviceId / 4]!;
      const trigger = u8[at + RECORD.trigger]!;
      const isTranslation = trigger === TRIGGER.TRANSLATION;
      const backwards = isTranslation
        ? seenAtDestination(u8[at + RECORD.observation]!)
        : u8[at + RECORD.reply] === REPLY.REPLY;
      // Where there was no backend, the destination is the Service itself, and says so.
      if (service !== 0 && this.#services !== undefined) {
        if (backwards) source = this.#services.number(service, source, table.timesCleared);
        else {
          destination = this.#services.number(service, destination, table.timesCleared);
          if (trigger === TRIGGER.FIRST_PACKET) this.#services.count(service, destination);
        }
      }
      if (names !== undefined) {
        if (isOutside({ identity: destinationIdentity }))
          destination = names.number(destination, source, table.timesCleared);
        else if (isOutside({ identity: sourceIdentity }))
          source = names.number(source, destination, table.timesCleared);
      }

      if (isTranslation) {
        const low = u32[word + TRANSLATION_RECORD.cgroupLow / 4]!;
        const high = u32[word + TRANSLATION_RECORD.cgroupHigh / 4]!;
        if (backwards) destination = this.#programs.number(destination, low, high, table.timesCleared);
        else source = this.#programs.number(source, low, high, table.timesCleared);
      }

      const slot = window.claim();
      clock.convert(u32[word + RECORD.time / 4]!, u32[word + RECORD.time / 4 + 1]!);
      sequence[slot] = window.end + 1;
      timeSeconds[slot] = clock.seconds;
      timeNanos[slot] = clock.nanos;
      nodes[slot] = node;
      sources[slot] = source;
      destinations[slot] = destination;
      sourcePort[slot] = u16[half + RECORD.sourcePort / 2]!;
      destinationPort[slot] = u16[half + RECORD.destinationPort / 2]!;
      protocol[slot] = u8[at + RECORD.protocol]!;
      verdict[slot] = u8[at + RECORD.verdict]! || (trigger === TRIGGER.DROP ? VERDICT.DROPPED : VERDICT.FORWARDED);
      dropReason[slot] = u8[at + RECORD.dropReason]!;
      observation[slot] = u8[at + RECORD.observation]!;
      triggers[slot] = trigger;
      direction[slot] = u8[at + RECORD.direction]!;
      reply[slot] = u8[at + RECORD.reply]!;
      tcpFlags[slot] = u8[at + RECORD.tcpFlags]!;
      if (isTranslation) {
        packetsOriginal[slot] = 0;
        packetsReply[slot] = 0;
        bytesOriginal[slot] = 0;
        bytesReply[slot] = 0;
        const high = u32[word + TRANSLATION_RECORD.socketHigh / 4]!;
        writeSocketCookie(window.columns, slot, u32[word + TRANSLATION_RECORD.socketLow / 4]!, high);
      } else {
        packetsOriginal[slot] = u32[word + RECORD.packetsOriginal / 4]!;
        packetsReply[slot] = u32[word + RECORD.packetsReply / 4]!;
        bytesOriginal[slot] = u32[word + RECORD.bytesOriginal / 4]!;
        bytesReply[slot] = u32[word + RECORD.bytesReply / 4]!;
        rttMicros[slot] = u32[word + RECORD.rttMicros / 4]!;
        retransmits[slot] = Math.min(u32[word + RECORD.retransmits / 4]!, 0xff);
      }
      const rule = u32[word + RECORD.ruleId / 4]!;
      const auditRule = u32[word + RECORD.auditRuleId / 4]!;
      policy[slot] =
        (rule === 0 && auditRule === 0) || decisions === undefined
          ? 0
          : decisions.number(
              rule,
              auditRule,
              direction[slot]!,
              hitsOf(trigger, reply[slot]!, packetsOriginal[slot]!),
              packetsOriginal[slot]! + packetsReply[slot]!,
              timeSeconds[slot]!,
            );
      window.commit(slot);
    }
  }
}

/** What a record counts as in a rule's account: a connection that opened, or packets that were denied. */
function hitsOf(trigger: number, reply: number, packets: number): number {
  if (trigger === TRIGGER.DROP) return packets;
  return trigger === TRIGGER.FIRST_PACKET && reply !== REPLY.REPLY ? 1 : 0;
}

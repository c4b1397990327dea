/** A datapath fed with packets through BPF_PROG_TEST_RUN: no interface, real kernel, real maps, real ring. */
import ipaddr from 'ipaddr.js';

import { RECORD, type RingView, recordTime } from '../events/ring-record.ts';
import { type Datapath, type DatapathOptions, openDatapath } from '../loader/datapath.ts';
import { type PacketRun, type RunResult, runPacket } from '../loader/prog-test-run.ts';

export const LOOPBACK = 1;

/** A ring record as an object: for tests only. */
export interface StoryRecord {
  readonly time: number;
  readonly source: string;
  readonly destination: string;
  readonly sourceIdentity: number;
  readonly destinationIdentity: number;
  readonly interfaceIndex: number;
  readonly endpointId: number;
  readonly protocol: number;
  readonly tcpFlags: number;
  readonly observation: number;
  readonly trigger: number;
  readonly direction: number;
  readonly reply: number;
  readonly verdict: number;
  readonly dropReason: number;
  readonly ipv6: number;
  readonly packets: readonly [original: number, reply: number];
  readonly bytes: readonly [original: number, reply: number];
  readonly rttMicros: number;
  readonly retransmits: number;
  readonly ruleId: number;
  readonly auditRuleId: number;
  readonly policyRevision: number;
}

export class PacketStory {
  readonly datapath: Datapath;

  constructor(options: DatapathOptions = {}) {
    this.datapath = openDatapath({ connections: 4096, ringBytes: 1 << 20, ...options });
  }

  /** The pod sends the frame. Returns what the program returned. */
  sent(packet: Uint8Array, run: Partial<PacketRun> = {}): RunResult {
    return runPacket(this.datapath.programFd('from_endpoint'), { ...run, packet });
  }

  /** The pod receives the frame. */
  received(packet: Uint8Array, run: Partial<PacketRun> = {}): RunResult {
    return runPacket(this.datapath.programFd('to_endpoint'), { ...run, packet });
  }

  /** Everything told since the last call. */
  records(): StoryRecord[] {
    const records: StoryRecord[] = [];
    this.datapath.ring.drain((view, at) => records.push(toStoryRecord(view, at)));
    return records;
  }

  close(): void {
    this.datapath.close();
  }
}

/** Sums of a connection's records: what they say passed in each direction. */
export function totals(records: readonly StoryRecord[]) {
  const sum = { packets: [0, 0], bytes: [0, 0] };
  for (const record of records) {
    for (const way of [0, 1]) {
      sum.packets[way]! += record.packets[way]!;
      sum.bytes[way]! += record.bytes[way]!;
    }
  }
  return sum;
}

export function toStoryRecord(view: RingView, at: number): StoryRecord {
  const byte = (field: number) => view.u8[at + field]!;
  const word = (field: number) => view.u32[(at + field) >>> 2]!;
  const end = (addressField: number, portField: number) => {
    const bytes = [...view.u8.subarray(at + addressField, at + addressField + 16)];
    return `${ipaddr.process(ipaddr.fromByteArray(bytes).toString())} ${view.u16[(at + portField) >>> 1]}`;
  };
  return {
    time: recordTime(view, at),
    source: end(RECORD.sourceAddress, RECORD.sourcePort),
    destination: end(RECORD.destinationAddress, RECORD.destinationPort),
    sourceIdentity: word(RECORD.sourceIdentity),
    destinationIdentity: word(RECORD.destinationIdentity),
    interfaceIndex: word(RECORD.interfaceIndex),
    endpointId: word(RECORD.endpointId),
    protocol: byte(RECORD.protocol),
    tcpFlags: byte(RECORD.tcpFlags),
    observation: byte(RECORD.observation),
    trigger: byte(RECORD.trigger),
    direction: byte(RECORD.direction),
    reply: byte(RECORD.reply),
    verdict: byte(RECORD.verdict),
    dropReason: byte(RECORD.dropReason),
    ipv6: byte(RECORD.ipv6),
    packets: [word(RECORD.packetsOriginal), word(RECORD.packetsReply)],
    bytes: [word(RECORD.bytesOriginal), word(RECORD.bytesReply)],
    rttMicros: word(RECORD.rttMicros),
    retransmits: word(RECORD.retransmits),
    ruleId: word(RECORD.ruleId),
    auditRuleId: word(RECORD.auditRuleId),
    policyRevision: word(RECORD.policyRevision),
  };
}

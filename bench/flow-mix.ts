import { allocateColumns } from '#core/flow/columns.ts';
import { DIRECTION } from '#core/flow/direction.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { OBSERVATION } from '#core/flow/observation.ts';
import { PROTOCOL } from '#core/flow/protocol.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { MIX_CLUSTER, type MixCluster, mixCluster, nodeName, podEndpoint, worldEndpoint } from './mix-cluster.ts';
import { Random } from './random.ts';

export interface MixOptions {
  readonly cluster: MixCluster;
  /** The node whose agent is imitated. */
  readonly node: number;
  readonly flowsPerSecond: number;
  readonly seed: number;
  /** Workloads that each one calls; without it, 8. */
  readonly callees?: number;
  /** Wall clock of the first flow, in seconds since 1970. */
  readonly startSeconds: number;
}

interface Step {
  readonly connection: Connection;
  readonly trigger: number;
  readonly reply: 0 | 1;
  readonly tcpFlags: number;
  readonly packets: readonly [number, number];
  readonly bytes: readonly [number, number];
  readonly rtt: number;
}

interface Connection {
  /** Of who opened it, and of who answers. */
  readonly client: number;
  readonly server: number;
  readonly clientPort: number;
  readonly serverPort: number;
  readonly protocol: number;
  readonly egress: boolean;
  /** Endpoint to let go when the connection is over; 0 = none. */
  readonly visitor: number;
}

const TICKS = 16_384;
const SYN = 0x02;
const SYN_ACK = 0x12;
const FIN_ACK = 0x19;
const ACK_PSH = 0x18;
const SERVER_PORTS = [8080, 80, 443, 9090, 5432, 6379, 3306, 50051];

/** Callees of a workload are that far apart. */
const STRIDE = 17;
/** By count of workloads: by first callee, who calls it. */
const callers = new Map<number, Int32Array>();

/** Each workload is called by as many as it calls, if their count is no multiple of 31. */
function calleeOf(workload: number, which: number, workloads: number): number {
  return (workload * 31 + which * STRIDE + 1) % workloads;
}

/**
 * Rows as a node's agent makes them, for measurements that need more flows than a machine can carry: 55 % short HTTP
 * connections, 20 % DNS lookups, 20 % kept-alive connections telling their interval, 5 % from and to the world. Each is
 * told in the steps the datapath tells it in, interleaved in time. Both ends of a connection within the node are told.
 */
export class FlowMix {
  readonly #window: FlowWindow;
  readonly #options: MixOptions;
  readonly #random: Random;
  readonly #row = allocateColumns(1);
  readonly #own: number[] = [];
  readonly #pods: number[];
  readonly #node: number;
  readonly #callees: number;
  /** Steps due by millisecond, a ring of TICKS of them. */
  readonly #due: Step[][] = Array.from({ length: TICKS }, () => []);
  #tick = 0;
  #at = 0;
  #sequence = 0;
  #backlog = 0;

  constructor(window: FlowWindow, options: MixOptions) {
    this.#window = window;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#callees = options.callees ?? 8;
    this.#node = window.nodeNumber({
      cluster: MIX_CLUSTER,
      node: nodeName(options.node),
      bootId: (BigInt(options.seed) * 0x9e3779b97f4a7c15n) & 0xffff_ffff_ffff_ffffn,
    });
    this.#pods = options.cluster.pods.map((pod, index) => {
      const number = window.endpoints.intern(podEndpoint(pod, options.node));
      // The cluster holds its pods, whether or not a row does just now.
      window.endpoints.retain(number);
      if (pod.node === options.node) this.#own.push(index);
      return number;
    });
  }

  /** Appends that many rows to the window. */
  push(count: number): void {
    for (let left = count; left > 0; left--) {
      while (this.#at >= this.#due[this.#tick % TICKS].length) this.#nextTick();
      this.#write(this.#due[this.#tick % TICKS][this.#at++]);
    }
  }

  #nextTick(): void {
    this.#due[this.#tick % TICKS].length = 0;
    this.#tick++;
    this.#at = 0;
    // About four rows to a connection.
    this.#backlog += this.#random.gap(this.#options.flowsPerSecond / 1000 / 4);
    for (; this.#backlog >= 1; this.#backlog--) this.#open();
  }

  #open(): void {
    const random = this.#random;
    const { cluster } = this.#options;
    const kind = random.next();
    const own = this.#own[random.below(this.#own.length)];
    const egress = random.next() < 0.5;
    const { workload } = cluster.pods[own];
    const which = random.popular(this.#callees);
    const partner = this.#podOf(
      egress ? calleeOf(workload, which, cluster.workloads) : this.#callerOf(workload, which),
    );
    const visitor = kind >= 0.95 ? this.#window.endpoints.intern(worldEndpoint(random.popular(60_000))) : 0;
    if (visitor !== 0) this.#window.endpoints.retain(visitor);
    const near = this.#pods[own];
    const far = visitor !== 0 ? visitor : this.#pods[partner];
    const dns = kind >= 0.55 && kind < 0.75;
    const server = egress ? partner : own;
    const connection: Connection = {
      client: egress ? near : far,
      server: egress ? far : near,
      clientPort: 32_768 + random.below(28_232),
      serverPort: dns ? 53 : SERVER_PORTS[cluster.pods[server].workload % SERVER_PORTS.length],
      protocol: dns ? PROTOCOL.UDP : PROTOCOL.TCP,
      egress,
      visitor,
    };
    this.#script(connection, kind);
    const local = visitor === 0 && cluster.pods[partner].node === this.#options.node;
    if (local) this.#script({ ...connection, egress: !egress }, kind);
  }

  #podOf(workload: number): number {
    const { workloads, pods } = this.#options.cluster;
    const replicas = Math.floor((pods.length - 1 - workload) / workloads) + 1;
    return workload + workloads * this.#random.below(replicas);
  }

  /** The workload of which this one is the callee of that number. */
  #callerOf(workload: number, which: number): number {
    const { workloads } = this.#options.cluster;
    let caller = callers.get(workloads);
    if (caller === undefined) {
      caller = new Int32Array(workloads);
      for (let each = 0; each < workloads; each++) caller[calleeOf(each, 0, workloads)] = each;
      callers.set(workloads, caller);
    }
    const first = (workload - which * STRIDE) % workloads;
    return caller[first < 0 ? first + workloads : first];
  }

  #script(connection: Connection, kind: number): void {
    const random = this.#random;
    const rtt = 40 + random.size(120);
    const later = 1 + random.size(4);
    const idle = { tcpFlags: 0, rtt: 0 };
    if (connection.protocol === PROTOCOL.UDP) {
      const step = { connection, ...idle, trigger: TRIGGER.FIRST_PACKET };
      this.#plan(0, { ...step, reply: 0, packets: [1, 0], bytes: [60 + random.below(40), 0] });
      this.#plan(1, { ...step, reply: 1, packets: [0, 1], bytes: [0, 90 + random.below(160)] });
      return;
    }
    if (kind >= 0.75 && kind < 0.95) {
      const packets: [number, number] = [random.size(20), random.size(20)];
      const bytes: [number, number] = [packets[0] * random.size(300), packets[1] * random.size(900)];
      const step = { connection, trigger: TRIGGER.INTERVAL, tcpFlags: ACK_PSH, rtt, reply: 0 as const };
      // The rest of its four rows, at intervals of 5 s.
      for (let interval = 0; interval < 3; interval++) this.#plan(1 + interval * 5000, { ...step, packets, bytes });
      return;
    }
    const first = { connection, trigger: TRIGGER.FIRST_PACKET };
    this.#plan(0, { ...first, reply: 0, tcpFlags: SYN, packets: [1, 0], bytes: [60, 0], rtt: 0 });
    this.#plan(0, { ...first, reply: 1, tcpFlags: SYN_ACK, packets: [0, 1], bytes: [0, 60], rtt: 0 });
    const answer = random.size(1800, 1.5);
    this.#plan(later, {
      connection,
      trigger: TRIGGER.FLAG_CHANGE,
      reply: 0,
      tcpFlags: FIN_ACK,
      packets: [3 + random.below(3), 1 + Math.ceil(answer / 1400)],
      bytes: [156 + random.size(420), 104 + answer],
      rtt,
    });
    const end = { connection, trigger: TRIGGER.CLOSE, reply: 0 as const, tcpFlags: 0x10 };
    this.#plan(later + 1, { ...end, packets: [1, 1], bytes: [52, 52], rtt });
  }

  #plan(afterMilliseconds: number, step: Step): void {
    this.#due[(this.#tick + 1 + Math.min(afterMilliseconds, TICKS - 2)) % TICKS].push(step);
  }

  #write(step: Step): void {
    const { connection } = step;
    const row = this.#row;
    const outgoing = connection.egress !== (step.reply === 1);
    const rows = this.#due[this.#tick % TICKS].length;
    const nanos = this.#tick * 1e6 + Math.floor(((this.#at - 1 + this.#random.next()) * 1e6) / rows);
    row.sequence[0] = ++this.#sequence;
    row.timeSeconds[0] = this.#options.startSeconds + Math.floor(nanos / 1e9);
    row.timeNanos[0] = nanos % 1e9;
    row.node[0] = this.#node;
    row.source[0] = step.reply === 1 ? connection.server : connection.client;
    row.destination[0] = step.reply === 1 ? connection.client : connection.server;
    row.sourcePort[0] = step.reply === 1 ? connection.serverPort : connection.clientPort;
    row.destinationPort[0] = step.reply === 1 ? connection.clientPort : connection.serverPort;
    row.protocol[0] = connection.protocol;
    row.verdict[0] = VERDICT.FORWARDED;
    row.observation[0] = outgoing ? OBSERVATION.TO_STACK : OBSERVATION.TO_ENDPOINT;
    row.trigger[0] = step.trigger;
    row.direction[0] = connection.egress ? DIRECTION.EGRESS : DIRECTION.INGRESS;
    row.reply[0] = step.reply;
    row.tcpFlags[0] = step.tcpFlags;
    row.packetsOriginal[0] = step.packets[0];
    row.packetsReply[0] = step.packets[1];
    row.bytesOriginal[0] = step.bytes[0];
    row.bytesReply[0] = step.bytes[1];
    row.rttMicros[0] = step.rtt;
    this.#window.push(row, 0);
    if (step.trigger === TRIGGER.CLOSE && connection.visitor !== 0) {
      this.#window.endpoints.release(connection.visitor);
    }
  }
}

/** A full window of one node's flows, always the same. */
export function mixedWindow(rows: number): FlowWindow {
  const window = new FlowWindow(rows);
  const options = { cluster: mixCluster(20, 50), node: 3, flowsPerSecond: 5_000, seed: 3, startSeconds: 1_790_000_000 };
  new FlowMix(window, options).push(rows);
  return window;
}

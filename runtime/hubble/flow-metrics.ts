import { memoised } from '#core/filter/endpoint-predicate.ts';
import type { FlowColumns } from '#core/flow/columns.ts';
import { directions, REPLY } from '#core/flow/direction.ts';
import { DROP_REASON, dropReasons } from '#core/flow/drop-reason.ts';
import type { FlowWindow } from '#core/flow/flow-window.ts';
import { icmpText } from '#core/flow/icmp.ts';
import { OBSERVATION, observations } from '#core/flow/observation.ts';
import { hasPorts, isIcmp, PROTOCOL, protocols } from '#core/flow/protocol.ts';
import { TCP_FLAG, type TcpFlagName } from '#core/flow/tcp-flags.ts';
import { isTranslation } from '#core/flow/translation.ts';
import { VERDICT, verdicts } from '#core/flow/verdict.ts';
import { isWorld } from '#core/identity/reserved.ts';
import { Counter, type Registry } from '../metrics.ts';
import { CONTEXT_LABELS, DEFAULT_SERIES, EndContexts } from './metric-context.ts';

export interface FlowMetricsOptions {
  /** Labels beside a family's own: some of CONTEXT_LABELS. */
  readonly context: readonly string[];
  /** Series of one family, at most; what comes beyond is counted by `waggle_metrics_overflow_total`. */
  readonly series: number;
}

const DEFAULT_METRICS: FlowMetricsOptions = { context: [], series: DEFAULT_SERIES };

/** A label of each family of its own, and what a row gives it. */
interface Family {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Keys of the series that a row counts in, by `tell`; numbers below 2^26. */
  keys(columns: FlowColumns, row: number, tell: (key: number) => void): void;
  /** The labels' values of such a key. */
  values(key: number): readonly string[];
}

/** A flow's counts by Hubble's metric families, kept by numbers and named when they are scraped. */
export class FlowMetrics {
  readonly #window: FlowWindow;
  readonly #context: readonly string[];
  readonly #series: number;
  readonly #sources: EndContexts;
  readonly #destinations: EndContexts;
  readonly #withDirection: boolean;
  readonly #otherOverflows = new Map<string, () => number>();
  readonly #families: { family: Family; counts: Map<string | number, Series>; overflow: number }[];

  constructor(registry: Registry, window: FlowWindow, { context, series }: FlowMetricsOptions = DEFAULT_METRICS) {
    const unknown = context.find((label) => !CONTEXT_LABELS.includes(label));
    if (unknown !== undefined) throw new RangeError(`${unknown} is no context label`);
    this.#window = window;
    this.#context = CONTEXT_LABELS.filter((label) => context.includes(label));
    this.#series = series;
    this.#sources = new EndContexts(this.#context, 'source', window.endpoints);
    this.#destinations = new EndContexts(this.#context, 'destination', window.endpoints);
    this.#withDirection = this.#context.includes('traffic_direction');
    this.#families = families(window).map((family) => ({ family, counts: new Map(), overflow: 0 }));
    for (const held of this.#families) this.#register(registry, held);
    const held = this.#families;
    const others = this.#otherOverflows;
    new Counter({
      name: 'waggle_metrics_overflow_total',
      help: 'Flows that found no room among the series of a family.',
      labelNames: ['family'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { family, overflow } of held) this.inc({ family: family.name }, overflow);
        for (const [family, overflow] of others) this.inc({ family }, overflow());
      },
    });
  }

  /** Tells of a family that somebody else counts how much found no room in it. */
  tellOverflow(family: string, overflow: () => number): void {
    this.#otherOverflows.set(family, overflow);
  }

  /** Counts the window's rows at positions [from, to). */
  count(from: number, to: number): void {
    const { columns } = this.#window;
    for (let position = Math.max(from, this.#window.start); position < to; position++) {
      const row = this.#window.slot(position);
      const source = this.#sources.of(columns.source[row]);
      const destination = this.#destinations.of(columns.destination[row]);
      const direction = this.#withDirection ? columns.direction[row] & 3 : 0;
      const context = (source * 65_536 + destination) * 4 + direction;
      for (const held of this.#families) {
        held.family.keys(columns, row, (key) => {
          // Both in one number as long as they fit; contexts are few as a rule.
          const id = context < 0x400_0000 ? context * 0x400_0000 + key : `${context}/${key}`;
          const series = held.counts.get(id);
          if (series !== undefined) series.count++;
          else if (held.counts.size < this.#series)
            held.counts.set(id, { key, source, destination, direction, count: 1 });
          else held.overflow++;
        });
      }
    }
  }

  /** Lets go of the series that name one of these pods (`namespace/name`). */
  forget(pods: ReadonlySet<string>): void {
    for (const { counts } of this.#families) {
      for (const [id, { source, destination }] of counts) {
        if (this.#sources.names(source, pods) || this.#destinations.names(destination, pods)) counts.delete(id);
      }
    }
    this.#sources.forget(pods);
    this.#destinations.forget(pods);
  }

  #register(registry: Registry, held: { family: Family; counts: Map<string | number, Series> }): void {
    const { family, counts } = held;
    const context = this.#context;
    const values = (series: Series) => this.#values(series);
    new Counter({
      name: family.name,
      help: family.help,
      labelNames: [...family.labels, ...context],
      registers: [registry],
      collect() {
        this.reset();
        for (const series of counts.values()) {
          const all = [...family.values(series.key), ...values(series)];
          this.inc(
            Object.fromEntries([...family.labels, ...context].map((label, index) => [label, all[index]])),
            series.count,
          );
        }
      },
    });
  }

  /** In the order of the context's labels: those of the source, of the destination, then the direction. */
  #values({ source, destination, direction }: Series): string[] {
    return [
      ...this.#sources.values(source),
      ...this.#destinations.values(destination),
      ...(this.#withDirection ? [directions.name(direction).toLowerCase()] : []),
    ];
  }
}

interface Series {
  readonly key: number;
  readonly source: number;
  readonly destination: number;
  readonly direction: number;
  count: number;
}

function families(window: FlowWindow): Family[] {
  const world = memoised(window.endpoints, ({ identity }) => isWorld(identity));
  const v6 = memoised(window.endpoints, ({ address }) => address.includes(':'));
  const family = (bit: number) => (bit === 1 ? 'IPv6' : 'IPv4');
  const flags = Object.keys(TCP_FLAG).filter((flag) => ['SYN', 'FIN', 'RST'].includes(flag)) as TcpFlagName[];
  return [
    {
      name: 'hubble_flows_processed_total',
      help: 'Flows observed, by kind of event, where they were seen, and verdict.',
      labels: ['type', 'subtype', 'verdict', 'protocol'],
      keys: ({ verdict, observation, protocol }, row, tell) => {
        const sub = verdict[row] === VERDICT.DROPPED ? 0 : observation[row];
        tell(((verdict[row] & 7) << 16) | (sub << 8) | protocol[row]);
      },
      values: (key) => {
        const verdict = key >> 16;
        const sub = (key >> 8) & 0xff;
        const dropped = verdict === VERDICT.DROPPED;
        const subtype = dropped
          ? ''
          : observations
              .name(sub === 0 ? OBSERVATION.UNKNOWN : sub)
              .toLowerCase()
              .replaceAll('_', '-');
        return [
          dropped ? 'Drop' : isTranslation(sub) ? 'TraceSock' : 'Trace',
          subtype,
          verdicts.name(verdict),
          protocols.name(key & 0xff),
        ];
      },
    },
    {
      name: 'hubble_drop_total',
      help: 'Flows dropped, by reason.',
      labels: ['reason', 'protocol'],
      keys: ({ verdict, dropReason, protocol }, row, tell) => {
        if (verdict[row] === VERDICT.DROPPED) tell((dropReason[row] << 8) | protocol[row]);
      },
      values: (key) => [dropReasonName(key >> 8), protocols.name(key & 0xff)],
    },
    {
      name: 'hubble_flows_to_world_total',
      help: 'Flows to addresses outside the cluster, without replies, and of drops those that policies made.',
      labels: ['protocol', 'verdict'],
      keys: ({ destination, reply, verdict, dropReason, protocol, observation }, row, tell) => {
        if (isTranslation(observation[row]) || !world(destination[row])) return;
        const dropped = verdict[row] === VERDICT.DROPPED;
        if (dropped ? dropReason[row] !== DROP_REASON.POLICY_DENIED : reply[row] === REPLY.REPLY) return;
        tell((verdict[row] << 8) | protocol[row]);
      },
      values: (key) => [protocols.name(key & 0xff), verdicts.name(key >> 8)],
    },
    {
      name: 'hubble_icmp_total',
      help: 'ICMP messages, by what they say.',
      labels: ['family', 'type'],
      keys: ({ protocol, sourcePort, destinationPort }, row, tell) => {
        if (isIcmp(protocol[row])) {
          tell(
            (protocol[row] === PROTOCOL.ICMPv6 ? 0x1_0000 : 0) |
              ((sourcePort[row] & 0xff) << 8) |
              (destinationPort[row] & 0xff),
          );
        }
      },
      values: (key) => [
        family(key >> 16),
        icmpText(key >> 16 === 1 ? PROTOCOL.ICMPv6 : PROTOCOL.ICMPv4, (key >> 8) & 0xff, key & 0xff),
      ],
    },
    {
      name: 'hubble_port_distribution_total',
      help: 'Flows forwarded, by destination port, replies left out; 0 of protocols without ports.',
      labels: ['protocol', 'port'],
      keys: ({ protocol, destinationPort, reply, verdict }, row, tell) => {
        if (reply[row] !== REPLY.ORIGINAL || !passed(verdict[row]) || protocol[row] === 0) return;
        tell(protocol[row] * 65_536 + (hasPorts(protocol[row]) ? destinationPort[row] : 0));
      },
      values: (key) => [protocols.name(Math.floor(key / 65_536)), String(key & 0xffff)],
    },
    {
      name: 'hubble_tcp_flags_total',
      help: 'TCP segments forwarded that opened, closed or reset a connection, by flag; SYN-ACK are those that answer.',
      labels: ['flag', 'family'],
      keys: ({ protocol, tcpFlags, source, verdict }, row, tell) => {
        if (protocol[row] !== PROTOCOL.TCP || !passed(verdict[row])) return;
        const six = v6(source[row]) ? 1 : 0;
        const bits = tcpFlags[row];
        for (const [index, flag] of flags.entries()) {
          if ((bits & TCP_FLAG[flag]) === 0) continue;
          const answers = flag === 'SYN' && (bits & TCP_FLAG.ACK) !== 0;
          tell(((answers ? flags.length : index) << 1) | six);
        }
      },
      values: (key) => [flags[key >> 1] ?? 'SYN-ACK', family(key & 1)],
    },
  ];
}

function passed(verdict: number): boolean {
  return verdict === VERDICT.FORWARDED || verdict === VERDICT.REDIRECTED;
}

/** As Hubble's enum has it. */
function dropReasonName(reason: number): string {
  return reason === DROP_REASON.UNKNOWN ? 'DROP_REASON_UNKNOWN' : dropReasons.name(reason);
}

import { type Endpoint, type Flow, FlowType } from '#proto/gen/flow/flow_pb.ts';
import { VERDICT } from '../flow/verdict.ts';
import { terminalText } from './terminal-text.ts';

/** Pairs beyond it are counted together. */
const MOST_PAIRS = 10_000;

interface Talk {
  readonly client: string;
  readonly server: string;
  readonly port: string;
  flows: number;
  dropped: number;
}

/** Who talks to whom, by number of flows: what `--summary` prints. */
export class TopTalkers {
  readonly #talks = new Map<string, Talk>();
  #flows = 0;
  #dropped = 0;

  /** What is exchanged at a socket is no talk of its own: its packets are told, too. */
  add(flow: Flow): void {
    if (flow.Type === FlowType.SOCK) return;
    const dropped = flow.verdict === VERDICT.DROPPED ? 1 : 0;
    this.#flows++;
    this.#dropped += dropped;
    // The opener is the client, also in its replies.
    const reply = flow.isReply === true;
    const [client, server] = reply ? [flow.destination, flow.source] : [flow.source, flow.destination];
    const [from, to] = reply ? [flow.destinationNames, flow.sourceNames] : [flow.sourceNames, flow.destinationNames];
    const { source = '', destination = '' } = flow.IP ?? {};
    const talk = {
      client: nameOf(client, from, reply ? destination : source),
      server: nameOf(server, to, reply ? source : destination),
      port: portOf(flow, reply),
    };
    let key = `${talk.client} ${talk.server} ${talk.port}`;
    let known = this.#talks.get(key);
    if (known === undefined && this.#talks.size >= MOST_PAIRS) {
      key = 'others';
      known = this.#talks.get(key);
      Object.assign(talk, { client: '(others)', server: '', port: '' });
    }
    if (known === undefined) {
      known = { ...talk, flows: 0, dropped: 0 };
      this.#talks.set(key, known);
    }
    known.flows++;
    known.dropped += dropped;
  }

  /** The `count` pairs with most flows as a table, and the sum. */
  text(count = 20): string {
    const talks = [...this.#talks.values()].sort((a, b) => b.flows - a.flows || b.dropped - a.dropped);
    const rows = [
      ['CLIENT', 'SERVER', 'PORT', 'FLOWS', 'DROPPED'],
      ...talks
        .slice(0, count)
        .map(({ client, server, port, flows, dropped }) => [
          ...[client, server, port].map(terminalText),
          ...[flows, dropped].map(String),
        ]),
    ];
    const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
    const lines = rows.map((row) =>
      row
        .map((cell, column) => (column >= 3 ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
        .join('   ')
        .trimEnd(),
    );
    const more = talks.length > count ? ` ${talks.length - count} more pairs.` : '';
    return `${lines.join('\n')}\n${this.#flows} flows, ${this.#dropped} dropped.${more}\n`;
  }
}

function nameOf(endpoint: Endpoint | undefined, names: readonly string[], address: string): string {
  const [workload] = endpoint?.workloads ?? [];
  const name = workload?.name || endpoint?.podName;
  if (name) return endpoint?.namespace ? `${endpoint.namespace}/${name}` : name;
  return names[0] ?? address;
}

function portOf({ l4 }: Flow, reply: boolean): string {
  const protocol = l4?.protocol;
  if (protocol?.case !== 'TCP' && protocol?.case !== 'UDP' && protocol?.case !== 'SCTP') return protocol?.case ?? '';
  return `${reply ? protocol.value.sourcePort : protocol.value.destinationPort} ${protocol.case}`;
}

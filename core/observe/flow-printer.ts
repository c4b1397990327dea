import { toJson } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { AuthType, type Endpoint, type Flow, LostEventSource, type Policy } from '#proto/gen/flow/flow_pb.ts';
import { type GetFlowsResponse, GetFlowsResponseSchema } from '#proto/gen/observer/observer_pb.ts';
import { NodeState } from '#proto/gen/relay/relay_pb.ts';
import { verdicts } from '../flow/verdict.ts';
import { EVENT_TYPE } from '../hubble/event-type.ts';
import { isReserved, reservedIdentities } from '../identity/reserved.ts';
import { vocabulary } from '../vocabulary/vocabulary.ts';
import { flowType } from './flow-type.ts';
import { MeasuredTable } from './measured-table.ts';
import { terminalJson, terminalText } from './terminal-text.ts';
import { type TimeFormat, timeText } from './time-format.ts';

export const OUTPUTS = ['compact', 'dict', 'json', 'jsonpb', 'table'] as const;
export type Output = (typeof OUTPUTS)[number];

export interface PrinterOptions {
  readonly output: Output;
  readonly color: boolean;
  readonly nodeName: boolean;
  /** After drops and audits: which policies made them. */
  readonly policyNames: boolean;
  /** Addresses instead of names. */
  readonly numeric: boolean;
  /** Of texts; JSON has its own. Default StampMilli. */
  readonly timeFormat?: TimeFormat;
}

/** What goes to standard output, and what to standard error: node states are not flows. */
export interface Printed {
  readonly out: string;
  readonly err: string;
}

const COLORS = { red: 31, green: 32, yellow: 33, magenta: 35, cyan: 36 } as const;
const DICT_SEPARATOR = '------------';
/** Names of nodes are left out beyond so many letters. */
const MOST_LETTERS = 50;

const lossSources = vocabulary('loss source', LostEventSource);
const authTypes = vocabulary('authentication', AuthType);
const nodeStates = vocabulary('node state', NodeState);

/** Prints what an observer answers in the shapes of `hubble observe`. Holds the state of one output. */
export class FlowPrinter {
  readonly #options: PrinterOptions;
  readonly #table: MeasuredTable;
  #lines = 0;

  constructor(options: PrinterOptions) {
    this.#options = options;
    const node = options.nodeName ? ['NODE'] : [];
    this.#table = new MeasuredTable(['TIMESTAMP', ...node, 'SOURCE', 'DESTINATION', 'TYPE', 'VERDICT', 'SUMMARY']);
  }

  print(response: GetFlowsResponse): Printed {
    const { case: kind, value } = response.responseTypes;
    if (kind === 'flow') return { out: this.#flow(response, value), err: '' };
    if (kind === 'lostEvents') return { out: this.#lost(response), err: '' };
    if (kind === 'nodeStatus') return { out: '', err: this.#nodeStatus(response) };
    return { out: '', err: '' };
  }

  /** What is held back, rows of a table: called when nothing more comes, or not for a while. */
  flush(): string {
    return this.#table.flush();
  }

  #flow(response: GetFlowsResponse, flow: Flow): string {
    const { output, nodeName } = this.#options;
    if (output === 'json' || output === 'jsonpb') return json(response);
    const time = this.#time(flow.time);
    const [source, destination] = this.#ends(flow);
    const type = terminalText(flowType(flow));
    const verdict = this.#verdict(flow);
    const summary = this.#summary(flow);
    const node = terminalText(flow.nodeName);
    this.#lines++;
    if (output === 'table') {
      return this.#table.add([time, ...(nodeName ? [node] : []), source, destination, type, verdict, summary]);
    }
    if (output === 'dict') {
      return this.#dict([
        ['TIMESTAMP', time],
        ...(nodeName ? [['NODE', node] as const] : []),
        ['SOURCE', source],
        ['DESTINATION', destination],
        ['TYPE', type],
        ['VERDICT', verdict],
        ['SUMMARY', summary],
      ]);
    }
    const left = `${source} ${this.#identity(flow.source)}`;
    const right = `${destination} ${this.#identity(flow.destination)}`;
    // The opener stands first.
    const ends =
      flow.isReply === true ? `${right} <- ${left}` : `${left} ${flow.isReply === false ? '->' : '<>'} ${right}`;
    return `${time}${nodeName ? ` [${node}]` : ''}: ${ends} ${type} ${verdict} (${summary})\n`;
  }

  #lost(response: GetFlowsResponse): string {
    const { output, nodeName } = this.#options;
    if (response.responseTypes.case !== 'lostEvents') return '';
    if (output === 'json' || output === 'jsonpb') return json(response);
    const { source, numEventsLost, cpu, first, last } = response.responseTypes.value;
    const time = this.#time(response.time);
    const from = lossSources.name(source);
    const span = first && last ? ` (first: ${this.#time(first)}, last: ${this.#time(last)})` : '';
    const node = terminalText(response.nodeName) || '-';
    this.#lines++;
    if (output === 'table') {
      const summary = `CPU(${cpu ?? 0}) - ${numEventsLost}${span}`;
      return this.#table.add([time, ...(nodeName ? [node] : []), from, '-', 'EVENTS LOST', '-', summary]);
    }
    if (output === 'dict') {
      return this.#dict([
        ['TIMESTAMP', time],
        ...(nodeName ? [['NODE', node] as const] : []),
        ['SOURCE', from],
        ['TYPE', 'EVENTS LOST'],
        ['VERDICT', '-'],
        ['SUMMARY', `CPU(${cpu ?? 0}) - ${numEventsLost}${span}`],
      ]);
    }
    return `${time} EVENTS LOST: ${from} CPU(${cpu ?? 0}) ${numEventsLost}${span}\n`;
  }

  /** Only what keeps flows away: that nodes are there is no news. */
  #nodeStatus(response: GetFlowsResponse): string {
    if (response.responseTypes.case !== 'nodeStatus') return '';
    const { stateChange, nodeNames, message } = response.responseTypes.value;
    if (stateChange !== NodeState.NODE_UNAVAILABLE && stateChange !== NodeState.NODE_ERROR) return '';
    if (this.#options.output === 'json' || this.#options.output === 'jsonpb') return json(response);
    const names = terminalText(joined(nodeNames));
    if (this.#options.output === 'dict') {
      this.#lines++;
      return this.#dict([
        ['TIMESTAMP', this.#time(response.time)],
        ['STATE', nodeStates.name(stateChange)],
        ['NODES', names],
        ['MESSAGE', message === '' ? 'N/A' : terminalJson(JSON.stringify(message))],
      ]);
    }
    const what =
      stateChange === NodeState.NODE_ERROR
        ? `Error ${terminalJson(JSON.stringify(message))} on ${nodeNames.length} nodes: ${names}`
        : `${nodeNames.length} nodes are unavailable: ${names}`;
    return `${this.#time(response.time)} [${terminalText(response.nodeName)}]: ${what}\n`;
  }

  #ends(flow: Flow): [string, string] {
    if (flow.IP === undefined) {
      const { source = '', destination = '' } = flow.ethernet ?? {};
      return [this.#paint('cyan', terminalText(source)), this.#paint('cyan', terminalText(destination))];
    }
    const [from, to] = ports(flow);
    return [
      this.#end(flow.source, flow.sourceService, flow.sourceNames, flow.IP.source, from),
      this.#end(flow.destination, flow.destinationService, flow.destinationNames, flow.IP.destination, to),
    ];
  }

  /** Pod, else service, else DNS names, else the address; then the port. */
  #end(
    endpoint: Endpoint | undefined,
    service: { name: string; namespace: string } | undefined,
    names: readonly string[],
    address: string,
    port: number | undefined,
  ): string {
    let host = address;
    if (!this.#options.numeric) {
      if (endpoint !== undefined && endpoint.podName !== '') host = qualified(endpoint.namespace, endpoint.podName);
      else if (service !== undefined && service.name !== '') host = qualified(service.namespace, service.name);
      else if (names.length > 0) host = names.join(',');
    }
    host = terminalText(host);
    if (port === undefined || port === 0) return this.#paint('cyan', host);
    const bracketed = host.includes(':') ? `[${host}]` : host;
    return this.#paint('cyan', `${bracketed}:${this.#paint('yellow', String(port))}`);
  }

  #time(time: Timestamp | undefined): string {
    return time === undefined ? 'N/A' : timeText(time, this.#options.timeFormat ?? 'StampMilli');
  }

  #identity(endpoint: Endpoint | undefined): string {
    const identity = endpoint?.identity ?? 0;
    const name = identity === 0 || isReserved(identity) ? reservedIdentities.name(identity) : `ID:${identity}`;
    return this.#paint('magenta', `(${name})`);
  }

  /** What the flow says of itself, between the trace its packet was sent with and how its ends proved who they are. */
  #summary({ Summary, ipTraceId, authType }: Flow): string {
    const trace = ipTraceId !== undefined && ipTraceId.traceId > 0n ? `IP Trace ID: ${ipTraceId.traceId}; ` : '';
    const color = authType === AuthType.TEST_ALWAYS_FAIL ? 'red' : 'green';
    const proof = authType === AuthType.DISABLED ? '' : `; ${this.#paint(color, authTypes.name(authType))}`;
    return `${trace}${terminalText(Summary)}${proof}`;
  }

  #verdict(flow: Flow): string {
    const isVerdict = flow.eventType?.type === EVENT_TYPE.POLICY_VERDICT;
    const name = verdicts.name(flow.verdict);
    switch (name) {
      case 'FORWARDED':
      case 'REDIRECTED':
        return this.#paint('green', (isVerdict ? 'ALLOWED' : name) + this.#policies(flow, isVerdict, 'Allowed'));
      case 'DROPPED':
      case 'ERROR':
        return this.#paint('red', (isVerdict ? 'DENIED' : name) + this.#policies(flow, true, 'Denied'));
      case 'AUDIT':
        return this.#paint('yellow', (isVerdict ? 'AUDITED' : name) + this.#policies(flow, true, 'Denied'));
      case 'TRACED':
      case 'TRANSLATED':
        return this.#paint('yellow', name);
      default:
        return name === 'UNKNOWN' ? 'VERDICT_UNKNOWN' : name;
    }
  }

  #policies(flow: Flow, wanted: boolean, kind: 'Allowed' | 'Denied'): string {
    if (!this.#options.policyNames || !wanted) return '';
    const side = flow.trafficDirection === 1 ? 'ingress' : 'egress';
    const list: readonly Policy[] = flow[`${side}${kind}By`];
    if (list.length === 0) return '';
    return ` BY ${list.map(({ namespace, name }) => terminalText(qualified(namespace, name))).join(', ')}`;
  }

  #dict(pairs: readonly (readonly [string, string])[]): string {
    const separator = this.#lines > 1 ? `${DICT_SEPARATOR}\n` : '';
    return separator + pairs.map(([name, value]) => `${name.padStart(11)}: ${value}\n`).join('');
  }

  #paint(color: keyof typeof COLORS, text: string): string {
    return this.#options.color && text !== '' ? `\u001b[${COLORS[color]}m${text}\u001b[0m` : text;
  }
}

function ports({ l4 }: Flow): [number | undefined, number | undefined] {
  const protocol = l4?.protocol;
  if (protocol?.case !== 'TCP' && protocol?.case !== 'UDP' && protocol?.case !== 'SCTP') return [undefined, undefined];
  return [protocol.value.sourcePort, protocol.value.destinationPort];
}

/** As many names as there is room for, but one at least. */
function joined(names: readonly string[]): string {
  let letters = 0;
  const fits = names.findIndex((name, index) => {
    letters += name.length + 2;
    return index > 0 && letters > MOST_LETTERS;
  });
  if (fits < 0) return names.join(', ');
  return `${names.slice(0, fits).join(', ')} (and ${names.length - fits} more)`;
}

function qualified(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

function json(response: GetFlowsResponse): string {
  const object = toJson(GetFlowsResponseSchema, withoutExtensions(response), { useProtoFieldName: true });
  return `${terminalJson(JSON.stringify(object))}\n`;
}

/** Private ones, whose form nobody here knows, cannot be written as JSON. */
function withoutExtensions(response: GetFlowsResponse): GetFlowsResponse {
  const { responseTypes } = response;
  if (responseTypes.case !== 'flow' || responseTypes.value.extensions === undefined) return response;
  return { ...response, responseTypes: { case: 'flow', value: { ...responseTypes.value, extensions: undefined } } };
}

import { create } from '@bufbuild/protobuf';
import {
  type DropReason,
  type FlowFilter,
  FlowFilter_ExperimentalSchema,
  FlowFilterSchema,
  IPVersion,
  TCPFlagsSchema,
  type Verdict,
} from '#proto/gen/flow/flow_pb.ts';
import { directions } from '../flow/direction.ts';
import { DROP_REASON, toldDropReason } from '../flow/drop-reason.ts';
import { OBSERVATION, observations } from '../flow/observation.ts';
import { TCP_FLAG } from '../flow/tcp-flags.ts';
import { socketPoint } from '../flow/translation.ts';
import { verdicts } from '../flow/verdict.ts';
import { EVENT_TYPE, eventTypes } from '../hubble/event-type.ts';
import { reservedIdentities } from '../identity/reserved.ts';
import { vocabulary } from '../vocabulary/vocabulary.ts';

/** Those that a server of Hubble's knows. */
const hubbleReasons = vocabulary(
  'drop reason',
  Object.fromEntries(Object.entries(DROP_REASON).filter(([, number]) => toldDropReason(number) === number)),
);

/** A flag's value that means nothing. */
export class HubbleFlagError extends Error {
  override readonly name = 'HubbleFlagError';

  constructor(flag: string, problem: string) {
    super(`--${flag}: ${problem}`);
  }
}

/** Which end of a flow a flag is about; `either` becomes two filters, one per end. */
type End = 'source' | 'destination' | 'either' | 'none';
type Add = (filter: FlowFilter, end: 'source' | 'destination', value: string, flag: string) => void;

/** One filter flag of `hubble observe`. */
export interface HubbleFlag {
  /** Without dashes. */
  readonly name: string;
  readonly short?: string;
  /** Name of the value in help; a flag without one takes none. */
  readonly value?: string;
  readonly doc: string;
  readonly end: End;
  /** Commas separate alternatives; not where they have a meaning of their own. */
  readonly commas: boolean;
  readonly add: Add;
}

const plain = (
  name: string,
  value: string | undefined,
  doc: string,
  add: (filter: FlowFilter, value: string, flag: string) => void,
  options: { short?: string; commas?: boolean } = {},
): HubbleFlag => ({
  name,
  short: options.short,
  value,
  doc,
  end: 'none',
  commas: options.commas ?? true,
  add: (filter, _end, text, flag) => add(filter, text, flag),
});

/** The flag itself, and the same with `from-` and `to-`. */
function sided(
  name: string,
  value: string | undefined,
  doc: string,
  add: Add,
  options: { short?: string; commas?: boolean } = {},
): HubbleFlag[] {
  const { short, commas = true } = options;
  return [
    { name, short, value, doc: `${doc}, of either end`, end: 'either', commas, add },
    { name: `from-${name}`, value, doc: `${doc}, of the sender`, end: 'source', commas, add },
    { name: `to-${name}`, value, doc: `${doc}, of the receiver`, end: 'destination', commas, add },
  ];
}

/** Every filter flag of `hubble observe`. Namespaces are kept apart: they go before the names of pods and services. */
export const HUBBLE_FLAGS: readonly HubbleFlag[] = [
  ...sided('pod', '[namespace/]prefix', 'pods by the beginning of their name', (f, end, value) =>
    f[`${end}Pod`].push(value),
  ),
  ...sided('namespace', 'name', 'namespace', () => {}, { short: 'n' }),
  ...sided('all-namespaces', undefined, 'whatever has a namespace', () => {}, { short: 'A' }),
  ...sided('label', 'selector', 'label selector', (f, end, value) => f[`${end}Label`].push(value), {
    short: 'l',
    commas: false,
  }),
  ...sided('service', '[namespace/]prefix', 'services by the beginning of their name', (f, end, value) =>
    f[`${end}Service`].push(value),
  ),
  ...sided('workload', '[kind/]name', 'workload', (f, end, value) => {
    const slash = value.indexOf('/');
    const [kind, name] = slash < 0 ? ['', value] : [value.slice(0, slash), value.slice(slash + 1)];
    f[`${end}Workload`].push({ $typeName: 'flow.Workload', kind, name });
  }),
  ...sided('ip', 'address', 'address or range', (f, end, value) => f[`${end}Ip`].push(value)),
  ...sided('fqdn', 'name', 'DNS name, * for any part', (f, end, value) => f[`${end}Fqdn`].push(value)),
  ...sided('identity', 'number', 'security identity, or a reserved one by name', (f, end, value, flag) => {
    const number = /^\d{1,10}$/.test(value) ? Number(value) : reservedIdentities.parse(value);
    if (number === undefined) {
      throw new HubbleFlagError(flag, `"${value}" is no identity: a number, or ${reservedIdentities.names.join(', ')}`);
    }
    if (number > 0xffff_ffff) throw new HubbleFlagError(flag, `${value} is more than 32 bits hold`);
    f[`${end}Identity`].push(number);
  }),
  ...sided('port', 'number', 'port', (f, end, value) => f[`${end}Port`].push(value)),
  ...sided('cluster', 'name', 'cluster', (f, end, value) => f[`${end}ClusterName`].push(value)),
  plain('verdict', 'name', `one of ${verdicts.names.join(', ')}`, (f, value, flag) => {
    f.verdict.push(named(verdicts, value, flag) as Verdict);
  }),
  plain('drop-reason-desc', 'name', 'drop reason, such as POLICY_DENIED', (f, value, flag) => {
    f.dropReasonDesc.push(named(hubbleReasons, value, flag) as DropReason);
  }),
  plain(
    'type',
    'type[:sub]',
    `one of ${eventTypes.names.map(flagName).join(', ')}; trace:to-endpoint, drop:133`,
    addType,
    { short: 't' },
  ),
  plain('protocol', 'name', 'tcp, udp, icmp, icmpv4, icmpv6, sctp, dns, http, ...', (f, value) =>
    f.protocol.push(value),
  ),
  plain('traffic-direction', 'name', 'ingress or egress', (f, value, flag) => {
    f.trafficDirection.push(named(directions, value, flag) as 1 | 2);
  }),
  plain(
    'tcp-flags',
    'flags',
    'flags that must all be set: SYN,ACK',
    (f, value, flag) => {
      const names = value.toUpperCase().split(',');
      for (const name of names) {
        if (!(name in TCP_FLAG) && name !== 'NS')
          throw new HubbleFlagError(flag, `"${name}" is no TCP flag: ${Object.keys(TCP_FLAG).join(', ')}`);
      }
      f.tcpFlags.push(create(TCPFlagsSchema, Object.fromEntries(names.map((name) => [name, true]))));
    },
    { commas: false },
  ),
  plain('http-status', 'code', '404, or the beginning of one: 4+', (f, value) => f.httpStatusCode.push(value)),
  plain('http-method', 'name', 'GET, POST, ...', (f, value) => f.httpMethod.push(value)),
  plain('http-path', 'regex', 'regular expression', (f, value) => f.httpPath.push(value), { commas: false }),
  plain('http-url', 'regex', 'regular expression', (f, value) => f.httpUrl.push(value), { commas: false }),
  plain(
    'http-header',
    'name:value',
    'header with this value',
    (f, value, flag) => {
      const colon = value.indexOf(':');
      if (colon < 1) throw new HubbleFlagError(flag, `"${value}" is not name:value`);
      f.httpHeader.push({ $typeName: 'flow.HTTPHeader', key: value.slice(0, colon), value: value.slice(colon + 1) });
    },
    { commas: false },
  ),
  plain('node-name', 'pattern', '[cluster/]node, * for any part', (f, value) => f.nodeName.push(value)),
  plain('node-label', 'selector', 'label selector of the observing node', (f, value) => f.nodeLabels.push(value), {
    commas: false,
  }),
  plain('ip-version', '4|6|none', 'IP version', (f, value, flag) => {
    const version = {
      4: IPVersion.IPv4,
      v4: IPVersion.IPv4,
      ipv4: IPVersion.IPv4,
      none: IPVersion.IP_NOT_USED,
      6: IPVersion.IPv6,
      v6: IPVersion.IPv6,
      ipv6: IPVersion.IPv6,
    }[value.toLowerCase()];
    if (version === undefined) throw new HubbleFlagError(flag, `"${value}" is not 4, 6 or none`);
    f.ipVersion.push(version);
  }),
  plain('ipv4', undefined, 'IPv4 only', (f) => f.ipVersion.push(IPVersion.IPv4), { short: '4' }),
  plain('ipv6', undefined, 'IPv6 only', (f) => f.ipVersion.push(IPVersion.IPv6), { short: '6' }),
  plain('uuid', 'id', 'one flow by its id', (f, value) => f.uuid.push(value)),
  plain('snat-ip', 'address', 'address after translation', (f, value) => f.sourceIpXlated.push(value)),
  plain('interface', 'name', 'network interface', (f, value) =>
    f.interface.push({ $typeName: 'flow.NetworkInterface', index: 0, name: value }),
  ),
  plain('trace-id', 'id', 'trace id of layer 7', (f, value) => f.traceId.push(value)),
  plain('ip-trace-id', 'number', 'trace id of the IP option', (f, value, flag) => {
    if (!/^[1-9]\d{0,19}$/.test(value) || BigInt(value) >= 1n << 64n)
      throw new HubbleFlagError(flag, `"${value}" is no trace id`);
    f.ipTraceId.push(BigInt(value));
  }),
  plain('encrypted', undefined, 'encrypted traffic only', (f) => f.encrypted.push(true)),
  plain('unencrypted', undefined, 'unencrypted traffic only', (f) => f.encrypted.push(false)),
  plain(
    'cel-expression',
    'text',
    'CEL over the variable _flow',
    (f, value) => {
      f.experimental ??= create(FlowFilter_ExperimentalSchema);
      f.experimental.celExpression.push(value);
    },
    { commas: false },
  ),
];

/** A flag as it was given, in its order. */
export interface GivenFlag {
  readonly flag: HubbleFlag;
  readonly value: string;
  /** Preceded by `--not`. */
  readonly negated: boolean;
}

/**
 * The filters that flags stand for, as `hubble observe` reads them: flags are ANDed, a flag given twice means either value,
 * and what is said of either end is one filter for the sender and one for the receiver, of which one must hold. Negated
 * flags make a blacklist by the same rule. Throws HubbleFlagError.
 */
export function hubbleFilters(given: readonly GivenFlag[]): { whitelist: FlowFilter[]; blacklist: FlowFilter[] } {
  return {
    whitelist: filtersOf(given.filter(({ negated }) => !negated)),
    blacklist: filtersOf(given.filter(({ negated }) => negated)),
  };
}

function filtersOf(given: readonly GivenFlag[]): FlowFilter[] {
  if (given.length === 0) return [];
  const left = create(FlowFilterSchema);
  const right = create(FlowFilterSchema);
  const namespaces: Record<'source' | 'destination' | 'either', string[]> = { source: [], destination: [], either: [] };
  for (const { flag, value } of given) {
    const values = flag.commas && flag.value !== undefined ? value.split(',') : [value];
    if (/namespaces?$/.test(flag.name)) {
      // All of them are the one without a name.
      namespaces[flag.end as 'source' | 'destination' | 'either'].push(...(flag.value === undefined ? [''] : values));
      continue;
    }
    for (const one of values) {
      flag.add(left, flag.end === 'destination' ? 'destination' : 'source', one, flag.name);
      flag.add(right, flag.end === 'source' ? 'source' : 'destination', one, flag.name);
    }
  }
  for (const filter of [left, right]) {
    inNamespaces(filter, 'source', namespaces.source);
    inNamespaces(filter, 'destination', namespaces.destination);
  }
  inNamespaces(left, 'source', namespaces.either);
  inNamespaces(right, 'destination', namespaces.either);
  return given.every(({ flag }) => flag.end !== 'either') ? [left] : [left, right];
}

/** Names without a namespace are looked for in these; without names, everything in them is meant. */
function inNamespaces(filter: FlowFilter, end: 'source' | 'destination', namespaces: readonly string[]): void {
  if (namespaces.length === 0) return;
  const pods = filter[`${end}Pod`];
  const services = filter[`${end}Service`];
  const qualified = (name: string) =>
    name.includes('/') ? [name] : namespaces.map((namespace) => `${namespace}/${name}`);
  if (pods.length === 0 && services.length === 0) pods.push('');
  filter[`${end}Pod`] = pods.flatMap(qualified);
  filter[`${end}Service`] = services.flatMap(qualified);
}

function addType(filter: FlowFilter, value: string, flag: string): void {
  const [name, sub] = value.split(':', 2);
  const type = /^\d{1,3}$/.test(name) ? Number(name) : eventTypes.parse(name);
  if (type === undefined) {
    throw new HubbleFlagError(flag, `"${name}" is no event type: ${eventTypes.names.map(flagName).join(', ')}`);
  }
  let subType = sub === undefined ? 0 : /^\d{1,3}$/.test(sub) ? Number(sub) : undefined;
  if (subType === undefined && type === EVENT_TYPE.TRACE) {
    const point = observations.parse(sub);
    subType = point === OBSERVATION.TO_ENDPOINT ? 0 : point;
  }
  if (subType === undefined && type === EVENT_TYPE.TRACE_SOCK) {
    subType = socketPoint(observations.parse(sub) ?? 0) || undefined;
  }
  if (subType === undefined && type === EVENT_TYPE.DROP) subType = hubbleReasons.parse(sub);
  if (subType === undefined) throw new HubbleFlagError(flag, `"${sub}" is no sub type of ${name}`);
  filter.eventType.push({ $typeName: 'flow.EventTypeFilter', type, subType, matchSubType: sub !== undefined });
}

function named(words: typeof verdicts, value: string, flag: string): number {
  const number = words.parse(value);
  if (number === undefined) throw new HubbleFlagError(flag, `"${value}" is not a ${words.subject}`);
  return number;
}

function flagName(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

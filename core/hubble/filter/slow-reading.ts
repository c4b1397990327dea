import type { Endpoint, Flow, FlowFilter, TCPFlags } from '#proto/gen/flow/flow_pb.ts';
import { parseAddress } from '../../ip/address.ts';
import { cidrHas, parseCidr } from '../../ip/cidr.ts';

/** For specs: the rules of Hubble's filters as they are written down, read on the message, slowly and without any plan. */
export function passes(flow: Flow, whitelist: readonly FlowFilter[], blacklist: readonly FlowFilter[]): boolean {
  return (
    (whitelist.length === 0 || whitelist.some((one) => holds(flow, one))) && !blacklist.some((one) => holds(flow, one))
  );
}

function holds(flow: Flow, filter: FlowFilter): boolean {
  const record = flow.l7?.record;
  const http = record?.case === 'http' ? record.value : undefined;
  const dns = record?.case === 'dns' ? record.value : undefined;
  const asked: [readonly unknown[], (value: never) => boolean][] = [
    [filter.uuid, (value: string) => flow.uuid === value],
    [filter.sourceIp, (value: string) => addressIn(flow.IP?.source, value)],
    [filter.destinationIp, (value: string) => addressIn(flow.IP?.destination, value)],
    [filter.sourceIpXlated, (value: string) => addressIn(flow.IP?.sourceXlated, value)],
    [filter.sourcePod, (value: string) => named(flow.source?.namespace, flow.source?.podName, value)],
    [filter.destinationPod, (value: string) => named(flow.destination?.namespace, flow.destination?.podName, value)],
    [filter.sourceService, (value: string) => named(flow.sourceService?.namespace, flow.sourceService?.name, value)],
    [
      filter.destinationService,
      (value: string) => named(flow.destinationService?.namespace, flow.destinationService?.name, value),
    ],
    [filter.sourceFqdn, (value: string) => flow.sourceNames.some((name) => dnsName(name, value))],
    [filter.destinationFqdn, (value: string) => flow.destinationNames.some((name) => dnsName(name, value))],
    [filter.sourceLabel, (value: string) => selected(flow.source?.labels ?? [], value)],
    [filter.destinationLabel, (value: string) => selected(flow.destination?.labels ?? [], value)],
    [filter.nodeLabels, (value: string) => selected(flow.nodeLabels, value)],
    [filter.sourceWorkload, (value: { name: string; kind: string }) => works(flow.source, value)],
    [filter.destinationWorkload, (value: { name: string; kind: string }) => works(flow.destination, value)],
    [filter.sourceClusterName, (value: string) => flow.source?.clusterName === value],
    [filter.destinationClusterName, (value: string) => flow.destination?.clusterName === value],
    [filter.sourceIdentity, (value: number) => (flow.source?.identity ?? 0) === value],
    [filter.destinationIdentity, (value: number) => (flow.destination?.identity ?? 0) === value],
    [filter.trafficDirection, (value: number) => flow.trafficDirection === value],
    [filter.verdict, (value: number) => flow.verdict === value],
    [filter.dropReasonDesc, (value: number) => flow.verdict === 2 && flow.dropReasonDesc === value],
    [
      filter.interface,
      ({ index, name }: { index: number; name: string }) =>
        flow.interface !== undefined &&
        (index === 0 || flow.interface.index === index) &&
        (name === '' || flow.interface.name === name),
    ],
    [
      filter.eventType,
      (value: FlowFilter['eventType'][number]) =>
        (value.type === 0 || value.type === flow.eventType?.type) &&
        (!value.matchSubType || value.subType === flow.eventType?.subType),
    ],
    [filter.protocol, (value: string) => speaks(flow, value.toLowerCase())],
    [filter.sourcePort, (value: string) => ports(flow)?.sourcePort === Number(value)],
    [filter.destinationPort, (value: string) => ports(flow)?.destinationPort === Number(value)],
    [
      filter.reply,
      (value: boolean) => (flow.isReply === undefined ? flow.verdict === 2 && !value : flow.isReply === value),
    ],
    [filter.tcpFlags, (value: TCPFlags) => hasFlags(flow, value)],
    [filter.nodeName, (value: string) => onNode(flow.nodeName, value)],
    [filter.ipVersion, (value: number) => (flow.IP?.ipVersion ?? 0) === value],
    [filter.traceId, (value: string) => (flow.traceContext?.parent?.traceId ?? '') === value],
    [filter.ipTraceId, (value: bigint) => (flow.ipTraceId?.traceId ?? 0n) === value],
    [filter.encrypted, (value: boolean) => (flow.IP?.encrypted ?? false) === value],
    [
      filter.httpStatusCode,
      (value: string) => http !== undefined && http.code > 0 && beginsWith(String(http.code), value),
    ],
    [filter.httpMethod, (value: string) => http?.method.toLowerCase() === value.toLowerCase()],
    [filter.httpPath, (value: string) => http !== undefined && new RegExp(value).test(pathOf(http.url))],
    [filter.httpUrl, (value: string) => http !== undefined && new RegExp(value).test(http.url)],
    [
      filter.httpHeader,
      ({ key, value }: { key: string; value: string }) =>
        http?.headers.some((header) => header.key === key && header.value === value) === true,
    ],
    [filter.dnsQuery, (value: string) => dns !== undefined && new RegExp(value).test(dns.query)],
  ];
  return asked.every(([values, matches]) => values.length === 0 || values.some((value) => matches(value as never)));
}

/** Unlike in a browser, a URL that ends with its host has no path. */
function pathOf(url: string): string {
  return /^https?:\/\/[^/]*$/.test(url) ? '' : new URL(url, 'http://x').pathname;
}

/** `404`, or the beginning of one: `4+`. */
function beginsWith(code: string, wanted: string): boolean {
  return wanted.endsWith('+') ? code.startsWith(wanted.slice(0, -1)) : code === wanted;
}

function addressIn(address: string | undefined, wanted: string): boolean {
  if (address === undefined || address === '') return false;
  return cidrHas(parseCidr(wanted)!, parseAddress(address));
}

function named(namespace = '', name = '', wanted: string): boolean {
  if (namespace === '' && name === '') return false;
  const [first, second] = wanted.includes('/') ? wanted.split('/') : ['default', wanted];
  return (first === '' || first === namespace) && name.startsWith(second);
}

function dnsName(name: string, pattern: string): boolean {
  const lower = pattern.toLowerCase().replace(/\.$/, '');
  return new RegExp(`^${lower.replaceAll('.', '\\.').replaceAll('*', '[-.0-9a-z]*')}$`).test(name);
}

function onNode(nodeName: string, pattern: string): boolean {
  const [cluster, node] = nodeName.split('/');
  const [clusterPattern, nodePattern] = pattern.includes('/') ? pattern.split('/') : ['', pattern];
  return (
    (clusterPattern === '' || dnsName(cluster, clusterPattern)) && (nodePattern === '' || dnsName(node, nodePattern))
  );
}

function works(endpoint: Endpoint | undefined, wanted: { name: string; kind: string }): boolean {
  return (endpoint?.workloads ?? []).some(
    ({ name, kind }) => (wanted.name === '' || wanted.name === name) && (wanted.kind === '' || wanted.kind === kind),
  );
}

/** The selectors of the corpus, each as what it means. */
function selected(labels: readonly string[], selector: string): boolean {
  const value = (key: string, source?: string) => {
    const found = labels.find((label) => {
      const [from, ...rest] = label.split(':');
      return (source === undefined || from === source) && rest.join(':').split('=')[0] === key;
    });
    return found === undefined ? undefined : (found.split('=')[1] ?? '');
  };
  const meanings: Record<string, () => boolean> = {
    'app=xwing': () => value('app') === 'xwing',
    'k8s:app = cart, tier in (3, 4)': () => value('app', 'k8s') === 'cart' && ['3', '4'].includes(value('tier') ?? ''),
    'app notin (xwing,cart)': () => !['xwing', 'cart'].includes(value('app') ?? ''),
    '!app': () => value('app') === undefined,
    'reserved:world': () => value('world', 'reserved') !== undefined,
    'k8s:reserved': () => value('reserved', 'k8s') !== undefined,
    'tier>2': () => Number(value('tier') ?? Number.NaN) > 2,
    'tier < 3': () => Number(value('tier') ?? Number.NaN) < 3,
    'any:app!=cart': () => value('app') !== 'cart',
    'io.kubernetes.pod.namespace=shop': () => value('io.kubernetes.pod.namespace') === 'shop',
    '': () => true,
    'a=b': () => value('a') === 'b',
    '!a': () => value('a') === undefined,
  };
  return meanings[selector]();
}

function ports(flow: Flow): { sourcePort: number; destinationPort: number } | undefined {
  const { case: protocol, value } = flow.l4?.protocol ?? {};
  return protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP' ? value : undefined;
}

function speaks(flow: Flow, protocol: string): boolean {
  const spoken = (flow.l4?.protocol.case ?? '').toLowerCase();
  if (flow.l7?.record.case === protocol) return true;
  return protocol === 'icmp' ? spoken.startsWith('icmp') : spoken === protocol;
}

function hasFlags(flow: Flow, wanted: TCPFlags): boolean {
  const { case: protocol, value } = flow.l4?.protocol ?? {};
  if (protocol !== 'TCP' || value?.flags === undefined) return false;
  const { flags } = value;
  return (['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR', 'NS'] as const).every(
    (name) => !wanted[name] || flags[name],
  );
}

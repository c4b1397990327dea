import { create, type MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { DropReason, type FlowFilter, FlowFilterSchema, IPVersion, Verdict } from '#proto/gen/flow/flow_pb.ts';

export type FilterInit = MessageInitShape<typeof FlowFilterSchema>;
export const filter = (init: FilterInit): FlowFilter => create(FlowFilterSchema, init);

const some = <T>(...values: T[]) => fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 3 });
const pods = some(
  'xwing',
  '/xwing',
  'default/',
  'shop/cart-1',
  '/',
  'shop/',
  'kube-system/default',
  'nobody',
  '/cart-2/x',
);
const labels = some(
  'app=xwing',
  'k8s:app = cart, tier in (3, 4)',
  'app notin (xwing,cart)',
  '!app',
  'reserved:world',
  'k8s:reserved',
  'tier>2',
  'tier < 3',
  'any:app!=cart',
  'io.kubernetes.pod.namespace=shop',
  '',
);
const ips = some(
  '10.0.0.1',
  '10.0.0.0/23',
  'fd00::12',
  'fd00::/8',
  '0.0.0.0/0',
  '::/0',
  '93.184.216.34',
  '10.0.0.1/32',
);
const names = some('example.com', '*.example.com', '*.COM.', 'w*w.example.*', '*', 'other.org');
const workloads = some<{ name?: string; kind?: string }>(
  { name: 'xwing' },
  { kind: 'Deployment' },
  { name: 'cart', kind: 'Job' },
  {},
);
const ports = some('80', '0', '443', '65535', '41234');
const identities = some(0, 2, 6, 10, 0x40000007);

/** For specs: filters of a few fields each, with values that say something of generated flows. */
export const anyFilter = fc
  .record(
    {
      uuid: some('default/worker-1/abc/1', 'west/worker-2.internal/def/2', 'x', 'default/worker-1/abc/3'),
      sourceIp: ips,
      destinationIp: ips,
      sourceIpXlated: some('1.1.1.1'),
      sourcePod: pods,
      destinationPod: pods,
      sourceFqdn: names,
      destinationFqdn: names,
      sourceLabel: labels,
      destinationLabel: labels,
      sourceService: some('a/b', 'shop/', 'shop/ca', '/cart'),
      destinationService: some('b', 'shop/cart', '/'),
      sourceWorkload: workloads,
      destinationWorkload: workloads,
      sourceClusterName: some('default', 'west'),
      destinationClusterName: some('default', 'east'),
      trafficDirection: some(0 as const, 1 as const, 2 as const),
      verdict: some(Verdict.FORWARDED, Verdict.DROPPED, Verdict.AUDIT, Verdict.TRANSLATED, Verdict.VERDICT_UNKNOWN),
      dropReasonDesc: some(DropReason.POLICY_DENIED, DropReason.STALE_OR_UNROUTABLE_IP, DropReason.DROP_REASON_UNKNOWN),
      interface: some<{ index?: number; name?: string }>({ index: 7 }, { name: 'lxc7' }, { index: 7, name: 'x' }, {}),
      eventType: some(
        { type: 1 },
        { type: 4 },
        { type: 4, matchSubType: true, subType: 0 },
        { type: 4, matchSubType: true, subType: 3 },
        { type: 1, matchSubType: true, subType: 133 },
        { type: 0, matchSubType: true, subType: 3 },
        { type: 7 },
        { type: 7, matchSubType: true, subType: 2 },
        { type: 129 },
      ),
      httpStatusCode: some('404', '4+', '50+'),
      protocol: some('tcp', 'UDP', 'icmp', 'ICMPv6', 'icmpv4', 'sctp', 'vrrp', 'igmp', 'http', 'dns'),
      sourcePort: ports,
      destinationPort: ports,
      reply: some(true, false),
      dnsQuery: some('a.*'),
      sourceIdentity: identities,
      destinationIdentity: identities,
      httpMethod: some('GET'),
      httpPath: some('/a+'),
      httpUrl: some('http://.*'),
      httpHeader: some({ key: 'a', value: 'b' }),
      tcpFlags: some<object>(
        { SYN: true },
        { SYN: true, ACK: true },
        {},
        { NS: true },
        { FIN: true },
        { CWR: true, PSH: true },
      ),
      nodeName: some('worker-1', 'default/', '/worker-*', 'west/*.internal', 'east/worker-1', '*', 'default/worker-1'),
      nodeLabels: some('a=b', '!a'),
      ipVersion: some(IPVersion.IPv4, IPVersion.IPv6, IPVersion.IP_NOT_USED),
      traceId: some('abc', ''),
      ipTraceId: some(0n, 5n),
      encrypted: some(true, false),
    },
    { requiredKeys: [] },
  )
  // Most random conjunctions hold for nothing: a few fields at a time.
  .chain((all) =>
    fc
      .subarray(Object.keys(all), { maxLength: 3 })
      .map((kept) =>
        filter(Object.fromEntries(kept.map((name) => [name, all[name as keyof typeof all]])) as FilterInit),
      ),
  )
  // Refused: see http.ts.
  .filter(
    ({ eventType, ...rest }) => eventType.length === 0 || eventType.some(({ type }) => type === 129) || !asksHttp(rest),
  );

function asksHttp({
  httpStatusCode,
  httpMethod,
  httpPath,
  httpUrl,
  httpHeader,
}: Omit<FlowFilter, 'eventType'>): boolean {
  return [httpStatusCode, httpMethod, httpPath, httpUrl, httpHeader].some((values) => values.length > 0);
}

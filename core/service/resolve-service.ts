import { formatAddress, isAddress, parseAddress } from '../ip/address.ts';
import { parseCidr } from '../ip/cidr.ts';
import {
  ALGORITHM_ANNOTATION,
  type Algorithm,
  type Backend,
  type ExternalFrontend,
  type Frontend,
  type FrontendKind,
  type ServiceObject,
  type SliceObject,
  serviceProtocol,
} from './service.ts';

/** The node from which a Service is looked at. */
export interface ServiceView {
  readonly node: string;
  /** The node's zone; empty = unknown. */
  readonly zone: string;
  /** Addresses under which node ports are reached. */
  readonly nodeAddresses: readonly string[];
  /** Those of them that are the node's own; all, without it. */
  readonly ownAddresses?: readonly string[];
  /** A pod's share relative to the others; 1 without it. */
  readonly weightOf?: (namespace: string, pod: string) => number;
}

type Endpoint = SliceObject['endpoints'][number];

/**
 * Where connections to a Service go from a node. One entry per address and port; those without backends refuse.
 * Pure: equal arguments give equal results, whatever the order of the slices. Addresses that are none are left out.
 */
export function resolveService(service: ServiceObject, slices: readonly SliceObject[], view: ServiceView): Frontend[] {
  const { metadata, spec } = service;
  if (spec.type === 'ExternalName') return [];
  const algorithm: Algorithm = metadata.annotations[ALGORITHM_ANNOTATION] === 'maglev' ? 'maglev' : 'random';
  const affinitySeconds = spec.sessionAffinity === 'ClientIP' ? spec.affinitySeconds : 0;
  const ownAddresses = view.ownAddresses ?? view.nodeAddresses;
  const frontends: Frontend[] = [];
  const externalOf = (
    kind: FrontendKind,
    wanted: Omit<Wanted, 'local'>,
    backends: readonly Backend[],
  ): ExternalFrontend => {
    const local = spec.externalTrafficPolicy === 'Local';
    const sourceRanges = kind === 'load-balancer' ? rangesOf(spec.loadBalancerSourceRanges, wanted.ipv6) : undefined;
    return {
      backends: local ? backendsOf(service, slices, view, { ...wanted, local }) : backends,
      local,
      ...(sourceRanges === undefined ? {} : { sourceRanges }),
    };
  };
  for (const port of spec.ports) {
    const protocol = serviceProtocol(port.protocol);
    if (protocol === undefined || port.port === 0) continue;
    const add = (kind: FrontendKind, text: string, number: number): void => {
      if (!isAddress(text) || number === 0) return;
      const address = formatAddress(parseAddress(text));
      const wanted = { ipv6: address.includes(':'), portName: port.name, protocol: port.protocol };
      // In the cluster, the policy for clients outside does not count: whatever is ready serves.
      const local = kind === 'cluster-ip' && spec.internalTrafficPolicy === 'Local';
      const backends = backendsOf(service, slices, view, { ...wanted, local });
      const reachable = kind !== 'cluster-ip' && (kind !== 'node-port' || ownAddresses.includes(text));
      frontends.push({
        namespace: metadata.namespace,
        service: metadata.name,
        portName: port.name,
        kind,
        address,
        port: number,
        protocol,
        affinitySeconds,
        algorithm,
        backends,
        ...(reachable ? { external: externalOf(kind, wanted, backends) } : {}),
      });
    };
    for (const address of spec.clusterIPs) add('cluster-ip', address, port.port);
    if (spec.type === 'NodePort' || spec.type === 'LoadBalancer') {
      for (const address of view.nodeAddresses) add('node-port', address, port.nodePort);
    }
    for (const address of spec.externalIPs) add('external-ip', address, port.port);
    if (spec.type === 'LoadBalancer') {
      for (const address of service.loadBalancerIPs) add('load-balancer', address, port.port);
    }
  }
  return frontends;
}

/** What is no range lets nobody in: who asked for ranges did not ask for everybody. */
function rangesOf(texts: readonly string[] | undefined, ipv6: boolean): string[] | undefined {
  if (texts === undefined || texts.length === 0) return undefined;
  const ranges = texts.flatMap((text) => parseCidr(text.trim()) ?? []);
  return [...new Set(ranges.filter(({ bytes }) => (bytes.length === 16) === ipv6).map(({ text }) => text))].sort();
}

interface Wanted {
  readonly ipv6: boolean;
  readonly portName: string;
  readonly protocol: string;
  /** Only those of the view's own node. */
  readonly local: boolean;
}

/**
 * The backends of one port, in this order of preference:
 *   1. those that are ready; of them those whose hints name the node's zone, when all have hints and one does, unless they have
 *      to be the node's own anyway
 *   2. with none ready: those that still serve although they are terminating
 * Those that serve and terminate beside ready ones keep who is with them.
 */
function backendsOf(
  service: ServiceObject,
  slices: readonly SliceObject[],
  view: ServiceView,
  wanted: Wanted,
): Backend[] {
  const found: { endpoint: Endpoint; address: string; port: number }[] = [];
  for (const slice of slices) {
    if ((slice.addressType === 'IPv6') !== wanted.ipv6 || slice.addressType === 'FQDN') continue;
    const port = slice.ports.find(
      ({ name, protocol }) => name === wanted.portName && protocol === wanted.protocol,
    )?.port;
    if (port === undefined || port === 0) continue;
    for (const endpoint of slice.endpoints) {
      if (wanted.local && endpoint.nodeName !== view.node) continue;
      // The API: all addresses of an endpoint lead to the same, so that the first is enough.
      const [text] = endpoint.addresses;
      if (text === undefined || !isAddress(text)) continue;
      const address = formatAddress(parseAddress(text));
      // Of the other family: a socket could not be connected there.
      if (address.includes(':') === wanted.ipv6) found.push({ endpoint, address, port });
    }
  }
  const everybody = service.spec.publishNotReadyAddresses;
  let ready = found.filter(({ endpoint }) => endpoint.ready || everybody);
  const leaving = found.filter(
    ({ endpoint }) => !endpoint.ready && !everybody && endpoint.serving && endpoint.terminating,
  );
  const promoted = ready.length === 0;
  if (promoted) ready = leaving;
  else if (!wanted.local && view.zone !== '' && ready.every(({ endpoint }) => endpoint.zones.length > 0)) {
    const near = ready.filter(({ endpoint }) => endpoint.zones.includes(view.zone));
    if (near.length > 0) ready = near;
  }
  const backend = ({ endpoint, address, port }: (typeof found)[number], terminating: boolean): Backend => ({
    address,
    port,
    node: endpoint.nodeName,
    pod: endpoint.pod,
    weight: endpoint.pod === '' ? 1 : (view.weightOf?.(service.metadata.namespace, endpoint.pod) ?? 1),
    terminating,
  });
  const all = [
    ...ready.map((each) => backend(each, false)),
    ...(promoted ? [] : leaving.map((each) => backend(each, true))),
  ];
  // Two slices may hold the same endpoint while it moves between them.
  const unique = new Map<string, Backend>();
  for (const each of all) {
    const key = `${each.address}/${each.port}`;
    if (!unique.has(key)) unique.set(key, each);
  }
  return [...unique.values()].sort(
    (a, b) => Number(a.terminating) - Number(b.terminating) || compare(a.address, b.address) || a.port - b.port,
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

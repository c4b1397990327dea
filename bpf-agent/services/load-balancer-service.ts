import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { formatAddress, isAddress, parseAddress } from '#core/ip/address.ts';
import { cidrHas, parseCidr } from '#core/ip/cidr.ts';
import { exclusions } from '#core/service/exclusion.ts';
import {
  type Frontend,
  type FrontendKind,
  frontendKey,
  frontendText,
  serviceProtocol,
  serviceProtocolName,
} from '#core/service/service.ts';
import {
  type ListServicesResponse,
  ListServicesResponseSchema,
  type LoadBalancerService,
  type ServiceFrontend,
  ServiceFrontendSchema,
  ServiceStatusSchema,
  TraceOutcome,
  type TraceServiceResponse,
  TraceServiceResponseSchema,
  type UntranslatedSocketSchema,
} from '#proto/gen/waggle/v1/service_pb.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { Code, type Handlers, StatusError } from '#runtime/grpc/service.ts';
import type { ExternalMaps } from '../maps/external.ts';
import type { ServiceMaps } from '../maps/services.ts';
import { kubeProxyRules } from './kube-proxy-rules.ts';
import type { ServiceNumbers } from './service-numbers.ts';
import type { PlacedFrontend, ServiceSync } from './service-sync.ts';
import { backendKey } from './service-table.ts';
import type { UntranslatedSocket, UntranslatedSocketFinder } from './untranslated-sockets.ts';

/** Services one answer tells of: it is made in one go, between two looks at the ring. */
const MOST_SERVICES = 2_000;

export interface LoadBalancerOptions {
  readonly node: string;
  readonly source: ClusterSource;
  readonly sync: ServiceSync;
  readonly maps: ServiceMaps;
  readonly external: Pick<ExternalMaps, 'connections'>;
  /** Connections opened, as far as flows tell. */
  readonly opened: Pick<ServiceNumbers, 'opened'>;
  readonly untranslated: Pick<UntranslatedSocketFinder, 'find'>;
}

const KIND_WORDS: Readonly<Record<FrontendKind, string>> = {
  'cluster-ip': 'cluster address',
  'node-port': 'node port',
  'external-ip': 'external address',
  'load-balancer': 'load-balancer address',
};

/** What this node's load-balancing holds and would do. */
export function loadBalancerHandlers(options: LoadBalancerOptions): Handlers<typeof LoadBalancerService> {
  return {
    listServices: async ({ namespace, name }) => listServices(options, namespace, name),
    traceService: async ({ address, port, protocol }) => traceService(options, address, port, protocol),
  };
}

async function listServices(
  options: LoadBalancerOptions,
  namespace: string,
  name: string,
): Promise<ListServicesResponse> {
  const { source, sync, maps, node } = options;
  const connections = new Map<number, number>();
  for (const { backend } of maps.translations.values()) connections.set(backend, (connections.get(backend) ?? 0) + 1);
  for (const { backend, original } of options.external.connections.values()) {
    if (original) connections.set(backend, (connections.get(backend) ?? 0) + 1);
  }
  const frontends = Map.groupBy(sync.placed(), ({ frontend }) => `${frontend.namespace}/${frontend.service}`);
  const found = source
    .list('Service')
    .filter(({ metadata }) => (!namespace || metadata.namespace === namespace) && (!name || metadata.name === name))
    .sort((a, b) =>
      `${a.metadata.namespace}/${a.metadata.name}` < `${b.metadata.namespace}/${b.metadata.name}` ? -1 : 1,
    );
  const services = found.slice(0, MOST_SERVICES).map(({ metadata, spec }) =>
    create(ServiceStatusSchema, {
      namespace: metadata.namespace,
      name: metadata.name,
      type: spec.type,
      clusterIps: [...spec.clusterIPs],
      externalName: spec.externalName,
      frontends: (frontends.get(`${metadata.namespace}/${metadata.name}`) ?? []).map((placed) =>
        frontendMessage(placed, connections, options.opened),
      ),
    }),
  );
  const { found: ruleKinds, unknown } = await kubeProxyRules();
  const kubeProxy = ruleKinds.map(({ kind, rules }) => ({ node, kind, rules }));
  const omitted = found.length - services.length;
  const problems = [
    ...sync.problems,
    ...(omitted > 0 ? [`${omitted} more Services are not listed`] : []),
    ...(unknown === '' ? [] : [`${node}: whether kube-proxy's rules are present is not known: ${unknown}`]),
  ];
  const { sockets, total } = await options.untranslated.find();
  const asked = sockets.filter(
    ({ frontend }) => name === '' || (frontend.namespace === namespace && frontend.service === name),
  );
  return create(ListServicesResponseSchema, {
    ...{ services, problems, kubeProxy },
    untranslated: asked.map((socket) => socketMessage(socket, options)),
    untranslatedTotal: name === '' ? total : asked.length,
  });
}

function socketMessage(
  { frontend, address, port, process, command }: UntranslatedSocket,
  { node, source }: LoadBalancerOptions,
): MessageInitShape<typeof UntranslatedSocketSchema> {
  const pod = source
    .list('Pod')
    .find(({ spec, status }) => !spec.hostNetwork && status.podIPs.some(({ ip }) => ip === address));
  return {
    ...{ node, namespace: frontend.namespace, service: frontend.service, address: frontend.address },
    ...{ port: frontend.port, protocol: serviceProtocolName(frontend.protocol), process, command },
    ...{ clientAddress: address, clientPort: port },
    clientNamespace: pod?.metadata.namespace ?? '',
    clientPod: pod?.metadata.name ?? '',
  };
}

function frontendMessage(
  { frontend, id, backendIds }: PlacedFrontend,
  connections: ReadonlyMap<number, number>,
  flows: Pick<ServiceNumbers, 'opened'>,
): ServiceFrontend {
  const { kind, address, port, protocol, portName, affinitySeconds, algorithm } = frontend;
  return create(ServiceFrontendSchema, {
    kind,
    address,
    port,
    protocol: serviceProtocolName(protocol),
    portName,
    affinitySeconds,
    algorithm,
    backends: frontend.backends.map((backend) => ({
      address: backend.address,
      port: backend.port,
      node: backend.node,
      pod: backend.pod,
      weight: backend.weight,
      terminating: backend.terminating,
      connections: connections.get(backendIds.get(backendKey(backend.address, backend.port))?.id ?? 0) ?? 0,
      opened: BigInt(flows.opened(id, backend.address)),
    })),
  });
}

function traceService(
  options: LoadBalancerOptions,
  text: string,
  port: number,
  protocolName: string,
): TraceServiceResponse {
  const { node, source, sync } = options;
  const protocol = serviceProtocol(protocolName || 'TCP');
  if (!isAddress(text)) throw new StatusError(Code.INVALID_ARGUMENT, `"${text}" is not an IP address`);
  if (protocol === undefined) throw new StatusError(Code.INVALID_ARGUMENT, `"${protocolName}" is neither TCP nor UDP`);
  const wanted = { address: formatAddress(parseAddress(text)), port, protocol };
  const asked = frontendText(wanted);
  const frontend = sync.find(frontendKey(wanted));
  if (frontend === undefined) return withoutFrontend(options, wanted.address, asked);
  const { namespace, service: name } = frontend;
  const portName = frontend.portName === '' ? '' : `, port "${frontend.portName}"`;
  const steps = [`${asked} is the ${KIND_WORDS[frontend.kind]} of Service ${namespace}/${name}${portName}.`];
  const service = source.get('Service', namespace, name);
  if (service !== undefined) {
    steps.push(...exclusions(service, sync.slicesOf(namespace, name), sync.view, frontend));
  }
  const candidates = candidatesOf(frontend);
  for (const { address, pod, terminating } of frontend.backends) {
    if (terminating) steps.push(`${pod || address} is terminating: it keeps who is with it, and gets nobody new.`);
  }
  if (candidates.length === 0) steps.push('No backend is ready: the connection is refused at once.');
  else {
    steps.push(
      frontend.algorithm === 'maglev'
        ? `Of ${candidates.length}, the client’s own is taken (Maglev): the same as long as it lives.`
        : candidates.length === 1
          ? 'There is one backend: it is taken.'
          : `Of ${candidates.length}, one is taken at random by weight.`,
    );
    if (frontend.affinitySeconds > 0) {
      steps.push(
        `A client stays with its backend until it was silent for ${frontend.affinitySeconds} s (ClientIP affinity).`,
      );
    }
  }
  steps.push(...outsideSteps(frontend));
  const placed = [...sync.placed()].find((each) => each.frontend === frontend)!;
  return create(TraceServiceResponseSchema, {
    node,
    outcome: candidates.length === 0 ? TraceOutcome.REFUSED : TraceOutcome.BALANCED,
    namespace,
    service: name,
    frontend: frontendMessage(placed, new Map(), options.opened),
    steps,
    candidates,
  });
}

/** What clients outside find under the same address at this node. */
function outsideSteps({ kind, external }: Frontend): string[] {
  if (kind === 'cluster-ip') return [];
  if (external === undefined) return ['Clients outside find it at the node that has the address.'];
  const { backends, local, sourceRanges } = external;
  const taking = backends.filter(({ terminating, weight }) => !terminating && weight > 0).length;
  const what = local
    ? taking === 0
      ? 'Clients outside find nothing at this node: it has no backend of its own (externalTrafficPolicy is Local).'
      : `Clients outside find the ${taking} of this node, which see their addresses (externalTrafficPolicy is Local).`
    : 'Clients outside find the same; a backend on another node sees this node’s address for theirs.';
  if (sourceRanges === undefined) return [what];
  return [what, `Of clients outside, those in ${sourceRanges.join(', ') || 'no range'} are let in.`];
}

function withoutFrontend(
  { node, source, sync }: LoadBalancerOptions,
  address: string,
  asked: string,
): TraceServiceResponse {
  const owner = sync.owner(address);
  const steps = [
    owner === undefined
      ? `No Service has the address ${address}.`
      : `${address} is Service ${owner.namespace}/${owner.name}’s, but it has no such port (${asked}).`,
  ];
  const range = source
    .list('ServiceCIDR')
    .flatMap(({ spec }) => spec.cidrs.flatMap((cidr) => parseCidr(cidr) ?? []))
    .find((cidr) => cidrHas(cidr, parseAddress(address)));
  steps.push(
    range === undefined
      ? 'It is not in the range of Services: it goes where it was sent.'
      : `It is in the range of Services (${range.text}): each packet of a pod to it is dropped, "Stale or unroutable IP".`,
  );
  const outcome = range === undefined ? TraceOutcome.PASSED : TraceOutcome.UNROUTABLE;
  return create(TraceServiceResponseSchema, { node, outcome, steps });
}

function candidatesOf({ backends }: Frontend) {
  const taking = backends.filter(({ terminating, weight }) => !terminating && weight > 0);
  const sum = taking.reduce((total, { weight }) => total + weight, 0);
  return taking.map(({ address, port, node, pod, weight }) => ({
    backend: { address, port, node, pod, weight },
    share: weight / sum,
  }));
}

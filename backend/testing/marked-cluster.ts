import { create } from '@bufbuild/protobuf';
import { AgentService, ListRuleHitsResponseSchema, RuleEffect } from '#proto/gen/waggle/v1/agent_pb.ts';
import {
  ListServicesResponseSchema,
  LoadBalancerService,
  TraceOutcome,
  TraceServiceResponseSchema,
} from '#proto/gen/waggle/v1/service_pb.ts';
import { ObjectStore } from '#runtime/cluster/object-store.ts';
import type { Kind } from '#runtime/cluster/objects.ts';
import { readObject } from '#runtime/cluster/read-object.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import { type GrpcServer, startGrpcServer } from '#runtime/grpc/server.ts';
import { Code, StatusError, service } from '#runtime/grpc/service.ts';
import { marked, NAMESPACES, reference } from './guarded-answers.ts';

/** A cluster all of whose objects are named after their namespace, as {@link marked} names them. */
export function markedSource(): ClusterSource {
  const store = new ObjectStore();
  const set = (kind: Kind, object: object) => store.set(readObject(kind, { kind, ...object }));
  set('Node', {
    metadata: { name: 'node-1' },
    spec: { podCIDRs: ['10.0.0.0/8'] },
    status: { addresses: [{ type: 'InternalIP', address: '192.168.0.1' }] },
  });
  set('ServiceCIDR', { metadata: { name: 'kubernetes' }, spec: { cidrs: ['172.16.0.0/16'] } });
  for (const namespace of NAMESPACES) {
    const { pod: name, address, workloadName, labels, service: own } = marked(namespace, 0);
    const word = labels[0]!.split('=')[1]!;
    const [replicas, revision] = [`${workloadName}-5f7c`, { controller: true, uid: '1' }];
    set('Namespace', { metadata: { name: namespace, labels: { team: word } } });
    set('ReplicaSet', {
      metadata: {
        ...{ name: replicas, namespace, uid: replicas },
        ownerReferences: [{ ...revision, kind: 'Deployment', name: workloadName, apiVersion: 'apps/v1' }],
      },
    });
    set('Pod', {
      metadata: {
        ...{ name, namespace, uid: name, labels: { app: word } },
        ownerReferences: [{ ...revision, kind: 'ReplicaSet', name: replicas, apiVersion: 'apps/v1' }],
      },
      spec: { nodeName: 'node-1', containers: [{ name: word, ports: [{ containerPort: 80, name: 'http' }] }] },
      status: { phase: 'Running', podIPs: [{ ip: address }] },
    });
    set('Service', {
      metadata: { name: own!.name, namespace },
      spec: { type: 'ClusterIP', clusterIPs: [own!.address], selector: { app: word }, ports: [{ port: 80 }] },
    });
    const others = { podSelector: { matchLabels: { app: word } }, namespaceSelector: { matchLabels: { team: word } } };
    set('NetworkPolicy', {
      apiVersion: 'networking.k8s.io/v1',
      metadata: { name: reference(namespace).name, namespace },
      spec: {
        podSelector: {},
        policyTypes: ['Ingress', 'Egress'],
        ingress: [{ from: [others] }],
        egress: [{ to: [others] }],
      },
    });
  }
  // It decides about everybody, and its rules name others.
  const labels = { 'k8s:io.kubernetes.pod.namespace': 'vault', app: 'qvaultq0q' };
  set('CiliumClusterwideNetworkPolicy', {
    apiVersion: 'cilium.io/v2',
    metadata: { name: 'everybody' },
    spec: { endpointSelector: {}, ingress: [{ fromEndpoints: [{ matchLabels: labels }] }] },
  });
  const problems = NAMESPACES.map((namespace) => ({
    subject: `Pod ${namespace}/q${namespace}q7q`,
    message: `q${namespace}q8q cannot be read`,
    stale: { sinceMs: 1_000, reason: `q${namespace}q8q is forbidden` },
  }));
  return Object.assign(store, { start: async () => {}, stop: async () => {}, problems: () => problems });
}

/** A node agent that tells of the rules and Services of all namespaces. */
export class MarkedAgent {
  readonly name = 'node-1';
  readonly address: string;
  readonly #server: GrpcServer;

  private constructor(server: GrpcServer) {
    this.#server = server;
    this.address = server.address;
  }

  static async start(): Promise<MarkedAgent> {
    const frontendOf = (namespace: string) => {
      const { address, pod, service: own } = marked(namespace, 0);
      const backends = [{ address, port: 80, node: 'node-1', pod, weight: 1, connections: 3, opened: 30n }];
      return { kind: 'cluster-ip', address: own!.address, port: 80, protocol: 'TCP', backends };
    };
    const services = NAMESPACES.map((namespace) => ({
      ...{ namespace, name: marked(namespace, 0).service!.name, type: 'ClusterIP' },
      clusterIps: [frontendOf(namespace).address],
      frontends: [frontendOf(namespace)],
    }));
    const untranslated = services.map(({ namespace, name, clusterIps: [address = ''] }) => ({
      ...{ node: 'node-1', namespace, service: name, address, port: 80, protocol: 'TCP' },
      ...{
        clientAddress: marked(namespace, 0).address,
        clientNamespace: namespace,
        clientPod: marked(namespace, 0).pod,
      },
    }));
    const server = await startGrpcServer({
      address: '127.0.0.1:0',
      services: [
        service(LoadBalancerService, {
          listServices: async (request) =>
            create(ListServicesResponseSchema, {
              services: services.filter(
                ({ namespace, name }) =>
                  (request.namespace === '' || request.namespace === namespace) &&
                  (request.name === '' || request.name === name),
              ),
              problems: services.map(({ namespace, name }) => `Service ${namespace}/${name} cannot be`),
              untranslated,
              untranslatedTotal: untranslated.length,
            }),
          traceService: async ({ address, port }) => {
            const found = services.find(({ clusterIps }) => clusterIps.includes(address));
            const node = 'node-1';
            if (found === undefined) {
              const steps = [`No Service has the address ${address}.`];
              return create(TraceServiceResponseSchema, { node, outcome: TraceOutcome.UNROUTABLE, steps });
            }
            const { namespace, name, frontends } = found;
            if (port !== 80) {
              const steps = [`${address} is Service ${namespace}/${name}’s, but it has no such port.`];
              return create(TraceServiceResponseSchema, { node, outcome: TraceOutcome.UNROUTABLE, steps });
            }
            return create(TraceServiceResponseSchema, {
              ...{ node, outcome: TraceOutcome.BALANCED, namespace, service: name, frontend: frontends[0] },
              steps: [`${address} is of Service ${namespace}/${name}.`],
              candidates: [{ backend: frontends[0]!.backends[0]!, share: 1 }],
            });
          },
        }),
        service(AgentService, {
          listRuleHits: async () =>
            create(ListRuleHitsResponseSchema, {
              rules: NAMESPACES.map((namespace) => ({
                ...{ effect: RuleEffect.ALLOW, policies: [reference(namespace)], hits: 7n, packets: 9n, direction: 1 },
              })),
            }),
          listEndpoints: notAsked,
          awaitEndpoint: notAsked,
        }),
      ],
    });
    return new MarkedAgent(server);
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }
}

const notAsked = async (): Promise<never> => {
  throw new StatusError(Code.UNIMPLEMENTED, 'backends do not ask this');
};

import { create } from '@bufbuild/protobuf';
import { untranslatedText } from '#core/service/untranslated-text.ts';
import {
  ListServicesRequestSchema,
  LoadBalancerService,
  type ServiceBackend,
  type ServiceFrontend,
  TraceOutcome,
  TraceServiceRequestSchema,
} from '#proto/gen/waggle/v1/service_pb.ts';
import { callUnary } from './grpc-web-client.ts';
import type { TraceQuestion } from './question.ts';
import type { BackendFacts, FrontendFacts, ServiceReport, TraceReport } from './service-report.ts';

/** Throws CallError. */
export async function askServices(base: string): Promise<ServiceReport> {
  const request = create(ListServicesRequestSchema);
  const response = await callUnary(base, LoadBalancerService.method.listServices, request);
  return {
    services: response.services.map(({ namespace, name, type, clusterIps, externalName, frontends }) => ({
      ...{ namespace, name, type, clusterIps, externalName },
      key: `${namespace}/${name}`,
      frontends: frontends.map(frontendFacts),
    })),
    silentNodes: response.silentNodes,
    problems: response.problems,
    kubeProxy: response.kubeProxy.map(({ node, kind, rules }) => ({ node, kind, rules })),
    untranslated: response.untranslated.map(untranslatedText),
    untranslatedTotal: response.untranslatedTotal,
    unavailable: response.unavailable,
    atMs: performance.now(),
  };
}

const OUTCOMES: Readonly<Record<number, TraceReport['outcome']>> = {
  [TraceOutcome.BALANCED]: 'balanced',
  [TraceOutcome.REFUSED]: 'refused',
  [TraceOutcome.UNROUTABLE]: 'unroutable',
};

/** Throws CallError. */
export async function askTrace(base: string, question: TraceQuestion): Promise<TraceReport> {
  const { address, port, protocol, namespace, pod } = question;
  const request = create(TraceServiceRequestSchema, {
    ...{ address, port, protocol },
    clientNamespace: namespace,
    clientPod: pod,
  });
  const response = await callUnary(base, LoadBalancerService.method.traceService, request);
  return {
    node: response.node,
    outcome: OUTCOMES[response.outcome] ?? 'passed',
    steps: response.steps,
    candidates: response.candidates.flatMap(({ backend, share }) =>
      backend === undefined ? [] : [{ text: hostPort(backend.address, backend.port), place: placeOf(backend), share }],
    ),
  };
}

function frontendFacts(frontend: ServiceFrontend): FrontendFacts {
  const { kind, address, port, protocol, portName, affinitySeconds, algorithm, backends } = frontend;
  return {
    ...{ kind, address, port, protocol, portName, affinitySeconds, algorithm },
    text: `${hostPort(address, port)}/${protocol}`,
    backends: backends.map(backendFacts),
  };
}

function backendFacts({
  address,
  port,
  node,
  pod,
  weight,
  terminating,
  connections,
  opened,
}: ServiceBackend): BackendFacts {
  return { ...{ node, pod, weight, terminating, connections }, text: hostPort(address, port), opened: Number(opened) };
}

function hostPort(address: string, port: number): string {
  return `${address.includes(':') ? `[${address}]` : address}:${port}`;
}

function placeOf({ pod, node }: ServiceBackend): string {
  return [pod, node].filter((part) => part !== '').join(' on ');
}

import { create, toBinary } from '@bufbuild/protobuf';
import { pino } from 'pino';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { LAYER7_TYPE, type Layer7 } from '#core/flow/layer7.ts';
import type { ClusterSource } from '#runtime/cluster/source.ts';
import type { Caller } from '#runtime/grpc/caller.ts';
import { EncodedResponses } from '#runtime/grpc/encoded-responses.ts';
import { type ServedService, StatusError } from '#runtime/grpc/service.ts';
import { pod, type SampleFlow, SampleStream } from '#runtime/testing/sample-flows.ts';
import { Gate } from '../access/gate.ts';
import { Permissions } from '../access/permissions.ts';
import type { HiddenEnd } from '../access/visibility.ts';
import { type AnswerParts, openAnswers } from '../answers.ts';
import { HitCollector } from '../policy/hit-collector.ts';
import type { PeerTarget } from '../relay/peer-target.ts';
import { createRelay } from '../relay/relay.ts';
import { ServiceCollector } from '../services/service-collector.ts';
import { Crowd } from '../view/crowd.ts';

export const NAMESPACES = ['shop', 'data', 'payments', 'vault'];
export const JANE: Caller = { user: 'jane', groups: [], uid: '', extra: {} };

export interface GuardedOptions {
  readonly hiddenEnd?: HiddenEnd;
  readonly checkMs?: number;
  readonly overdueMs?: number;
  readonly source?: ClusterSource;
  /** Who is asked about rules and Services. */
  readonly agents?: readonly PeerTarget[];
}

const closing: (() => unknown)[] = [];

/** Closes all that was opened here. */
export async function closeGuarded(): Promise<void> {
  for (const close of closing.splice(0).reverse()) await close();
}

/** Everything that can be asked, over these flows. */
export async function openGuarded(
  flows: readonly SampleFlow[],
  may: ReadonlySet<string> & { away?: boolean; hangs?: boolean },
  { hiddenEnd = 'hidden', checkMs = 50, overdueMs, source, agents = [] }: GuardedOptions = {},
) {
  const relay = createRelay({ window: 4_096 });
  const ingest = relay.openIngest();
  const stream = new SampleStream();
  const send = (more: readonly SampleFlow[]) => {
    ingest.receive(stream.batch(more));
    relay.flush();
  };
  const parts: AnswerParts = {
    source,
    replicas: undefined,
    hits: new HitCollector(),
    serviceCollector: new ServiceCollector(),
    version: '1',
    startedMs: Date.now(),
    replayReason: undefined,
    map: undefined,
    rotation: undefined,
    crowd: new Crowd(),
    onMissed: () => {},
  };
  parts.hits.follow(agents);
  parts.serviceCollector.follow(agents);
  const everything = openAnswers(relay, parts);
  if (flows.length > 0) send(flows);
  const maySee = async (_: Caller, namespace: string | undefined) => {
    if (may.away) throw new Error('the API server is away');
    if (may.hangs) await new Promise(() => {});
    return may.has(namespace ?? '*');
  };
  const permissions = new Permissions(maySee, () => NAMESPACES, checkMs);
  const log = pino({ level: 'silent' });
  const gate = new Gate({
    permissions,
    everything,
    relay,
    parts,
    cluster: () => 'test',
    right: 'get pods',
    hiddenEnd,
    log,
    checkMs,
    overdueMs,
  });
  closing.push(
    () => relay.close(),
    () => everything.close(),
    () => gate.close(),
    () => parts.hits.close(),
    () => parts.serviceCollector.close(),
  );
  const services = gate.guard(everything.forTools);
  return {
    services,
    relay,
    gate,
    send,
    call: (path: string, request: object, signal?: AbortSignal) => call(services, path, request, signal),
  };
}

/** Responses of a call as its caller gets them; of a stream, the first that come within a moment. */
async function* call(
  services: readonly ServedService[],
  path: string,
  request: object,
  signal = new AbortController().signal,
) {
  const method = services.flatMap(({ methods }) => methods).find((each) => each.path === `/${path}`)!;
  const context = { signal, peer: 'test', caller: JANE };
  const message = create(method.descriptor.input, request as Record<string, unknown>);
  const encode = (response: unknown) => toBinary(method.descriptor.output, response as never);
  if (!method.streaming) {
    yield encode(await (method.invoke(message, context) as Promise<unknown>));
    return;
  }
  for await (const response of method.invoke(message, context) as AsyncIterable<unknown>) {
    if (response instanceof EncodedResponses) yield* response.messages();
    else yield encode(response);
  }
}

/** All bytes that come within a time. */
export async function bytesOf(responses: AsyncIterable<Uint8Array>, abort: AbortController, ms = 120): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const timer = setTimeout(() => abort.abort(), ms);
  try {
    for await (const bytes of responses) chunks.push(bytes);
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    chunks.push(Buffer.from(error.message));
  }
  clearTimeout(timer);
  return Buffer.concat(chunks);
}

/** A pod all of whose parts carry a word that nothing else has. */
export function marked(namespace: string, index: number, mark = 'q'): Endpoint {
  const word = `${mark}${namespace}q${index}q`;
  return {
    ...pod(namespace, `w${word}`, 'node-1', `10.${NAMESPACES.indexOf(namespace) + 201}.77.${index + 1}`, word),
    labels: [`k8s:app=${word}`, `k8s:io.kubernetes.pod.namespace=${namespace}`],
    names: [`db${word}.${namespace}.svc.cluster.local`],
    interfaceName: `veth${word}`,
    service: {
      namespace,
      name: `svc${word}`,
      portName: `port${word}`,
      address: `172.16.${NAMESPACES.indexOf(namespace) + 201}.${index}`,
      port: 80,
    },
  };
}

/** A policy whose name nothing else has. */
export const reference = (namespace: string) => ({
  kind: 'NetworkPolicy',
  namespace,
  name: `polq${namespace}q9q`,
  rule: 0,
  path: 'spec.ingress[0]',
});

/** A request that names both its ends, or what somebody looked up. */
export function requestOf(kind: 'http' | 'dns', source: Endpoint, destination: Endpoint, asked: string): Layer7 {
  const more = { type: LAYER7_TYPE.SAMPLE, traceId: '', shortened: false };
  if (kind === 'dns') {
    const { address, names } = marked(asked, 1);
    const seen = { ttl: 5, observationSource: 'proxy', rcode: 0, qtypes: ['A'], rrtypes: ['A'] };
    return { ...more, record: { kind, query: names[0]!, cnames: names, ips: [address], ...seen } };
  }
  const headers = [
    { name: 'Host', value: destination.names[0] ?? destination.pod },
    { name: 'X-Forwarded-For', value: source.address },
  ];
  return {
    ...more,
    record: {
      kind,
      code: 200,
      method: 'GET',
      url: `http://${destination.names[0] ?? destination.pod}:80/a?b=c`,
      protocol: 'HTTP/1.1',
      headers,
    },
  };
}

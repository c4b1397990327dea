import { create, type DescMessage } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FILTER_FIELDS } from '#core/filter/fields.ts';
import { Observer } from '#proto/gen/observer/observer_pb.ts';
import { Peer } from '#proto/gen/peer/peer_pb.ts';
import { FlowService, NodeState, NodeStatusSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { PolicyService } from '#proto/gen/waggle/v1/policy_pb.ts';
import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import { StatusError } from '#runtime/grpc/service.ts';
import { type SampleFlow, TO_ENDPOINT, WORLD } from '#runtime/testing/sample-flows.ts';
import { filledRequest } from '../testing/filled-request.ts';
import { closeGuarded, marked, NAMESPACES, openGuarded, reference, requestOf } from '../testing/guarded-answers.ts';
import { MarkedAgent, markedSource } from '../testing/marked-cluster.ts';

// Jane may see the namespace shop. She asks every method that is served, those of tomorrow too, for what is in vault: she must not be
// told of it, nor that it is there.

/** What somebody may ask for by name. */
interface Target {
  readonly namespace: string;
  /** Part of all other names. */
  readonly word: string;
  readonly address: string;
  readonly serviceAddress: string;
}

const HIDDEN: Target = {
  namespace: 'vault',
  word: 'qvaultq0q',
  address: '10.204.77.1',
  serviceAddress: '172.16.204.0',
};
/** Names as long, of nothing that there is. */
const NOTHING: Target = {
  namespace: 'nowhr',
  word: 'qnowhrq0q',
  address: '10.209.77.1',
  serviceAddress: '172.16.209.0',
};

const pageOf = ({ namespace, word }: Target) => `test/${namespace}/Deployment/w${word}`;

/** Answers to these tell something, to who may see it. Methods that are not here are asked as {@link filledRequest} has it. */
const QUESTIONS: Record<string, (target: Target) => object[]> = {
  [`${ViewService.typeName}/Watch`]: ({ namespace, word, address }) => [
    { flows: true, map: true, last: 1_000 },
    { map: true, perNode: true },
    { flows: true, last: 1_000, namespaces: [namespace] },
    ...filters({ namespace, word, address }).map((filter) => ({ flows: true, map: true, last: 1_000, filter })),
  ],
  [`${ViewService.typeName}/ListNamespaces`]: () => [{}],
  [`${ViewService.typeName}/ListValues`]: ({ word, namespace }) =>
    FILTER_FIELDS.flatMap(({ name: field }) => [
      { field, limit: 200 },
      { field, typed: word.slice(0, 5), limit: 200 },
      { field, namespaces: [namespace], limit: 200 },
    ]),
  [`${ViewService.typeName}/Describe`]: (target) => [
    { card: pageOf(target), last: 100 },
    { card: 'test/shop/Deployment/wqshopq0q', destination: pageOf(target), last: 100 },
    { card: 'test/shop/Deployment/wqshopq0q', last: 100, namespaces: [target.namespace] },
    { card: `test/${target.namespace}/Hidden/hidden`, last: 100 },
  ],
  [`${ViewService.typeName}/GetFlow`]: () =>
    Array.from({ length: 40 }, (_, at) => ({
      boot: { cluster: 'test', node: 'node-1', bootId: 1n },
      sequence: BigInt(at + 1),
    })),
  [`${ViewService.typeName}/Status`]: () => [{}],
  [`${FlowService.typeName}/Follow`]: (target) => [
    { last: 1_000 },
    { last: 1_000, namespaces: [target.namespace] },
    ...filters(target).map((filter) => ({ last: 1_000, filter })),
  ],
  [`${FlowService.typeName}/Status`]: () => [{}],
  [`${PolicyService.typeName}/ListPolicies`]: () => [{}],
  [`${LoadBalancerService.typeName}/ListServices`]: ({ namespace, word }) => [
    {},
    { namespace },
    { namespace, name: `svc${word}` },
    { name: `svc${word}` },
  ],
  [`${LoadBalancerService.typeName}/TraceService`]: ({ namespace, word, address, serviceAddress }) => [
    ...[80, 81].flatMap((port) =>
      [address, serviceAddress].map((to) => ({ ...OWN_POD, address: to, port, protocol: 'TCP' })),
    ),
    { clientNamespace: namespace, clientPod: `w${word}-5f7c-${word}`, address: '172.16.201.0', port: 80 },
    { ...OWN_POD, address: '172.16.201.0', port: 80, protocol: 'TCP' },
    { node: 'node-1', address: serviceAddress, port: 80, protocol: 'TCP' },
  ],
  [`${Observer.typeName}/GetFlows`]: ({ namespace, word, address }) => [
    { number: 1_000n },
    { number: 1_000n, whitelist: [{ sourcePod: [`${namespace}/`] }] },
    { number: 1_000n, whitelist: [{ destinationPod: [`${namespace}/w${word}`] }] },
    { number: 1_000n, whitelist: [{ destinationIp: [address] }] },
    { number: 1_000n, whitelist: [{ destinationFqdn: [`db${word}.*`] }] },
    { number: 1_000n, whitelist: [{ destinationLabel: [`k8s:app=${word}`] }] },
    { number: 1_000n, whitelist: [{ destinationService: [`${namespace}/svc${word}`] }] },
    { number: 1_000n, whitelist: [{ destinationWorkload: [{ kind: 'Deployment', name: `w${word}` }] }] },
  ],
  [`${Observer.typeName}/GetNamespaces`]: () => [{}],
  [`${Observer.typeName}/GetNodes`]: () => [{}],
  [`${Observer.typeName}/ServerStatus`]: () => [{}],
  [`${Peer.typeName}/Notify`]: () => [{}],
};
/** They say so, whoever asks. */
const ANSWERED_BY_NODES = [`${Observer.typeName}/GetAgentEvents`, `${Observer.typeName}/GetDebugEvents`];

const OWN_POD = { clientNamespace: 'shop', clientPod: 'wqshopq0q-5f7c-qshopq0q' };

function filters({ namespace, word, address }: Pick<Target, 'namespace' | 'word' | 'address'>): string[][] {
  return [
    [`ns=${namespace}`],
    [`workload=w${word}`],
    [`pod=w${word}-5f7c-${word}`],
    [`label=app=${word}`],
    [`ip=${address}`],
    [`dns=db${word}.${namespace}.svc.cluster.local`],
    [`svc=${namespace}/svc${word}`],
    [`policy=${namespace}/pol${word.replace('0', '9')}`],
  ];
}

/** Everybody with everybody, by all that can be told of it. */
function flows(): SampleFlow[] {
  const ends = [...NAMESPACES.map((namespace) => marked(namespace, 0)), WORLD];
  return ends.flatMap((source, at) =>
    ends.flatMap((destination, to): SampleFlow[] => {
      if (at === to) return [];
      const asked = NAMESPACES[(at + to) % NAMESPACES.length]!;
      const policies = NAMESPACES.map(reference);
      const decision = { allowedBy: policies, deniedBy: policies, auditDeniedBy: policies };
      const closed = { direction: 2, defaultDeny: true, auditDefaultDeny: false };
      return [
        { source, destination, destinationPort: 80, verdict: 2, decision: { ...decision, ...closed } },
        {
          source,
          destination,
          destinationPort: 80,
          ...TO_ENDPOINT,
          layer7: requestOf('http', source, destination, asked),
        },
        { source, destination, destinationPort: 53, layer7: requestOf('dns', source, destination, asked) },
      ];
    }),
  );
}

let agent: MarkedAgent;
let guarded: Awaited<ReturnType<typeof openGuarded>>;
beforeAll(async () => {
  agent = await MarkedAgent.start();
  const source = markedSource();
  guarded = await openGuarded(flows(), new Set(['shop']), { source, agents: [agent] });
  const node = { cluster: 'test', name: 'node-1', state: NodeState.CONNECTED, address: '192.168.0.1:4244' };
  const status = create(NodeStatusSchema, { ...node, message: 'pods: pod vault/keysqvaultq hangs on ipvlan' });
  guarded.relay.addSource(() => ({
    followed: () => [{ status, answer: undefined, startedMs: undefined }],
    observes: () => false,
    close: async () => {},
  }));
});
afterAll(async () => {
  await closeGuarded();
  await agent.stop();
});

const served = await (async () => {
  const { services } = await openGuarded([], new Set(), { source: markedSource() });
  const paths = services.flatMap(({ methods }) => methods);
  await closeGuarded();
  return paths.map(({ path, streaming, descriptor }) => ({ path: path.slice(1), streaming, input: descriptor.input }));
})();

/** What is answered: bytes, or the words of a refusal. */
async function answer(path: string, request: object): Promise<{ bytes: Buffer; refused?: string }> {
  const abort = new AbortController();
  let timer = setTimeout(() => abort.abort(), 10_000);
  const chunks: Uint8Array[] = [];
  try {
    for await (const bytes of guarded.call(path, request, abort.signal)) {
      chunks.push(bytes);
      // What is there is told at once; a stream that waits for more has told all.
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), 200);
    }
    return { bytes: Buffer.concat(chunks) };
  } catch (error) {
    if (!(error instanceof StatusError))
      throw new Error(`${path} ${JSON.stringify(request, textOfBig)}`, { cause: error });
    const refused = abort.signal.aborted ? undefined : `${error.code} ${error.message}`;
    return { bytes: Buffer.concat([...chunks, Buffer.from(error.message)]), refused };
  } finally {
    clearTimeout(timer);
  }
}

const textOfBig = (_: string, value: unknown) => (typeof value === 'bigint' ? `${value}` : value);

/** Every word that is said of a namespace's things. */
const WORDS = NAMESPACES.filter((name) => name !== 'shop').flatMap((name) => [
  name,
  `10.${NAMESPACES.indexOf(name) + 201}.77.`,
  `172.16.${NAMESPACES.indexOf(name) + 201}.`,
]);

function questions(path: string, input: DescMessage, target: Target): object[] {
  const words = [target.namespace, `w${target.word}`, pageOf(target), target.address, `svc${target.word}`];
  return [...(QUESTIONS[path]?.(target) ?? []), {}, ...words.map((word) => filledRequest(input, word))];
}

describe.each(served)('$path', ({ path, input, streaming }) => {
  it('tells no word of what is hidden', async () => {
    let told = 0;
    const asking = questions(path, input, HIDDEN).map(async (request) => ({
      request,
      ...(await answer(path, request)),
    }));
    for (const { request, bytes, refused } of await Promise.all(asking)) {
      if (refused === undefined) told += bytes.length;
      // A word of every day, and a namespace's.
      let text = bytes.toString('latin1').replaceAll('datapath', '');
      // What she said herself may come back.
      for (const said of saidIn(request)) text = text.replaceAll(said, '');
      const asked = `${path} ${JSON.stringify(request, textOfBig)}`;
      for (const word of WORDS) expect([asked, text.includes(word) ? around(text, word) : '']).toEqual([asked, '']);
    }
    // A method that nobody asked anything that it answers has not been looked at: add a question above.
    if (!ANSWERED_BY_NODES.includes(path)) expect([path, told > 0]).toEqual([path, true]);
  });

  it('answers for what is hidden as for what is not there', async () => {
    const ofNothing = questions(path, input, NOTHING);
    const asking = questions(path, input, HIDDEN).map(async (request, at) => {
      const [one, other] = await Promise.all([answer(path, request), answer(path, ofNothing[at]!)]);
      return { request, one, other };
    });
    for (const { request, one, other } of await Promise.all(asking)) {
      const asked = `${path} ${JSON.stringify(request, textOfBig)}`;
      const translated = one.refused === undefined ? undefined : ofNobody(one.refused);
      expect([asked, translated]).toEqual([asked, other.refused]);
      // What a stream tells by then differs from one moment to the next.
      if (!streaming && one.refused === undefined) {
        expect([asked, one.bytes.length]).toEqual([asked, other.bytes.length]);
      }
    }
  });
});

function saidIn(request: object): string[] {
  const said: string[] = [];
  JSON.stringify(request, (_, value) => {
    // Of a filter that cannot be read, its first letters.
    if (typeof value === 'string' && value !== '') said.push(value, ...(/^[a-z]{5,}/.exec(value) ?? []));
    return textOfBig(_, value);
  });
  return said.sort((a, b) => b.length - a.length);
}

function ofNobody(text: string): string {
  return text
    .replaceAll(HIDDEN.word, NOTHING.word)
    .replaceAll(HIDDEN.namespace, NOTHING.namespace)
    .replaceAll(HIDDEN.address, NOTHING.address)
    .replaceAll(HIDDEN.serviceAddress, NOTHING.serviceAddress);
}

function around(text: string, word: string): string {
  const at = text.indexOf(word);
  return text.slice(Math.max(0, at - 30), at + 30);
}

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, expect, it } from 'vitest';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { LAYER7_TYPE, type Layer7 } from '#core/flow/layer7.ts';
import { Observer } from '#proto/gen/observer/observer_pb.ts';
import { FlowBatchSchema, FlowService, NodeState, NodeStatusSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { PolicyService } from '#proto/gen/waggle/v1/policy_pb.ts';
import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { FlowSide, ViewService, ViewUpdateSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import type { Caller } from '#runtime/grpc/caller.ts';
import { EncodedResponses } from '#runtime/grpc/encoded-responses.ts';
import { Code, type ServedService, StatusError } from '#runtime/grpc/service.ts';
import { pod, type SampleFlow, SampleStream, TO_ENDPOINT, WORLD } from '#runtime/testing/sample-flows.ts';
import { type AnswerParts, openAnswers } from '../answers.ts';
import { HitCollector } from '../policy/hit-collector.ts';
import { createRelay } from '../relay/relay.ts';
import { ServiceCollector } from '../services/service-collector.ts';
import { Crowd } from '../view/crowd.ts';
import { Gate } from './gate.ts';
import { Permissions } from './permissions.ts';
import { type HiddenEnd, Visibility } from './visibility.ts';

const NAMESPACES = ['shop', 'data', 'payments', 'vault'];
const JANE: Caller = { user: 'jane', groups: [], uid: '', extra: {} };

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** Everything that can be asked, over these flows. */
async function open(
  flows: readonly SampleFlow[],
  may: ReadonlySet<string> & { away?: boolean },
  hiddenEnd: HiddenEnd = 'hidden',
  checkMs = 50,
) {
  const relay = createRelay({ window: 4_096 });
  const ingest = relay.openIngest();
  const stream = new SampleStream();
  const send = (more: readonly SampleFlow[]) => {
    ingest.receive(stream.batch(more));
    relay.flush();
  };
  const parts: AnswerParts = {
    source: undefined,
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
  const everything = openAnswers(relay, parts);
  if (flows.length > 0) send(flows);
  const maySee = async (_: Caller, namespace: string | undefined) => {
    if (may.away) throw new Error('the API server is away');
    return may.has(namespace ?? '*');
  };
  const permissions = new Permissions(maySee, () => NAMESPACES, checkMs);
  const log = pino({ level: 'silent' });
  const gate = new Gate({ permissions, everything, relay, parts, cluster: () => 'test', hiddenEnd, log, checkMs });
  closing.push(
    () => relay.close(),
    () => everything.close(),
    () => gate.close(),
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
async function bytesOf(responses: AsyncIterable<Uint8Array>, abort: AbortController, ms = 120): Promise<Buffer> {
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

const QUESTIONS: [string, object][] = [
  [`${ViewService.typeName}/Watch`, { flows: true, map: true, last: 1_000 }],
  [`${ViewService.typeName}/Watch`, { map: true, perNode: true, filter: ['!verdict=dropped'] }],
  [`${ViewService.typeName}/ListNamespaces`, {}],
  ...[
    'ns',
    'pod',
    'workload',
    'label',
    'ip',
    'dns',
    'policy',
    'svc',
    'node',
    'identity',
    'http.path',
    'http.method',
    'http.status',
  ].map((field): [string, object] => [
    `${ViewService.typeName}/ListValues`,
    { field, side: FlowSide.UNSPECIFIED, limit: 200 },
  ]),
  [`${ViewService.typeName}/Status`, {}],
  [`${FlowService.typeName}/Follow`, { last: 1_000 }],
  [`${FlowService.typeName}/Status`, {}],
  [`${PolicyService.typeName}/ListPolicies`, {}],
  [`${LoadBalancerService.typeName}/ListServices`, {}],
  [`${Observer.typeName}/GetFlows`, { number: 1_000n }],
  [`${Observer.typeName}/GetNamespaces`, {}],
  [`${Observer.typeName}/GetNodes`, {}],
  [`${Observer.typeName}/ServerStatus`, {}],
];

/** A pod all of whose parts carry a word that nothing else has. */
function marked(namespace: string, index: number, mark = 'q'): Endpoint {
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

const endpoint = fc
  .record({ namespace: fc.constantFrom(...NAMESPACES, ''), index: fc.nat(3), foreign: fc.boolean() })
  .map(({ namespace, index, foreign }): Endpoint => {
    if (namespace !== '')
      return foreign && index === 3 ? { ...marked(namespace, 9, 'z'), cluster: 'other' } : marked(namespace, index);
    // The world, known by what a hidden pod looked up in the cluster.
    return { ...WORLD, names: foreign ? [`qvaultq${index}q.vault.svc.cluster.local`] : ['example.com'] };
  });

const reference = (namespace: string) => ({
  kind: 'NetworkPolicy',
  namespace,
  name: `polq${namespace}q9q`,
  rule: 0,
  path: 'spec.ingress[0]',
});

const flow = fc
  .record({
    source: endpoint,
    destination: endpoint,
    ingress: fc.boolean(),
    verdict: fc.constantFrom(1, 2),
    policies: fc.subarray(NAMESPACES),
    request: fc.constantFrom(undefined, 'http', 'dns'),
    asked: fc.constantFrom(...NAMESPACES),
  })
  .map(
    ({ source, destination, ingress, verdict, policies, request, asked }): SampleFlow => ({
      source,
      destination,
      verdict,
      layer7: request && requestOf(request, source, destination, asked),
      ...(ingress ? TO_ENDPOINT : {}),
      decision: {
        direction: ingress ? 1 : 2,
        allowedBy: policies.map(reference),
        deniedBy: policies.slice(1).map(reference),
        auditDeniedBy: policies.slice(2).map(reference),
        defaultDeny: false,
        auditDefaultDeny: false,
      },
    }),
  );

/** A request that names both its ends, or what somebody looked up. */
function requestOf(kind: 'http' | 'dns', source: Endpoint, destination: Endpoint, asked: string): Layer7 {
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

it('tells no byte of a hidden name, whatever is asked', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(flow, { minLength: 1, maxLength: 60 }),
      fc.subarray(NAMESPACES, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('hidden', 'namespace'),
      async (flows, allowed, hiddenEnd) => {
        const half = flows.length >> 1;
        const { call, send } = await open(flows.slice(0, half), new Set(allowed), hiddenEnd as HiddenEnd);
        const card = `test/${allowed[0]}/Deployment/wq${allowed[0]}q0q`;
        const hidden = NAMESPACES.filter((name) => !allowed.includes(name));
        const questions: [string, object][] = [
          ...QUESTIONS,
          [`${ViewService.typeName}/Describe`, { card, last: 100 }],
          ...hidden.map((name): [string, object] => [
            `${ViewService.typeName}/Describe`,
            { card: `test/${name}/Hidden/hidden`, last: 100 },
          ]),
          ...Array.from({ length: 4 }, (_, at): [string, object] => [
            `${ViewService.typeName}/GetFlow`,
            { boot: { cluster: 'test', node: 'node-1', bootId: 1n }, sequence: BigInt(at + 1) },
          ]),
        ];
        const answers = questions.map(async ([path, request]) => {
          const abort = new AbortController();
          return { path, bytes: await bytesOf(call(path, request, abort.signal), abort) };
        });
        if (half < flows.length) send(flows.slice(half));
        for (const { path, bytes } of await Promise.all(answers)) {
          const text = bytes.toString('latin1');
          for (const name of hidden) {
            // Words that only things of this namespace carry, and its addresses as text and as bytes.
            expect(`${path} ${text.match(new RegExp(`.{0,20}q${name}q.{0,20}`, 's'))?.[0] ?? ''}`).toBe(`${path} `);
            const at = NAMESPACES.indexOf(name) + 201;
            expect(text).not.toContain(`10.${at}.77.`);
            expect(text).not.toContain(`172.16.${at}.`);
            expect(bytes.includes(Buffer.from([10, at, 77]))).toBe(false);
            if (hiddenEnd === 'hidden') expect([path, text.includes(name)]).toEqual([path, false]);
          }
          // A namespace of the same name in another cluster is another's.
          expect(text).not.toMatch(/z(?:shop|data|payments|vault)q/);
        }
        for (const close of closing.splice(0).reverse()) await close();
      },
    ),
    { numRuns: Number(process.env.WAGGLE_FUZZ_RUNS ?? 60) },
  );
});

it('of a request to a hidden end, its host and its headers are not told; of a name, what may be named', () => {
  const visibility = new Visibility(['shop'], () => 'test');
  const [web, db] = [marked('shop', 0), marked('data', 0)];
  const http = requestOf('http', web, db, 'data');
  const seen = requestOf('http', web, marked('shop', 1), 'shop');
  expect(visibility.request(seen, false)).toBe(seen);
  expect(visibility.request(http, true)).toMatchObject({
    shortened: true,
    record: { method: 'GET', code: 200, url: '/a?b=c', headers: [] },
  });
  const at = (url: string) => ({ ...http, record: { ...http.record, url } }) as Layer7;
  for (const [url, left] of [
    ['db.data.svc:443', ''],
    ['/only/a/path', '/only/a/path'],
    ['https://u:p@db.data.svc', ''],
    ['HTTPS://db.data.svc/x', '/x'],
  ] as const) {
    expect(visibility.request(at(url), true).record).toMatchObject({ url: left });
  }
  const named = requestOf('dns', web, db, 'shop');
  expect(visibility.request(named, true)).toBe(named);
  expect(visibility.request(requestOf('dns', web, db, 'data'), false).record).toMatchObject({
    query: '',
    cnames: [],
    ips: [],
  });
});

it('what is degraded on a node is told without names', async () => {
  const { call, relay } = await open([{ source: marked('shop', 0) }], new Set(['shop']));
  const node = { cluster: 'test', name: 'node-9', state: NodeState.CONNECTED };
  const message = 'pods: pod vault/keysqvaultq hangs on ipvlan';
  relay.addSource(() => ({
    followed: () => [
      { status: create(NodeStatusSchema, { ...node, message }), answer: undefined, startedMs: undefined },
    ],
    observes: () => false,
    close: async () => {},
  }));
  for (const method of [
    `${ViewService.typeName}/Status`,
    `${FlowService.typeName}/Status`,
    `${Observer.typeName}/GetNodes`,
    `${ViewService.typeName}/Watch`,
  ]) {
    const abort = new AbortController();
    const text = (await bytesOf(call(method, { map: true }, abort.signal), abort)).toString('latin1');
    expect([method, text.includes('node-9'), text.includes('vault')]).toEqual([method, true, false]);
  }
});

it('shows flows with one end in an allowed namespace, and no others', async () => {
  const [web, db, vault] = [marked('shop', 0), marked('data', 0), marked('vault', 0)];
  const { call } = await open(
    [
      { source: web, destination: db },
      { source: db, destination: vault },
      { source: vault, destination: web, ...TO_ENDPOINT },
      { source: web, destination: WORLD },
    ],
    new Set(['shop']),
    'namespace',
  );
  const { fromBinary } = await import('@bufbuild/protobuf');
  const batches = [];
  for await (const bytes of call(`${FlowService.typeName}/Follow`, { last: 100 }))
    batches.push(fromBinary(FlowBatchSchema, bytes));
  expect(batches.reduce((sum, { rows }) => sum + rows, 0)).toBe(3);
  const ends = batches.flatMap(({ endpoints }) => endpoints.map((e) => `${e.namespace}/${e.workload?.name ?? ''}`));
  expect(ends.sort()).toEqual(['/', 'data/hidden', 'shop/wqshopq0q', 'vault/hidden']);
});

it('cuts a stream when what its reader may see changes, and refuses who may see nothing', async () => {
  const may = new Set(['shop']);
  const { call, gate } = await open([{ source: marked('shop', 0), destination: marked('data', 0) }], may);
  const watching = (async () => {
    for await (const _ of call(`${ViewService.typeName}/Watch`, { flows: true, map: true }));
  })();
  const ended = expect(watching).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(gate.audiences).toBe(1);
  may.delete('shop');
  await ended;
  await expect(call(`${ViewService.typeName}/Status`, {}).next()).rejects.toMatchObject({
    code: Code.PERMISSION_DENIED,
  });
});

it('ends a stream whose reader may see more by now, so that it begins anew', async () => {
  const may = new Set(['shop']);
  const { call } = await open([], may);
  const watching = (async () => {
    for await (const _ of call(`${ViewService.typeName}/Watch`, { map: true }));
  })();
  const ended = expect(watching).rejects.toMatchObject({ code: Code.ABORTED });
  await new Promise((resolve) => setTimeout(resolve, 100));
  may.add('data');
  await ended;
});

it('outlives an API server that restarts, not one that stays away', async () => {
  const may: Set<string> & { away?: boolean } = new Set(['shop']);
  const { call } = await open([], may, 'hidden', 400);
  const responses = call(`${ViewService.typeName}/Watch`, { flows: true, map: true });
  await responses.next();
  may.away = true;
  await new Promise((resolve) => setTimeout(resolve, 500));
  may.away = false;
  const until = Date.now() + 1_000;
  while (Date.now() < until) expect((await responses.next()).done).toBe(false);
  may.away = true;
  const read = async () => {
    while (!(await responses.next()).done);
  };
  await expect(read()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
});

it('resumes after what a reader had, and takes flows it may not see for no loss', async () => {
  const { call, send } = await open([], new Set(['shop']));
  const hidden = { source: marked('data', 0), destination: marked('vault', 0) };
  const seen = { source: marked('shop', 0), destination: WORLD };
  send([seen, hidden, hidden, seen]);
  const { fromBinary } = await import('@bufbuild/protobuf');
  const read = async (request: object) => {
    const abort = new AbortController();
    const updates = [];
    const timer = setTimeout(() => abort.abort(), 300);
    for await (const bytes of call(`${ViewService.typeName}/Watch`, request, abort.signal))
      updates.push(fromBinary(ViewUpdateSchema, bytes));
    clearTimeout(timer);
    const flows = updates.flatMap((update) => update.flows ?? []);
    return {
      rows: flows.reduce((sum, { rows }) => sum + rows, 0),
      losses: flows.flatMap(({ losses }) => losses),
      cursor: flows.at(-1)?.cursor,
    };
  };
  const first = await read({ flows: true, last: 100 });
  expect([first.rows, first.losses]).toEqual([2, []]);
  send([hidden, hidden, seen, hidden]);
  const again = await read({ flows: true, cursor: first.cursor });
  expect([again.rows, again.losses]).toEqual([1, []]);
});

it('refuses whoever has not said who they are', async () => {
  const { services } = await open([], new Set(['*']));
  for (const method of services.flatMap(({ methods }) => methods)) {
    const context = { signal: new AbortController().signal, peer: 'test' };
    const answer = method.invoke(create(method.descriptor.input, {}), context);
    const first = method.streaming
      ? (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
      : (answer as Promise<unknown>);
    await expect(first, method.path).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
  }
});

it('lets nobody in while nobody can tell what they may see', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'waggle-access-'));
  closing.push(() => rm(folder, { recursive: true }));
  const permissions = new Permissions(
    async () => {
      throw new Error('the API server is away');
    },
    () => NAMESPACES,
  );
  await expect(permissions.of(JANE)).rejects.toThrow('away');
  expect(permissions.size).toBe(0);
});

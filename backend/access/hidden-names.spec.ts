import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { afterEach, expect, it } from 'vitest';
import { FILTER_FIELDS } from '#core/filter/fields.ts';
import type { Endpoint } from '#core/flow/endpoint.ts';
import { Observer } from '#proto/gen/observer/observer_pb.ts';
import { FlowService, NodeState, NodeStatusSchema } from '#proto/gen/waggle/v1/flow_pb.ts';
import { PolicyService } from '#proto/gen/waggle/v1/policy_pb.ts';
import { LoadBalancerService } from '#proto/gen/waggle/v1/service_pb.ts';
import { FlowSide, ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import { type SampleFlow, TO_ENDPOINT, WORLD } from '#runtime/testing/sample-flows.ts';
import {
  bytesOf,
  closeGuarded,
  marked,
  NAMESPACES,
  openGuarded,
  reference,
  requestOf,
} from '../testing/guarded-answers.ts';
import type { HiddenEnd } from './visibility.ts';

afterEach(closeGuarded);

const QUESTIONS: [string, object][] = [
  [`${ViewService.typeName}/Watch`, { flows: true, map: true, last: 1_000 }],
  [`${ViewService.typeName}/Watch`, { map: true, perNode: true, filter: ['!verdict=dropped'] }],
  [`${ViewService.typeName}/ListNamespaces`, {}],
  ...FILTER_FIELDS.map(({ name: field }): [string, object] => [
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

const endpoint = fc
  .record({ namespace: fc.constantFrom(...NAMESPACES, ''), index: fc.nat(3), foreign: fc.boolean() })
  .map(({ namespace, index, foreign }): Endpoint => {
    if (namespace !== '')
      return foreign && index === 3 ? { ...marked(namespace, 9, 'z'), cluster: 'other' } : marked(namespace, index);
    // What a program asked for before it was exchanged, or had no backend: a Service's own address.
    if (index === 3) {
      const { service } = marked(NAMESPACES[foreign ? 3 : 0]!, index);
      return { ...WORLD, address: service!.address, labels: [], service };
    }
    // The world, known by what a hidden pod looked up in the cluster.
    return { ...WORLD, names: foreign ? [`qvaultq${index}q.vault.svc.cluster.local`] : ['example.com'] };
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

it('tells no byte of a hidden name, whatever is asked', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(flow, { minLength: 1, maxLength: 60 }),
      fc.subarray(NAMESPACES, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('hidden', 'namespace'),
      async (flows, allowed, hiddenEnd) => {
        const half = flows.length >> 1;
        const { call, send } = await openGuarded(flows.slice(0, half), new Set(allowed), {
          hiddenEnd: hiddenEnd as HiddenEnd,
        });
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
        await closeGuarded();
      },
    ),
    { numRuns: Number(process.env.WAGGLE_FUZZ_RUNS ?? 60) },
  );
});

it('what is degraded on a node is told without names', async () => {
  const { call, relay } = await openGuarded([{ source: marked('shop', 0) }], new Set(['shop']));
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

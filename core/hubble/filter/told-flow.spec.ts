import { create, type MessageInitShape } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Flow, FlowFilterSchema, FlowSchema } from '#proto/gen/flow/flow_pb.ts';
import { allocateColumns } from '../../flow/columns.ts';
import { FlowWindow } from '../../flow/flow-window.ts';
import { flowMessage } from '../flow-message.ts';
import { writeFlowRow } from '../flow-row.ts';
import { generatedWindow } from '../generated-flows.ts';
import { compileFlowFilters, loadFilterParts } from './compile.ts';
import { passes } from './slow-reading.ts';

// Flows that somebody told, with what our columns do not hold, asked by way of a row each.

type FilterInit = MessageInitShape<typeof FlowFilterSchema>;

const HTTP = [
  { code: 0, method: 'GET', url: 'http://shop:80/cart/1?a=/x', headers: [{ key: 'Accept', value: '*/*' }] },
  { code: 200, method: 'get', url: '/cart', headers: [] },
  { code: 404, method: 'PUT', url: 'https://shop/login#x', headers: [{ key: 'X-A', value: 'b' }] },
  { code: 503, method: 'POST', url: 'http://shop', headers: [] },
];
const DNS = ['shop.example.com.', 'db.'];

/** Generated flows, most of them with more than our own ever have. */
const flows: Flow[] = (() => {
  const window = generatedWindow(300, 11);
  return Array.from({ length: 300 }, (_, row) => {
    const flow = flowMessage(window.columns, row, window);
    if (flow.IP !== undefined) {
      flow.IP.encrypted = row % 5 === 0;
      flow.IP.sourceXlated = row % 7 === 0 ? '192.168.7.7' : '';
    }
    if (row % 4 === 0) flow.nodeName = 'a-node';
    if (row % 6 === 0) flow.nodeLabels = ['k8s:zone=a'];
    if (row % 3 === 0) flow.uuid = `somebody-${row}`;
    const more: MessageInitShape<typeof FlowSchema> = {
      eventType: row % 3 === 0 ? { type: 129 } : flow.eventType,
      traceContext: row % 8 === 0 ? { parent: { traceId: 'abc' } } : undefined,
      ipTraceId: row % 9 === 0 ? { traceId: 7n } : undefined,
      l7:
        row % 3 !== 0
          ? undefined
          : row % 2 === 0
            ? { type: 1, record: { case: 'http', value: HTTP[(row / 6) % HTTP.length]! } }
            : { type: 1, record: { case: 'dns', value: { query: DNS[((row - 3) / 6) % DNS.length]! } } },
    };
    const { l7, traceContext, ipTraceId, eventType } = create(FlowSchema, more);
    return { ...flow, l7, traceContext, ipTraceId, eventType };
  });
})();

async function answers(filter: FilterInit): Promise<boolean[]> {
  const whitelist = [create(FlowFilterSchema, filter)];
  await loadFilterParts({ whitelist, blacklist: [] });
  const store = new FlowWindow(1);
  let flow: Flow;
  const holds = compileFlowFilters(
    { whitelist, blacklist: [] },
    { endpoints: store.endpoints, nodes: store.nodes, decisions: store.decisions, told: () => flow },
  );
  const columns = allocateColumns(1);
  return flows.map((one) => {
    flow = one;
    writeFlowRow(one, { cluster: '', node: '', bootId: 0n }, 1, columns, 0, store);
    store.push(columns, 0);
    return holds(store.columns, 0);
  });
}

const some = <T>(...values: T[]) => fc.subarray(values, { minLength: 1, maxLength: 2 });

const asksHttp = (filter: FilterInit) => Object.keys(filter).some((field) => field.startsWith('http'));

const anyFilter: fc.Arbitrary<FilterInit> = fc.oneof(
  some('404', '4+', '50+', '200').map((httpStatusCode) => ({ httpStatusCode })),
  some('GET', 'put').map((httpMethod) => ({ httpMethod })),
  some('^/cart', '^/$', 'x', '/login$').map((httpPath) => ({ httpPath })),
  some('^http://shop', 'x$').map((httpUrl) => ({ httpUrl })),
  some({ key: 'X-A', value: 'b' }, { key: 'Accept', value: 'b' }).map((httpHeader) => ({ httpHeader })),
  some('^db', 'example').map((dnsQuery) => ({ dnsQuery })),
  some('http', 'DNS', 'udp', 'kafka').map((protocol) => ({ protocol })),
  some({ type: 129 }, { type: 1 }, { type: 4, matchSubType: true, subType: 0 }).map((eventType) => ({ eventType })),
  some('abc', 'x').map((traceId) => ({ traceId })),
  some(7n, 0n, 8n).map((ipTraceId) => ({ ipTraceId })),
  some(true, false).map((encrypted) => ({ encrypted })),
  some('somebody-3', 'x').map((uuid) => ({ uuid })),
  some('a=b', '!a').map((nodeLabels) => ({ nodeLabels })),
  some('192.168.0.0/16', '10.0.0.1').map((sourceIpXlated) => ({ sourceIpXlated })),
  some('shop/', 'default/x').map((sourceService) => ({ sourceService })),
  some('/cart', 'shop/y').map((destinationService) => ({ destinationService })),
  some('shop/', 'xwing').map((sourcePod) => ({ sourcePod })),
);

test('what was told is asked by the same rules', async () => {
  let matched = 0;
  await fc.assert(
    fc.asyncProperty(anyFilter, anyFilter, async (a, b) => {
      for (const filter of [a, { ...a, ...b } as FilterInit]) {
        // Refused: see http.ts.
        if (asksHttp(filter) && filter.eventType?.every(({ type }) => type !== 129)) continue;
        const expected = flows.map((flow) => passes(flow, [create(FlowFilterSchema, filter)], []));
        matched += expected.filter(Boolean).length;
        expect(await answers(filter)).toEqual(expected);
      }
    }),
    { numRuns: 60 },
  );
  expect(matched).toBeGreaterThan(1_000);
});

test.each<[FilterInit, (flow: Flow) => boolean]>([
  [{ nodeName: ['default/a-node'] }, ({ nodeName }) => nodeName === 'a-node'],
  [{ nodeLabels: ['zone=a'] }, ({ nodeLabels }) => nodeLabels.length > 0],
  [
    { experimental: { celExpression: ["_flow.l7.http.method == 'PUT'"] } },
    ({ l7 }) => l7?.record.case === 'http' && l7.record.value.method === 'PUT',
  ],
])('%j', async (filter, expected) => {
  const wanted = flows.map(expected);
  expect(wanted).toContain(true);
  expect(await answers(filter)).toEqual(wanted);
});

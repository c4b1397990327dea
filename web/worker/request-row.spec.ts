import { expect, it } from 'vitest';
import { allocateColumns } from '#core/flow/columns.ts';
import { FLOW_CSV_HEADER, flowCsvCells } from '#core/flow/flow-csv.ts';
import { writeLayer7 } from '#core/flow/layer7.ts';
import { rowObject } from '#core/flow/testing/row-object.ts';
import { flowDetails } from './flow-details.ts';
import { flowRow } from './flow-row.ts';
import { GroupTable } from './group-table.ts';
import { PageWindow } from './page-window.ts';
import { sortKeys } from './sort-keys.ts';

// Columns of a request hold other things than packets and round trips: nobody may take them for those.

const window = new PageWindow(16);
const columns = allocateColumns(1);
columns.node[0] = window.nodeNumber({ cluster: 'c', node: 'n', bootId: 1n });
columns.protocol[0] = 6;
columns.verdict[0] = 1;
columns.reply[0] = 1;
const headers = [{ name: 'Accept', value: '*/*' }];
for (const [sequence, code] of [503, 200].entries()) {
  const record = {
    kind: 'http',
    code,
    method: 'POST',
    url: 'http://cart/pay?a=1',
    protocol: 'HTTP/1.1',
    headers,
  } as const;
  const number = window.layer7.intern({ type: 2, record, traceId: 'abc', shortened: false });
  columns.sequence[0] = sequence + 1;
  writeLayer7(columns, 0, number, 1_500_000_000);
  window.push(columns, 0);
}
const slot = window.slot(0);

it('is told in words, without packets, round trip or segments sent again', () => {
  expect(flowRow(window, 0)).toMatchObject({
    layer7: '← 503 1.5 s POST /pay?a=1',
    info: '← 503 1.5 s POST /pay?a=1',
    ...{ packets: 0, bytes: 0, rttMicros: 0, retransmits: 0 },
  });
});

it('has every field, with the filters that ask for its like', () => {
  const { facts, json } = flowDetails(window, 0);
  const of = (name: string) => facts.find((fact) => fact.section === 'request' && fact.name === name);
  expect(of('Status')).toMatchObject({ text: '503', tokens: ['http.status=503', 'http.status=5xx'] });
  expect(of('URL')).toMatchObject({ text: 'http://cart/pay?a=1', tokens: ['http.path=/pay'] });
  expect(of('Header')).toMatchObject({ text: 'Accept: */*', tokens: [] });
  expect(of('Trace')?.text).toBe('abc');
  expect(facts.filter(({ section }) => section === 'traffic')).toEqual([]);
  expect(JSON.parse(json).flow.l7).toMatchObject({ type: 'RESPONSE', latency_ns: '1500000000', http: { code: 503 } });
});

it('adds nothing to the sums of its group', () => {
  const groups = new GroupTable(window);
  groups.add(0);
  groups.add(1);
  expect(groups.size).toBe(1);
  const { packets, retransmits, rtt, count } = groups.columns;
  expect([packets[0], retransmits[0], rtt[0], count[0]]).toEqual([0, 0, 0, 2]);
});

it('sorts by what it says', () => {
  const [latency, words] = sortKeys(window, 'layer7', () => [0, 1]);
  expect(latency(0)).toBe(1_500_000);
  expect(words(1)).toBeLessThan(words(0));
  for (const column of ['packets', 'rtt', 'retransmits'] as const) {
    expect(sortKeys(window, column, () => [0, 1]).map((key) => key(0))).toEqual([0]);
  }
});

it('is exported as what it is', () => {
  const cells = flowCsvCells(window.columns, slot, window, 0n, 'id');
  const cell = (name: string) => cells[FLOW_CSV_HEADER.indexOf(name)];
  expect(['packets_reply', 'rtt_us', 'retransmits', 'layer7', 'latency_us'].map(cell)).toEqual([
    ...[0, '', 0],
    'HTTP/1.1 503 1500ms (POST http://cart/pay?a=1)',
    1_500_000,
  ]);
  const { endpoints, nodes, decisions, layer7 } = window;
  expect(rowObject(window.columns, slot, endpoints, nodes, decisions, layer7)).toMatchObject({
    ...{ packetsReply: 0, rttMicros: 0, retransmits: 0, latencyNs: 1_500_000_000, layer7: { traceId: 'abc' } },
  });
});

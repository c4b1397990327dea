import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type FlowFilter, FlowFilterSchema } from '#proto/gen/flow/flow_pb.ts';
import { flowMessage } from '../flow-message.ts';
import { ENDPOINTS, generatedWindow } from '../generated-flows.ts';
import { compileFlowFilters, loadFilterParts } from './compile.ts';
import { FlowFilterError } from './filter-part.ts';
import { anyFilter, type FilterInit, filter } from './generated-filters.ts';
import { passes } from './slow-reading.ts';

const window = generatedWindow(600, 7);
const flows = Array.from({ length: window.length }, (_, row) => flowMessage(window.columns, row, window));
describe('filters on columns', () => {
  it('are those of a slow, direct reading of the rules', () => {
    let matched = 0;
    fc.assert(
      fc.property(
        fc.array(anyFilter, { maxLength: 3 }),
        fc.array(anyFilter, { maxLength: 2 }),
        (whitelist, blacklist) => {
          const fast = compileFlowFilters({ whitelist, blacklist }, window);
          for (const [row, flow] of flows.entries()) {
            const expected = passes(flow, whitelist, blacklist);
            if (expected) matched++;
            expect(fast(window.columns, row), `row ${row}`).toBe(expected);
          }
        },
      ),
      { numRuns: 150 },
    );
    expect(matched).toBeGreaterThan(3_000);
  });

  it.each(Object.keys(filter({})).filter((name) => !name.startsWith('$')))(
    'field %s alone holds for what it should',
    (name) => {
      fc.assert(
        fc.property(
          anyFilter.filter((one) => {
            const values = one[name as keyof FlowFilter];
            return Array.isArray(values) && values.length > 0;
          }),
          (one) => {
            const alone = filter({ [name]: one[name as keyof FlowFilter] } as FilterInit);
            const fast = compileFlowFilters({ whitelist: [alone], blacklist: [] }, window);
            for (const [row, flow] of flows.entries())
              expect(fast(window.columns, row)).toBe(passes(flow, [alone], []));
          },
        ),
        { numRuns: 3 },
      );
    },
  );

  it('know an address by another way of writing it', () => {
    const fast = compileFlowFilters({ whitelist: [filter({ sourceIp: ['FD00:0:0::12'] })], blacklist: [] }, window);
    const rows = flows.flatMap(({ IP }, row) => (IP?.source === 'fd00::12' ? [row] : []));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(fast(window.columns, row)).toBe(true);
  });
});

describe('CEL', () => {
  const cel = (...celExpression: string[]) => [filter({ experimental: { celExpression } })];
  beforeAll(() => loadFilterParts({ whitelist: cel('true'), blacklist: [] }));

  const matching = (...expressions: string[]) => {
    const fast = compileFlowFilters({ whitelist: cel(...expressions), blacklist: [] }, window);
    return flows.filter((_, row) => fast(window.columns, row));
  };

  it('asks the flow', () => {
    expect(matching('_flow.verdict == Verdict.DROPPED')).toEqual(flows.filter(({ verdict }) => verdict === 2));
    expect(matching("_flow.source.pod_name.startsWith('xwing') && _flow.l4.TCP.destination_port == 80u")).toEqual(
      flows.filter(
        ({ source, l4 }) =>
          source?.podName.startsWith('xwing') &&
          l4?.protocol.case === 'TCP' &&
          l4.protocol.value.destinationPort === 80,
      ),
    );
    expect(matching("_flow.source.labels.exists(l, l == 'reserved:init')").length).toBeGreaterThan(0);
    expect(matching('false', '_flow.IP.source.matches("^10[.]0[.]1[.]")').length).toBeGreaterThan(0);
  });

  it('does not hold where it fails', () => {
    expect(matching('_flow.source_names[99] == "x"')).toEqual([]);
  });

  it.each(['1', '_flow.is_reply', '_flow.source.labels', '"true"'])(
    '%s is refused: it is not true or false',
    (text) => {
      expect(() => matching(text)).toThrow(/is not true or false of a flow/);
    },
  );

  it.each(['_flow.nothing_of_the_kind == 1', 'unknown', 'foo(_flow)', '_flow.verdict == BAD', '('])(
    '%s is refused: it means nothing',
    (text) => {
      expect(() => matching(text)).toThrow(/is not a CEL expression/);
    },
  );

  it('asks so many expressions of a flow and no more', () => {
    const filters = (count: number) => ({
      whitelist: Array.from({ length: count }, () =>
        create(FlowFilterSchema, { experimental: { celExpression: ['true'] } }),
      ),
      blacklist: [],
    });
    compileFlowFilters(filters(32), window);
    expect(() => compileFlowFilters(filters(33), window)).toThrow('"33" are more than 32 expressions');
  });

  it.each(['[1].all(x, [1].all(y, true))', 'a'.repeat(2_000)])('%s is refused, or holds for nothing', (text) => {
    try {
      expect(matching(text)).toEqual([]);
    } catch (error) {
      expect(error).toBeInstanceOf(FlowFilterError);
    }
  });
});

describe('values that mean nothing', () => {
  it.each<[FilterInit, RegExp]>([
    [{ sourceIp: ['10.0.0'] }, /source_ip: "10.0.0" is not an IP address/],
    [{ destinationIp: ['10.0.0.0/33'] }, /destination_ip.*not a range/],
    [{ sourceIpXlated: ['x'] }, /source_ip_xlated/],
    [{ sourcePod: [''] }, /source_pod: "" is empty/],
    [{ destinationService: [''] }, /destination_service/],
    [{ sourceFqdn: ['a..'] }, /more than one dot/],
    [{ sourceFqdn: ['a b'] }, /characters that no name has/],
    [{ destinationFqdn: ['.'] }, /is empty/],
    [{ sourceLabel: ['a in b'] }, /not a label selector/],
    [{ sourceLabel: ['=x'] }, /not a label key/],
    [{ destinationLabel: ['a=b c'] }, /not a label selector/],
    [{ nodeLabels: ['a,,b'] }, /not a label key/],
    [{ sourceLabel: ['a>x'] }, /not a whole number/],
    [{ sourcePort: ['http'] }, /source_port: "http" is not a port/],
    [{ destinationPort: ['65536'] }, /not a port/],
    [{ destinationPort: ['-1'] }, /not a port/],
    [{ protocol: ['quic'] }, /protocol: "quic" is not one of tcp, udp/],
    [{ protocol: ['constructor'] }, /is not one of/],
    [{ httpStatusCode: ['600'] }, /not a status/],
    [{ httpStatusCode: ['40'] }, /not a status/],
    [{ httpPath: ['('] }, /not a regular expression/],
    [{ httpUrl: ['a{99999}'] }, /not a regular expression/],
    [{ dnsQuery: ['(?<=a)b'] }, /not a regular expression/],
    [{ httpMethod: ['GET'], eventType: [{ type: 1 }, { type: 4 }] }, /event_type: "1, 4" has no HTTP/],
    [{ nodeName: [''] }, /node_name: "" is empty/],
    [{ nodeName: ['a/b/c'] }, /more than one slash/],
    [{ sourceClusterName: [''] }, /is empty/],
  ])('%j', (init, message) => {
    expect(() => compileFlowFilters({ whitelist: [], blacklist: [filter(init)] }, window)).toThrow(message);
    expect(() => compileFlowFilters({ whitelist: [filter(init)], blacklist: [] }, window)).toThrow(FlowFilterError);
  });

  it('a hostile pattern costs little', () => {
    const nasty = filter({ sourceFqdn: ['*a'.repeat(200)], httpPath: ['(a+)+$'], dnsQuery: ['(x*)*y'] });
    const before = process.cpuUsage();
    const fast = compileFlowFilters({ whitelist: [nasty], blacklist: [] }, window);
    for (let row = 0; row < flows.length; row++) fast(window.columns, row);
    expect(process.cpuUsage(before).user / 1e3).toBeLessThan(2_000);
    expect(ENDPOINTS.length).toBeGreaterThan(5);
  });
});

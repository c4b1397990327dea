import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocateColumns } from '../flow/columns.ts';
import { DROP_REASON } from '../flow/drop-reason.ts';
import { type Endpoint, NO_ENDPOINT } from '../flow/endpoint.ts';
import { FlowWindow } from '../flow/flow-window.ts';
import { TCP_FLAG } from '../flow/tcp-flags.ts';
import { VERDICT } from '../flow/verdict.ts';
import { compileFilter, compileNamespaces } from './compile-filter.ts';
import { FILTER_FIELDS } from './fields.ts';
import { FILTER_LIMITS } from './filter.ts';
import { parseFilter } from './parse-filter.ts';
import { filterKey, printFilter } from './print-filter.ts';

const WEB: Endpoint = {
  ...NO_ENDPOINT,
  address: '10.0.1.7',
  identity: 0x40000007,
  namespace: 'shop',
  pod: 'web-7d4b-x2x',
  workloadKind: 'Deployment',
  workloadName: 'web',
  labels: ['k8s:app=web', 'k8s:tier=front'],
};
const DB: Endpoint = {
  ...NO_ENDPOINT,
  address: 'fd00::9',
  identity: 0x40000009,
  namespace: 'data',
  pod: 'maindb-0',
  workloadKind: 'StatefulSet',
  workloadName: 'maindb',
  labels: ['k8s:app=db'],
};
const WORLD: Endpoint = {
  ...NO_ENDPOINT,
  address: '93.184.216.34',
  identity: 9,
  labels: ['reserved:world-ipv4'],
  names: ['www.Example.com.'],
};
const ENDPOINTS = [WEB, DB, WORLD, NO_ENDPOINT];

interface Row {
  source: Endpoint;
  destination: Endpoint;
  sourcePort: number;
  destinationPort: number;
  protocol: number;
  verdict: number;
  dropReason: number;
  direction: number;
  reply: number;
  tcpFlags: number;
  node: string;
}

const SYN: Row = {
  source: WEB,
  destination: DB,
  sourcePort: 41000,
  destinationPort: 3306,
  protocol: 6,
  verdict: VERDICT.FORWARDED,
  dropReason: 0,
  direction: 2,
  reply: 0,
  tcpFlags: TCP_FLAG.SYN,
  node: 'node-1',
};

function passes(tokens: string[], row: Row): boolean {
  const window = new FlowWindow(4);
  const columns = allocateColumns(1);
  columns.source[0] = window.endpoints.intern(row.source);
  columns.destination[0] = window.endpoints.intern(row.destination);
  columns.node[0] = window.nodeNumber({ cluster: 'bees', node: row.node, bootId: 1n });
  for (const name of ['sourcePort', 'destinationPort', 'protocol', 'verdict', 'dropReason'] as const) {
    columns[name][0] = row[name];
  }
  for (const name of ['direction', 'reply', 'tcpFlags'] as const) columns[name][0] = row[name];
  const { filter, errors } = parseFilter(tokens);
  expect(errors).toEqual([]);
  return compileFilter(filter, window)(columns, 0);
}

describe('a filter', () => {
  it.each([
    [['pod=web'], true],
    [['pod=shop/'], true],
    [['pod=/web'], true],
    [['pod=shop/web-7d4b'], true],
    [['pod=data/web'], false],
    [['from:pod=maindb'], false],
    [['to:pod=maindb'], true],
    [['!to:pod=maindb'], false],
    [['!pod=other'], true],
    [['ns=shop'], true],
    [['ns=sh*'], true],
    [['ns=sho'], false],
    [['from:ns=data'], false],
    [['workload=web'], true],
    [['workload=Deployment/web'], true],
    [['workload=shop/web'], true],
    [['workload=shop/StatefulSet/web'], false],
    [['workload=shop/Deployment/web'], true],
    [['label app=web'], true],
    [['label=app=web'], true],
    [['label app=web,tier=front'], true],
    [['label app=web,tier=back'], false],
    [['label tier'], true],
    [['label reserved:app'], false],
    [['from:label k8s:app=db'], false],
    [['ip=10.0.0.0/8'], true],
    [['ip=10.0.1.7'], true],
    [['ip=10.0.1.6'], false],
    [['ip=::ffff:10.0.1.7'], true],
    [['to:ip=fd00::/64'], true],
    [['ip=0.0.0.0/0'], true],
    [['to:ip=0.0.0.0/0'], false],
    [['identity=1073741831'], true],
    [['identity=world'], false],
    [['port=3306'], true],
    [['port=80,3300-3310'], true],
    [['from:port=3306'], false],
    [['to:port=3306'], true],
    [['proto=tcp'], true],
    [['proto=17'], false],
    [['proto=icmp'], false],
    [['verdict=dropped'], false],
    [['verdict=dropped,forwarded'], true],
    [['reason=policy-denied'], false],
    [['node=node-1'], true],
    [['node=bees/node-*'], true],
    [['node=wasps/'], false],
    [['tcp-flag=syn'], true],
    [['tcp-flag=syn+ack'], false],
    [['tcp-flag=syn+ack,syn'], true],
    [['direction=egress'], true],
    [['reply=false'], true],
    [['reply=true'], false],
    [['ns=shop', 'port=3306', '!verdict=dropped'], true],
    [['ns=shop', 'port=3307'], false],
    [[], true],
  ])('%j decides a SYN from shop/web to data/maindb: %s', (tokens, expected) => {
    expect(passes(tokens, SYN)).toBe(expected);
  });

  it('knows names and reserved identities of the world', () => {
    const row = { ...SYN, destination: WORLD };
    expect(passes(['dns=www.example.com'], row)).toBe(true);
    expect(passes(['to:dns=*.EXAMPLE.com.'], row)).toBe(true);
    expect(passes(['dns=example.com'], row)).toBe(false);
    expect(passes(['identity=world'], row)).toBe(true);
    expect(passes(['identity=world-ipv6'], row)).toBe(false);
  });

  it('counts a drop of unknown orientation as no reply', () => {
    const row = { ...SYN, reply: 2 };
    expect(passes(['reply=false'], row)).toBe(false);
    expect(passes(['reply=false'], { ...row, verdict: VERDICT.DROPPED })).toBe(true);
    expect(passes(['reason=policy-denied'], { ...row, verdict: 2, dropReason: DROP_REASON.POLICY_DENIED })).toBe(true);
  });

  it('does not take an ICMP type for a port', () => {
    expect(passes(['port=8'], { ...SYN, protocol: 1, sourcePort: 8, destinationPort: 0 })).toBe(false);
    expect(passes(['proto=icmp'], { ...SYN, protocol: 58 })).toBe(true);
  });

  it('asks anew when an endpoint number comes to stand for another endpoint', () => {
    const window = new FlowWindow(1);
    const columns = allocateColumns(1);
    const { filter } = parseFilter(['ns=shop']);
    const predicate = compileFilter(filter, window);
    columns.source[0] = window.endpoints.intern(WEB);
    window.push(columns, 0);
    expect(predicate(columns, 0)).toBe(true);
    const number = columns.source[0];
    columns.source[0] = 0;
    window.push(columns, 0);
    expect(window.endpoints.intern(DB)).toBe(number);
    columns.source[0] = number;
    expect(predicate(columns, 0)).toBe(false);
  });

  it('restricts to rows with one end in a namespace', () => {
    const window = new FlowWindow(1);
    const columns = allocateColumns(1);
    columns.source[0] = window.endpoints.intern(WEB);
    columns.destination[0] = window.endpoints.intern(WORLD);
    expect(compileNamespaces(['shop', 'x'], window)(columns, 0)).toBe(true);
    expect(compileNamespaces(['sh*'], window)(columns, 0)).toBe(false);
    expect(compileNamespaces([], window)(columns, 0)).toBe(true);
  });
});

describe('parsing a filter', () => {
  it.each([
    ['pod', 3, 3, 'expected a value, as in pod=shop/frontend'],
    ['pod=', 4, 5, 'expected a value, as in pod=shop/frontend'],
    ['port=80,,443', 8, 9, 'expected a value'],
    ['port=80, 99999', 9, 14, '"99999" is not a port'],
    ['bogus=1', 0, 5, '"bogus" is not a filter'],
    ['from:verdict=dropped', 0, 5, '"from:" makes no sense before verdict'],
    ['!!pod=a', 1, 2, '"!" stands here twice'],
    ['ip=10.0.0.0/33', 3, 14, '"/33" is not a prefix length'],
    ['ip=10.0.0', 3, 9, 'is not an IP address'],
    ['port=90-80', 5, 10, 'ends before it begins'],
    ['label k8s:=x', 6, 12, 'the label key is empty'],
    ['', 0, 1, 'expected ns, pod'],
    ['constructor=1', 0, 11, '"constructor" is not a filter'],
    ['verdict=droped', 8, 14, '"droped" is not a verdict: unknown, forwarded, dropped'],
    ['!port!=80', 5, 6, '"!" stands here twice'],
    ['reply=toString', 6, 14, 'is not one of false, true, unknown'],
  ])('%j: marks %i to %i', (token, start, end, message) => {
    const { filter, errors } = parseFilter(['verdict=dropped', token, 'port=80']);
    expect(errors).toEqual([{ token: 1, start, end, message: expect.stringContaining(message) }]);
    // The rest of the view works.
    expect(printFilter(filter)).toEqual(['verdict=dropped', 'port=80']);
  });

  it('accepts prefixes in either order and letter cases', () => {
    const { filter } = parseFilter(['from:!Namespace=a', '! FROM: ns = a', 'PROTO=Tcp', 'port != 80']);
    expect(printFilter(filter)).toEqual(['!from:ns=a', '!from:ns=a', 'proto=tcp', '!port=80']);
    expect(filterKey(filter)).toBe('!from:ns=a\n!port=80\nproto=tcp');
  });

  it('is bounded', () => {
    const many = parseFilter(Array.from({ length: 100_000 }, () => 'port=1'));
    expect(many.filter.terms).toHaveLength(FILTER_LIMITS.tokens);
    expect(many.errors).toHaveLength(1);
    expect(parseFilter(['pod='.padEnd(1 << 20, 'a')]).errors[0].message).toContain('at most');
    expect(parseFilter([`port=${Array.from({ length: 200 }, (_, i) => i).join()}`]).errors[0].message).toContain('128');
  });

  it('survives whatever comes, and prints what it understood so that it reads the same', () => {
    const name = fc.constantFrom(...FILTER_FIELDS.map((field) => field.name), 'bogus', '');
    const value = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '80',
        '443-445',
        '10.1.2.3/9',
        'fd00::1/33',
        '::ffff:1.2.3.4/100',
        'web',
        'a/b',
        'a/B/c',
        'app=web',
      ),
      fc.constantFrom('k8s:a=b', '*', 'a**b', 'syn+ack', 'dropped', 'policy_denied', 'ICMPv6', '2', 'true', 'ingress'),
    );
    const token = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('', '!', 'from:', '!to:', 'to: !'), name, fc.constantFrom('=', ' '), fc.array(value))
        .map(([prefix, field, separator, values]) => `${prefix}${field}${separator}${values.join(',')}`),
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 8 }), (tokens) => {
        const { filter, errors } = parseFilter(tokens);
        expect(filter.terms.length + errors.length).toBe(tokens.length);
        for (const { token: index, start, end } of errors) {
          expect(start).toBeLessThanOrEqual(end);
          expect(start).toBeLessThanOrEqual(tokens[index].length);
        }
        const again = parseFilter(printFilter(filter));
        expect(again).toEqual({ filter, errors: [] });
        compileFilter(filter, new FlowWindow(1));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a compiled filter', () => {
  it('agrees with reading the flow field by field', () => {
    const arbitraryRow: fc.Arbitrary<Row> = fc.record({
      source: fc.constantFrom(...ENDPOINTS),
      destination: fc.constantFrom(...ENDPOINTS),
      sourcePort: fc.constantFrom(0, 80, 41000),
      destinationPort: fc.constantFrom(0, 80, 3306),
      protocol: fc.constantFrom(6, 17, 1),
      verdict: fc.constantFrom(1, 2, 4),
      dropReason: fc.constantFrom(0, 133),
      direction: fc.constantFrom(0, 1, 2),
      reply: fc.constantFrom(0, 1, 2),
      tcpFlags: fc.integer({ min: 0, max: 255 }),
      node: fc.constantFrom('node-1', 'node-2'),
    });
    const sided: [string, (endpoint: Endpoint, port: number, protocol: number) => boolean][] = [
      ['pod=web,maindb-0', (e) => e.pod.startsWith('web') || e.pod.startsWith('maindb-0')],
      ['ns=shop', (e) => e.namespace === 'shop'],
      ['label app', (e) => e.labels.some((label) => label.startsWith('k8s:app='))],
      ['ip=10.0.0.0/8', (e) => e.address.startsWith('10.')],
      ['dns=*.com', (e) => e.names.length > 0],
      ['identity=world', (e) => e.identity === 9],
      ['port=80', (_, port, protocol) => port === 80 && protocol !== 1],
    ];
    const plain: [string, (row: Row) => boolean][] = [
      ['proto=tcp', (row) => row.protocol === 6],
      ['verdict=dropped', (row) => row.verdict === 2],
      ['reason=policy-denied', (row) => row.verdict === 2 && row.dropReason === 133],
      ['tcp-flag=syn+ack', (row) => row.protocol === 6 && (row.tcpFlags & 0x12) === 0x12],
      ['direction=ingress', (row) => row.direction === 1],
      ['reply=true', (row) => row.reply === 1],
      ['node=node-2', (row) => row.node === 'node-2'],
    ];
    const term = fc.tuple(
      fc.boolean(),
      fc.oneof(
        fc.constantFrom(...plain),
        fc.tuple(fc.constantFrom('', 'from:', 'to:'), fc.constantFrom(...sided)).map(([side, [token, holds]]) => {
          const decide = (row: Row) => {
            const from = holds(row.source, row.sourcePort, row.protocol);
            const to = holds(row.destination, row.destinationPort, row.protocol);
            return side === 'from:' ? from : side === 'to:' ? to : from || to;
          };
          return [side + token, decide] as [string, (row: Row) => boolean];
        }),
      ),
    );
    fc.assert(
      fc.property(fc.array(term, { maxLength: 4 }), arbitraryRow, (terms, row) => {
        const tokens = terms.map(([negated, [token]]) => (negated ? `!${token}` : token));
        expect(passes(tokens, row)).toBe(terms.every(([negated, [, decide]]) => decide(row) !== negated));
      }),
      { numRuns: 1000 },
    );
  });
});

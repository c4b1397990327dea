import { describe, expect, it } from 'vitest';
import { allocateColumns } from '../flow/columns.ts';
import { DROP_REASON } from '../flow/drop-reason.ts';
import { NO_ENDPOINT } from '../flow/endpoint.ts';
import { FlowWindow } from '../flow/flow-window.ts';
import { NO_DECISION } from '../flow/policy-decision.ts';
import { PROTOCOL } from '../flow/protocol.ts';
import { TCP_FLAG } from '../flow/tcp-flags.ts';
import { VERDICT } from '../flow/verdict.ts';
import { compileFilter } from './compile-filter.ts';
import { FILTER_FIELDS, filterField } from './fields.ts';
import type { FilterSide } from './filter.ts';
import { parseFilter } from './parse-filter.ts';
import { QUICK_HIDES } from './quick-hides.ts';
import { ValueTally } from './value-tally.ts';

const window = new FlowWindow(8);
const columns = allocateColumns(3);
const WEB = {
  ...NO_ENDPOINT,
  address: '10.0.1.7',
  identity: 0x40000001,
  namespace: 'shop',
  pod: 'web-7d4b',
  workloadKind: 'Deployment',
  workloadName: 'web',
  labels: ['k8s:app=web', 'k8s:odd=a,b'],
};
const DB = { ...WEB, address: '10.0.2.9', namespace: 'data', pod: 'maindb-0', workloadName: 'maindb', labels: [] };
const WORLD = {
  ...NO_ENDPOINT,
  address: '93.184.216.34',
  identity: 2,
  names: ['Example.com.'],
  labels: ['reserved:world'],
};
const POLICY = { kind: 'NetworkPolicy', namespace: 'data', name: 'only-web', rule: 0 };

// Two forwarded to the database, one dropped on its way to the world.
for (const [row, to] of [DB, DB, WORLD].entries()) {
  columns.source[row] = window.endpoints.intern(WEB);
  columns.destination[row] = window.endpoints.intern(to);
  columns.node[row] = window.nodeNumber({ cluster: 'bees', node: 'node-1', bootId: 1n });
  columns.sourcePort[row] = 41_000 + row;
  columns.destinationPort[row] = to === DB ? 3306 : 443;
  columns.protocol[row] = PROTOCOL.TCP;
  columns.tcpFlags[row] = TCP_FLAG.SYN;
  columns.verdict[row] = to === DB ? VERDICT.FORWARDED : VERDICT.DROPPED;
  columns.dropReason[row] = to === DB ? 0 : DROP_REASON.POLICY_DENIED;
}
columns.policy[0] = window.decisions.intern({ ...NO_DECISION, direction: 1, allowedBy: [POLICY] });

function values(name: string, side: FilterSide = 'any', typed = ''): string[] {
  const tally = new ValueTally(filterField(name)!, side, window);
  for (let row = 0; row < 3; row++) tally.add(columns, row);
  return tally.best(typed, 10);
}

describe('live values', () => {
  it.each([
    ['ns', 'any', ['shop', 'data']],
    ['ns', 'to', ['data']],
    ['pod', 'from', ['shop/web-7d4b']],
    ['workload', 'any', ['shop/web', 'data/maindb']],
    ['ip', 'to', ['10.0.2.9', '93.184.216.34']],
    ['dns', 'any', ['example.com']],
    ['identity', 'to', ['1073741825', 'world']],
    ['port', 'any', ['3306', '443']],
    ['port', 'to', ['3306', '443']],
    // Ports of who opened the connection are of no use.
    ['port', 'from', []],
    ['proto', 'any', ['tcp']],
    ['verdict', 'any', ['forwarded', 'dropped']],
    ['reason', 'any', ['policy-denied']],
    ['policy', 'any', ['data/only-web']],
    ['node', 'any', ['node-1']],
    ['tcp-flag', 'any', ['syn']],
    ['http.status', 'any', []],
  ] as const)('of %s (%s) are what the flows have, the most frequent first', (name, side, expected) => {
    expect(values(name, side)).toEqual(expected);
  });

  it('are those that begin with what is typed, then those that contain it', () => {
    expect(values('ip', 'any', '9')).toEqual(['93.184.216.34', '10.0.2.9']);
    expect(values('pod', 'any', 'MAIN')).toEqual(['data/maindb-0']);
  });

  it('can all be written as a token; a label with a comma cannot', () => {
    expect(values('label')).toEqual(['app=web', 'reserved:world']);
    for (const { name, separator } of FILTER_FIELDS) {
      for (const value of values(name)) expect(parseFilter([`${name}${separator}${value}`]).errors).toEqual([]);
    }
  });

  it('find the flows they were taken from', () => {
    for (const { name, separator } of FILTER_FIELDS) {
      for (const value of values(name)) {
        const passes = compileFilter(parseFilter([`${name}${separator}${value}`]).filter, window);
        expect(
          [0, 1, 2].some((row) => passes(columns, row)),
          `${name} ${value}`,
        ).toBe(true);
      }
    }
  });
});

describe('a policy', () => {
  it.each([
    ['policy=only-web', true],
    ['policy=data/only-web', true],
    ['policy=data/', true],
    ['policy=only-*', true],
    ['policy=shop/only-web', false],
    ['!policy=only-web', false],
  ])('%s: %s', (token, expected) => {
    expect(compileFilter(parseFilter([token]).filter, window)(columns, 0)).toBe(expected);
  });
});

describe('a field that none of these flows tells', () => {
  it.each(['http.status=5xx', 'http.status=4+', 'http.method=get', 'http.path=/api/*'])(
    '%s is read and holds for none',
    (token) => {
      const { filter, errors } = parseFilter([token]);
      expect(errors).toEqual([]);
      expect(filterField(filter.terms[0].field)!.unobserved).toMatch(/proxies/);
      expect(compileFilter(filter, window)(columns, 0)).toBe(false);
    },
  );

  it.each(['http.status=600', 'http.status=x', 'http.method=FETCH', 'http.path=api'])('%s is an error', (token) => {
    expect(parseFilter([token]).errors).toHaveLength(1);
  });
});

it('what can be hidden quickly is nothing but tokens', () => {
  for (const { tokens } of QUICK_HIDES) {
    const { filter, errors } = parseFilter(tokens);
    expect(errors).toEqual([]);
    expect(filter.terms.every(({ negated }) => negated)).toBe(true);
  }
});

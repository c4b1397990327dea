import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { card, edge, worldCard } from '../testing/sample-map.ts';
import { type Expression, matchesCard, matchesEdge, parseExpression } from './expression.ts';

const web = card('shop/web', { labels: ['k8s:app=web', 'k8s:tier=front'], replicas: 3 });
const db = card('data/maindb', { workloadKind: 'StatefulSet', nodes: ['node2'] });
const world = worldCard();
const toDb = edge(web, db, 3306, { flows: 12, dropped: 4, rttMicros: 8_000, bytes: 5_000 });
const toWeb = edge(world, web, 443, { flows: 0.5 });

function read(text: string): Expression {
  const parsed = parseExpression(text);
  if (parsed === undefined || 'problem' in parsed) throw new Error(`not an expression: ${JSON.stringify(parsed)}`);
  return parsed;
}

function cardsFound(text: string): string[] {
  const expression = read(text);
  const edges = new Map([
    [web, [toDb, toWeb]],
    [db, [toDb]],
    [world, [toWeb]],
  ]);
  return [...edges].filter(([each, own]) => matchesCard(expression, each, own)).map(([{ name }]) => name);
}

function edgesFound(text: string): number[] {
  const expression = read(text);
  return [
    matchesEdge(expression, toDb, web, db) ? [toDb.port] : [],
    matchesEdge(expression, toWeb, world, web) ? [toWeb.port] : [],
  ].flat();
}

describe('an expression', () => {
  test.each([
    ['web', ['web']],
    ['db', ['maindb']],
    ['*B', ['web', 'maindb']],
    ['!web', ['maindb', 'world']],
    ['ns=shop', ['web']],
    ['ns=shop,data', ['web', 'maindb']],
    ['kind=statefulset', ['maindb']],
    ['kind=world', ['world']],
    ['!kind=workload', ['world']],
    ['label:tier', ['web']],
    ['label:app=main*', ['maindb']],
    ['!label:tier=front', ['maindb', 'world']],
    ['node=node2', ['maindb']],
    ['pods>=3', ['web']],
    ['ns=shop or kind=world', ['web', 'world']],
    ['ns=shop name=nothing', []],
    ['port=3306', ['web', 'maindb']],
    ['ns=data port=3306', ['maindb']],
    ['ns=data and port=3306', ['maindb']],
    ['ns!=shop', ['maindb', 'world']],
    ['!ns!=shop', ['web']],
    ['label:tier!=front', ['maindb', 'world']],
    ['namespace=shop', ['web']],
    ['workload=web', ['web']],
  ])('%s finds cards', (text, names) => {
    expect(cardsFound(text)).toEqual(names);
  });

  test.each([
    ['port=3306', [3306]],
    ['proto=tcp', [3306, 443]],
    ['verdict=dropped', [3306]],
    ['verdict=forwarded', [3306, 443]],
    ['!verdict=dropped', [443]],
    ['rate>10', [3306]],
    ['rate<=0.5', [443]],
    ['rtt>5ms', [3306]],
    ['rtt>9ms', []],
    ['rtt>5', [3306]],
    ['bytes>=5k', [3306]],
    ['drops>0', [3306]],
    ['kind=world port=443', [443]],
    ['kind=world port=3306', []],
  ])('%s finds arrows', (text, ports) => {
    expect(edgesFound(text)).toEqual(ports);
  });

  test.each([
    ['colour=red', 0, 10],
    ['ns=shop port', undefined, undefined],
    ['web rate>fast', 4, 13],
    ['ns=', 0, 3],
    ['ns>shop', 0, 7],
    ['or web', 0, 2],
    ['web or', 4, 6],
    ['!', 0, 1],
  ])('%s is marked where it is wrong', (text, start, end) => {
    const parsed = parseExpression(text);
    if (start === undefined) expect(parsed).toHaveProperty('alternatives');
    else expect(parsed).toMatchObject({ problem: { start, end } });
  });

  test('nothing is no expression; any text is read without throwing', () => {
    expect(parseExpression('  ')).toBeUndefined();
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const parsed = parseExpression(text);
        if (parsed !== undefined && 'problem' in parsed) {
          expect(parsed.problem.end).toBeGreaterThan(parsed.problem.start);
          expect(parsed.problem.end).toBeLessThanOrEqual(text.length);
        }
      }),
    );
  });

  test('a hostile pattern takes no time', () => {
    const long = card(`shop/${'a'.repeat(5_000)}b`);
    const before = process.cpuUsage();
    expect(matchesCard(read(`${'a*'.repeat(200)}c`), long, [])).toBe(false);
    expect(process.cpuUsage(before).user / 1e3).toBeLessThan(500);
  });
});

import { describe, expect, it } from 'vitest';
import { card, edge, mapModel, NOW, worldCard } from '../testing/sample-map.ts';
import { cardDetails, isNew, pairDetails } from './details.ts';
import { foldedKey } from './group.ts';

const web = card('shop/web');
const cart = card('shop/cart');
const db = card('data/maindb');
const world = worldCard();
const model = mapModel(
  [web, cart, db, world],
  [
    edge(world, web, 443, { flows: 5 }),
    edge(web, db, 3306, { flows: 2, forwarded: 15, dropped: 5, rttMicros: 80 }),
    edge(web, db, 33_060, { flows: 9 }),
    edge(cart, db, 3306, { flows: 1 }),
  ],
);

describe('details of a card', () => {
  it('say who connects and whom it reaches, the busiest first', () => {
    const details = cardDetails(model, web.key, NOW)!;
    expect(details.connectsFrom.map(({ source, port }) => [source.name, port])).toEqual([['world', 443]]);
    expect(details.reaches.map(({ destination, port }) => [destination.name, port])).toEqual([
      ['maindb', 33_060],
      ['maindb', 3306],
    ]);
    expect(details.reaches[1]).toMatchObject({ forwardedShare: 0.75, rttMicros: 80, verdict: 'mixed' });
  });

  it('are none for a card that is not on the map', () => {
    expect(cardDetails(model, 'c/shop/Deployment/none', NOW)).toBeUndefined();
  });
});

describe('details of an arrow', () => {
  it('are all that one card opens to another, and nothing of the other way', () => {
    const details = pairDetails(model, { source: web.key, destination: db.key }, 'namespace', NOW)!;
    expect(details.edges.map(({ port }) => port)).toEqual([33_060, 3306]);
    expect(details.total).toMatchObject({ flows: 11, dropped: 5 });
    expect(details.source).toEqual({ key: web.key, name: 'web', namespace: 'shop' });
    expect(pairDetails(model, { source: db.key, destination: web.key }, 'namespace', NOW)).toBeUndefined();
  });

  it('stand for a folded namespace as a whole', () => {
    const pair = { source: foldedKey('c/shop'), destination: db.key };
    const details = pairDetails(model, pair, 'namespace', NOW)!;
    expect(details.source.name).toBe('shop');
    expect(details.edges).toHaveLength(3);
    expect(pairDetails(model, pair, 'node', NOW)).toBeUndefined();
  });
});

describe('new', () => {
  const since = NOW - 3_600_000;
  it.each([
    ['what came up just now', NOW - 5_000, since, true],
    ['what came up an hour ago', NOW - 3_500_000, since, false],
    ['what the server saw as soon as it looked', since + 30_000, since, false],
    ['anything, where the server cannot tell', NOW - 5_000, 0, false],
  ])('is %s: %s', (_, firstSeen, knownSince, expected) => {
    expect(isNew(firstSeen, knownSince, NOW)).toBe(expected);
  });
});

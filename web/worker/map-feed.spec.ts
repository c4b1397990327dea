import { expect, it } from 'vitest';
import { type FeedPort, MapFeed, TAKEN } from './map-feed.ts';
import { MapStore } from './map-store.ts';
import type { MapMessage } from './protocol.ts';

/** A port whose other end takes in what it is told to. */
function portOf() {
  const sent: MapMessage[] = [];
  const port: FeedPort = { postMessage: (message) => sent.push(message), onmessage: null, close: () => {} };
  const take = (count: number) => {
    for (let each = 0; each < count; each++) port.onmessage?.({ data: TAKEN } as MessageEvent<typeof TAKEN>);
  };
  return { port, sent, take };
}

const reset: MapMessage = { type: 'reset' };
const message: MapMessage = { type: 'delta', delta: new MapStore().snapshot() };

it('keeps a bounded number of messages for a map that takes none, and tells it everything when it does', () => {
  const { port, sent, take } = portOf();
  const told: boolean[] = [];
  const feed = new MapFeed(port, (reset) => {
    told.push(reset);
    feed.send(message);
  });
  for (let each = 0; each < 10_000; each++) feed.send(message);
  const kept = sent.length;
  expect(kept).toBeLessThanOrEqual(64);
  take(kept - 1);
  feed.send(message);
  expect({ told, sent: sent.length }).toEqual({ told: [], sent: kept });
  take(1);
  expect({ told, sent: sent.length }).toEqual({ told: [false], sent: kept + 1 });
});

it('says when another view began in what it left out', () => {
  const { port, sent, take } = portOf();
  const told: boolean[] = [];
  const feed = new MapFeed(port, (reset) => told.push(reset));
  for (let each = 0; each < 100; each++) feed.send(each === 50 ? reset : message);
  const before = sent.length;
  take(before);
  for (let each = 0; each < 100; each++) feed.send(message);
  take(sent.length - before);
  expect(told).toEqual([true, false]);
});

it('leaves nothing out for a map that keeps up', () => {
  const { port, sent, take } = portOf();
  const feed = new MapFeed(port, () => expect.fail('nothing was left out'));
  for (let each = 0; each < 1_000; each++) {
    feed.send(message);
    take(1);
  }
  expect(sent).toHaveLength(1_000);
});

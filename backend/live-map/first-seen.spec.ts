import { describe, expect, it } from 'vitest';
import { REPLY } from '#core/flow/direction.ts';
import { FlowWindow } from '#core/flow/flow-window.ts';
import { TRIGGER } from '#core/flow/trigger.ts';
import { VERDICT } from '#core/flow/verdict.ts';
import { DB, pushFlows, type SampleFlow, WEB, WORLD } from '#runtime/testing/sample-flows.ts';
import { FirstSeen } from './first-seen.ts';
import { LiveMap } from './live-map.ts';

const T = 1_790_000_000_000;
const WEB_KEY = 'test/shop/Deployment/web';
const DB_KEY = 'test/data/Deployment/maindb';
const MYSQL = 3306 * 256 + 6;

function seen(...flows: SampleFlow[]): { window: FlowWindow; firstSeen: FirstSeen } {
  const window = new FlowWindow(64);
  const firstSeen = new FirstSeen(window, T);
  for (const flow of flows) {
    pushFlows(window, [flow]);
    firstSeen.rows(window.end - 1, window.end);
  }
  return { window, firstSeen };
}

describe('what was first seen when', () => {
  it('is told per edge and per card, and later flows do not change it', () => {
    const { firstSeen } = seen({ timeMs: T + 5 }, { timeMs: T + 9 }, { timeMs: T + 20, destinationPort: 80 });
    expect(firstSeen.ofEdge(WEB_KEY, DB_KEY, MYSQL)).toBe(T + 5);
    expect(firstSeen.ofEdge(WEB_KEY, DB_KEY, 80 * 256 + 6)).toBe(T + 20);
    expect(firstSeen.ofEdge(DB_KEY, WEB_KEY, MYSQL)).toBeUndefined();
    expect(firstSeen.ofCard(`${WEB_KEY}@node-1`)).toBe(T + 5);
    expect(firstSeen.ofCard('test/shop/Deployment/none')).toBeUndefined();
    expect(firstSeen.sinceMs).toBe(T);
  });

  it('goes by who opened the connection: replies and later records say nothing new', () => {
    const { firstSeen } = seen(
      { source: DB, destination: WEB, sourcePort: 3306, destinationPort: 41_000, reply: REPLY.REPLY },
      { trigger: TRIGGER.INTERVAL, destination: WORLD },
    );
    expect(firstSeen.ofCard(DB_KEY)).toBeUndefined();
    expect(firstSeen.ofCard('//World/world')).toBeUndefined();
  });

  it('counts what was dropped', () => {
    const { firstSeen } = seen({ timeMs: T + 3, verdict: VERDICT.DROPPED, reply: REPLY.UNKNOWN });
    expect(firstSeen.ofEdge(WEB_KEY, DB_KEY, MYSQL)).toBe(T + 3);
  });

  it('is remembered when maps have long forgotten', () => {
    let now = T + 1;
    const { window, firstSeen } = seen({ timeMs: T + 1 });
    const { endpoints, columns } = window;
    const map = new LiveMap({ endpoints, firstSeen, maxAgeMs: 1_000, now: () => now });
    map.add(columns, 0, 1);
    map.tick();
    now = T + 60_000;
    map.tick();
    expect(map.snapshot().edges).toEqual([]);
    pushFlows(window, [{ timeMs: now }]);
    firstSeen.rows(1, 2);
    map.add(columns, 1, 2);
    map.tick();
    const { edges, knownSince } = map.snapshot();
    expect(Number(edges[0].firstSeen!.seconds) * 1000).toBe(T);
    expect(Number(knownSince!.seconds) * 1000).toBe(T);
  });
});

import { timestampFromMs, timestampMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { ResumePoint } from './resume-point.ts';

const NOW = Date.UTC(2026, 10, 21, 9, 0, 0);
const [quick, slow] = [{}, {}];

/** Tells a point of flows by their times, in milliseconds after NOW, and when they came; returns which were new. */
function hear(point: ResumePoint, node: object, times: number[], atMs = 0): boolean[] {
  const name = node === quick ? 'quick' : 'slow';
  return times.map((ms) => point.isNew(`${name}-${ms}`, timestampFromMs(NOW + ms), node, NOW + atMs));
}
const resumed = (point: ResumePoint, atMs: number) => timestampMs(point.resume(NOW + atMs)!) - NOW;

describe('a point to resume at', () => {
  it('is nowhere before a flow has come, and then some seconds before the end', () => {
    const point = new ResumePoint();
    expect(point.resume(NOW)).toBeUndefined();
    hear(point, quick, [9_000], 9_000);
    expect(resumed(point, 60_000)).toBe(4_000);
  });

  it('lets through what came late, and nothing twice', () => {
    const point = new ResumePoint();
    for (let at = 0; at <= 10_000; at += 100) hear(point, quick, [at], at);
    const since = resumed(point, 11_000);
    expect(since).toBeLessThanOrEqual(5_000);
    const again = Array.from({ length: 101 }, (_, index) => index * 100).filter((ms) => ms >= since);
    expect(hear(point, quick, again, 11_000)).toEqual(again.map(() => false));
    expect(hear(point, slow, [5_100, 7_000, 7_000], 11_000)).toEqual([true, true, false]);
    expect(hear(point, quick, [7_050, 11_000], 11_000)).toEqual([true, true]);
  });

  it('is not led astray by a clock that is ahead, nor one behind', () => {
    const [hour, point] = [3_600_000, new ResumePoint()];
    hear(point, quick, [hour], 0);
    hear(point, slow, [-hour], 10);
    expect(resumed(point, 20)).toBe(-hour);
    // What is told again of the one ahead has times that lie before us, too.
    expect(hear(point, quick, [hour, hour + 1], 20)).toEqual([false, true]);
    // Set right, it goes on: what a server tells again it tells at once.
    for (let at = 0; at < 10; at++) hear(point, quick, [2 * hour + at * 1_000], 30);
    resumed(point, 40);
    expect(hear(point, quick, [50], 50)).toEqual([false]);
    expect(hear(point, quick, [61_000], 61_000)).toEqual([true]);
  });

  it('remembers so many, and takes older ones of a node for known', () => {
    const point = new ResumePoint(10);
    const times = Array.from({ length: 1_000 }, (_, index) => index);
    expect(hear(point, quick, times)).not.toContain(false);
    expect(hear(point, slow, [500])).toEqual([true]);
    expect(resumed(point, 1_000)).toBe(-5_000);
    expect(hear(point, quick, times)).not.toContain(true);
    expect(hear(point, slow, [500, 499])).toEqual([false, true]);
  });

  it('takes flows without uuid by their time', () => {
    const point = new ResumePoint();
    const tell = (ms: number) => point.isNew('', timestampFromMs(NOW + ms), quick, NOW);
    expect([tell(1), tell(1), tell(0)]).toEqual([true, true, true]);
    point.resume(NOW);
    expect([tell(0), tell(1), tell(2)]).toEqual([false, false, true]);
    expect(point.isNew('x', undefined, quick, NOW)).toBe(true);
  });
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Camera } from './camera.ts';
import type { MapPainter } from './map-painter.ts';
import type { Picture } from './paint-picture.ts';
import { PaintSchedule } from './paint-schedule.ts';

const SMALL: Camera = { zoom: 1, pan: { x: 0, y: 0 }, width: 800, height: 600 };
const WIDE: Camera = { ...SMALL, width: 1_100 };

/** Of a painter what the schedule asks of it. */
class Painted implements Pick<MapPainter, 'busy' | 'reaches' | 'isSharp' | 'begin' | 'step'> {
  readonly begun: Camera[] = [];
  busy = false;

  reaches({ width }: Camera): boolean {
    return this.begun.at(-1)?.width === width;
  }

  isSharp(camera: Camera): boolean {
    return this.reaches(camera);
  }

  begin(_: Picture, camera: Camera): void {
    this.begun.push(camera);
    this.busy = true;
  }

  step(): void {}
}

let painter: Painted;
let schedule: PaintSchedule;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  painter = new Painted();
  schedule = new PaintSchedule(painter as unknown as MapPainter, () => {});
  frame(SMALL);
  painter.busy = false;
});

afterEach(() => void vi.useRealTimers());

function frame(camera: Camera): number | undefined {
  return schedule.frame({ camera, picture: () => ({}) as Picture });
}

test('what is selected is painted a moment after it', () => {
  schedule.changed();
  const wait = frame(SMALL)!;
  expect(wait).toBeGreaterThan(0);
  expect(painter.begun).toHaveLength(1);
  vi.advanceTimersByTime(wait);
  expect(frame(SMALL)).toBeUndefined();
  expect(painter.begun).toHaveLength(2);
});

test('what is selected is painted once with the size that its details leave to the map', () => {
  schedule.changed();
  frame(SMALL);
  vi.advanceTimersByTime(20);
  schedule.changed();
  frame(WIDE);
  expect(painter.begun).toEqual([SMALL, WIDE]);
  painter.busy = false;
  vi.advanceTimersByTime(1_000);
  expect(frame(WIDE)).toBeUndefined();
  expect(painter.begun).toHaveLength(2);
});

test('changes that go on and on do not keep it from being painted', () => {
  for (let change = 0; change < 10; change++) {
    schedule.changed();
    frame(SMALL);
    vi.advanceTimersByTime(10);
  }
  expect(painter.begun).toHaveLength(2);
});

test('numbers alone leave most of the time to others, however long a painting takes', () => {
  for (const [tookMs, everyMs] of [
    [10, 1_000],
    [250, 2_500],
  ]) {
    schedule.painted(tookMs);
    schedule.changed();
    vi.advanceTimersByTime(1_000);
    frame(SMALL);
    painter.busy = false;
    const paintings = painter.begun.length;
    schedule.numbersChanged();
    expect(frame(SMALL)).toBe(everyMs);
    vi.advanceTimersByTime(everyMs - 1);
    frame(SMALL);
    expect(painter.begun).toHaveLength(paintings);
    vi.advanceTimersByTime(1);
    frame(SMALL);
    expect(painter.begun).toHaveLength(paintings + 1);
    painter.busy = false;
  }
});

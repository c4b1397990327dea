import { describe, expect, test } from 'vitest';
import type { NodeSummary, StatusSummary } from '../worker/protocol.ts';
import { DropWatch } from './drop-watch.ts';
import { StatusWatch } from './status-watch.ts';

function status(states: Record<string, NodeSummary['state']>, losses: Record<string, number> = {}): StatusSummary {
  const nodes = Object.entries(states).map(([name, state]) => ({ name, state, message: `${name} ${state}` }));
  const list = Object.entries(losses).map(([where, count]) => ({ where, count }));
  return { nodes, losses: list } as unknown as StatusSummary;
}

function titles(watch: StatusWatch, steps: readonly StatusSummary[], everyMs = 1_000): string[][] {
  return steps.map((step, index) => watch.next(step, index * everyMs).map(({ title }) => title));
}

describe('nodes', () => {
  test('that go away and come back are told once each', () => {
    const steps = (['connected', 'unavailable', 'unavailable', 'connecting', 'unavailable', 'connected'] as const).map(
      (state) => status({ a: 'connected', b: state }),
    );
    expect(titles(new StatusWatch(), steps)).toEqual([[], ['Node b went away'], [], [], [], ['Node b is back']]);
  });

  test('that were never there are no news', () => {
    const steps = [status({ a: 'connecting' }), status({ a: 'unavailable' }), status({ a: 'connected' })];
    expect(titles(new StatusWatch(), steps)).toEqual([[], [], []]);
  });
});

describe('losses', () => {
  test('from before are no news; new ones are summed up, seldom', () => {
    const watch = new StatusWatch();
    const lost = (count: number) => status({}, { "agent's ring": count });
    expect(watch.next(lost(7), 0)).toEqual([]);
    expect(watch.next(lost(7), 1_000)).toEqual([]);
    expect(watch.next(lost(8), 2_000)).toMatchObject([
      { title: '1 flow was lost on the way here', text: "agent's ring: 1" },
    ]);
    expect(watch.next(lost(50), 3_000)).toEqual([]);
    expect(watch.next(lost(108), 40_000)).toMatchObject([{ title: '100 flows were lost on the way here' }]);
  });

  test('of a server that began anew do not count as negative', () => {
    const watch = new StatusWatch();
    watch.next(status({}, { ring: 100 }), 0);
    expect(watch.next(status({}), 1_000)).toEqual([]);
    expect(watch.next(status({}, { ring: 5 }), 2_000)).toMatchObject([{ text: 'ring: 5' }]);
  });
});

describe('drops', () => {
  const run = (watch: DropWatch, ...perMinute: number[]) =>
    perMinute.flatMap((each, second) => watch.next([{ words: 'a to b port 80', perMinute: each }], second * 1_000));

  test('that come in a burst are told once, with the worst arrows', () => {
    const watch = new DropWatch();
    expect(run(watch, ...Array(10).fill(0))).toEqual([]);
    const [event, ...more] = run(watch, 120, 180, 240, 240);
    expect(event).toMatchObject({ tone: 'bad', title: '120 drops a minute', text: 'a to b port 80: 120/min' });
    expect(more).toEqual([]);
    run(watch, ...Array(10).fill(0));
    expect(run(watch, 200)).toHaveLength(1);
  });

  test('that have been there since the page was opened are usual', () => {
    expect(run(new DropWatch(), ...Array(60).fill(600))).toEqual([]);
  });

  test('that grow slowly, or are few, are no burst', () => {
    const watch = new DropWatch();
    expect(run(watch, ...Array(10).fill(0), ...Array(10).fill(12))).toEqual([]);
    const slow = Array.from({ length: 300 }, (_, second) => 100 + second);
    expect(run(new DropWatch(), ...slow)).toEqual([]);
  });

  test('on many arrows name two and count the rest', () => {
    const watch = new DropWatch();
    run(watch, ...Array(10).fill(0));
    const edges = [10, 60, 30, 20].map((perMinute, index) => ({ words: `arrow ${index}`, perMinute }));
    expect(watch.next(edges, 0)[0]?.text).toBe('arrow 1: 60/min; arrow 2: 30/min; and 2 more');
  });
});

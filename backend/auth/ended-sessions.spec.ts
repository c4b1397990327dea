import { expect, it } from 'vitest';
import { EndedSessions } from './ended-sessions.ts';

const session = (number: number, begunMs = Date.now() + number, endsMs = begunMs + 3_600_000) => ({
  id: `s${number}`,
  begunMs,
  endsMs,
});

it('tells in parts, from any position, each once', () => {
  const ended = new EndedSessions({ sinceMs: 0 });
  for (let number = 0; number < 5; number++) ended.add(session(number));
  ended.add(session(3));
  const first = ended.after(0, 3);
  expect([first.ended.map(({ id }) => id), first.more]).toEqual([['s0', 's1', 's2'], true]);
  const second = ended.after(first.upTo, 3);
  expect([second.ended.map(({ id }) => id), second.more]).toEqual([['s3', 's4'], false]);
  expect(ended.after(second.upTo, 3)).toEqual({ ended: [], upTo: 5, more: false });
});

it('what would have ended by now is not kept', () => {
  const ended = new EndedSessions({ sinceMs: 0, most: 2 });
  const nowMs = Date.now();
  ended.add(session(1, nowMs - 7_200_000, nowMs - 3_600_000));
  expect(ended.size).toBe(0);
  ended.add(session(2, nowMs, nowMs + 1_000), nowMs);
  ended.add(session(3, nowMs, nowMs + 1_000), nowMs);
  ended.add(session(4, nowMs + 200_000, nowMs + 900_000), nowMs + 200_000);
  expect([ended.size, ended.floorMs]).toEqual([1, 0]);
});

it('where it is full, old sessions are over rather than forgotten', () => {
  const ended = new EndedSessions({ sinceMs: 0, most: 3 });
  const nowMs = Date.now();
  for (const age of [5, 1, 3]) ended.add(session(age, nowMs - age));
  const standing = { id: 'another', begunMs: nowMs - 6 };
  expect(ended.has(standing)).toBe(false);
  ended.add(session(2, nowMs - 2));
  expect(ended.floorMs).toBe(nowMs - 5);
  for (const age of [5, 1, 3, 2]) expect(ended.has(session(age, nowMs - age))).toBe(true);
  expect(ended.has(standing)).toBe(true);
  expect(ended.has({ id: 'younger', begunMs: nowMs - 4 })).toBe(false);
  // Also for who hears of it.
  const other = new EndedSessions({ sinceMs: 0 });
  other.raiseFloor(ended.floorMs);
  expect(other.has(standing)).toBe(true);
});

it('a mark ends what began before it, as often as it is told', () => {
  const ended = new EndedSessions({ sinceMs: 0 });
  const nowMs = Date.now();
  const marked = (begunMs: number) => ({ id: `at ${begunMs}`, begunMs, marks: ['sid:1', 'sub:jane'] });
  ended.add({ id: 'sub:jane', begunMs: nowMs, endsMs: nowMs + 1_000 });
  expect([ended.has(marked(nowMs)), ended.has(marked(nowMs + 5)), ended.has({ ...marked(nowMs), marks: [] })]).toEqual([
    ...[true, false, false],
  ]);
  const { upTo } = ended.after(0, 10);
  ended.add({ id: 'sub:jane', begunMs: nowMs + 9, endsMs: nowMs + 1_009 });
  expect(ended.has(marked(nowMs + 5))).toBe(true);
  expect(ended.after(upTo, 10).ended).toMatchObject([{ id: 'sub:jane', begunMs: nowMs + 9 }]);
});

it('what began before it is over, until somebody tells who knows more', () => {
  const nowMs = Date.now();
  const ended = new EndedSessions();
  const before = { id: 'before', begunMs: nowMs - 1_000 };
  expect(ended.has(before)).toBe(true);
  expect(ended.has({ id: 'after', begunMs: Date.now() + 1 })).toBe(false);
  ended.add(session(1, nowMs - 500));
  ended.reachBackTo(nowMs - 5_000);
  expect([ended.has(before), ended.has(session(1, nowMs - 500))]).toEqual([false, true]);
  // Who knows less takes nothing away.
  ended.reachBackTo(nowMs);
  expect(ended.has(before)).toBe(false);
});

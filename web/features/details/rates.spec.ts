import { expect, it } from 'vitest';
import type { Description } from '../../worker/question.ts';
import { inPairs, ratesOf, verdictCounts } from './rates.ts';

const description: Description = {
  members: [],
  omittedMembers: 0,
  stepMs: 3_000,
  drops: [],
  latest: [],
  series: new Map([
    ['a→b:80/6', { forwarded: [3, 6], dropped: [0, 3], audited: [0, 0], opened: [0, 0] }],
    ['a→c:53/17', { forwarded: [0, 3], dropped: [0, 0], audited: [3, 0], opened: [0, 0] }],
  ]),
};

it('flows per step become rates per second, of several edges together', () => {
  expect(ratesOf(description, ['a→b:80/6'])).toMatchObject({ flows: [1, 3], dropped: [0, 1], audited: [0, 0] });
  expect(ratesOf(description, ['a→b:80/6', 'a→c:53/17', 'no such'])).toMatchObject({ flows: [2, 4], audited: [1, 0] });
});

it('what is told of every five seconds is drawn as going on', () => {
  // One flow in each of two steps of three, as a connection that goes on makes them.
  const forwarded = Array.from({ length: 60 }, (_, step) => (step % 3 === 2 ? 0 : 1));
  const none = forwarded.map(() => 0);
  const series = new Map([['a→b:80/6', { forwarded, dropped: none, audited: none, opened: none }]]);
  const { flows } = ratesOf({ ...description, series }, ['a→b:80/6'])!;
  for (const value of flows.slice(5)) expect(Math.abs(value - 0.22)).toBeLessThan(0.05);
});

it('an edge that the server did not tell of had no flows; without an answer nothing is known', () => {
  expect(ratesOf(description, ['no such'])!.flows).toEqual([0, 0]);
  expect(ratesOf(null, ['a→b:80/6'])).toBeUndefined();
});

it('small charts take two steps for one, the newest never alone', () => {
  const rates = { stepMs: 3_000, flows: [9, 1, 3, 5, 5], dropped: [0, 0, 2, 0, 0], audited: [0, 0, 0, 0, 0] };
  expect(inPairs(rates)).toEqual({ stepMs: 6_000, flows: [2, 5], dropped: [1, 0], audited: [0, 0] });
});

it('verdicts are counted over all edges', () => {
  expect(verdictCounts(description)).toEqual({ of: 'flows', forwarded: 12, dropped: 3, audited: 3 });
});

it('connections are counted where some were opened, however many flows each makes', () => {
  const series = new Map([['a→b:80/6', { forwarded: [30, 10], dropped: [5, 5], audited: [0, 40], opened: [6, 14] }]]);
  const counts = verdictCounts({ ...description, series });
  expect(counts).toEqual({ of: 'connections', forwarded: 10, dropped: 10, audited: 10 });
});

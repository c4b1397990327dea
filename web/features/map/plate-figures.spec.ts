import { expect, test } from 'vitest';
import type { CardLive, DoorLive } from '../../graph/live.ts';
import type { SceneCard } from '../../graph/scene.ts';
import { plateFigures } from './plate-figures.ts';

const USUAL: DoorLive = {
  ...{ rate: 10, tries: 10, rttMicros: 200, forwardedShare: 1, answeredShare: -1, p99Micros: 0, verdict: 'forwarded' },
};
const card = (key: string, plate = 'c/shop') => ({ key, plate }) as SceneCard;
const live = (...doors: Partial<DoorLive>[]): CardLive => ({
  ...{ rate: 0, quiet: 0 },
  doors: doors.map((door) => ({ ...USUAL, ...door })),
});

test('a plate tells what its cards receive, each by its rate', () => {
  const figures = plateFigures(
    [card('a'), card('b'), card('c', 'c/other'), card('d', '')],
    new Map([
      ['a', live({ rate: 30, tries: 30 }, { rate: 0, tries: 0, forwardedShare: 0 })],
      ['b', live({ rttMicros: 600, forwardedShare: 0.5, verdict: 'mixed' })],
      ['c', live({ verdict: 'quiet' })],
      ['d', live({})],
    ]),
  );
  expect([...figures]).toEqual([['c/shop', { rate: '40/s', share: '88%', isHurt: true, time: '0.3 ms' }]]);
});

test('where requests are told, failures count, and how long answers take', () => {
  const figures = plateFigures([card('a')], new Map([['a', live({ answeredShare: 0.98, p99Micros: 31_000 })]]));
  expect(figures.get('c/shop')).toMatchObject({ share: '98%', isHurt: true, time: '31 ms' });
});

test('what is not known is not told', () => {
  const figures = plateFigures([card('a')], new Map([['a', live({ rttMicros: 0 })]]));
  expect(figures.get('c/shop')).toEqual({ rate: '10/s', share: '100%', isHurt: false, time: '' });
});

test('what comes in by no door counts as well', () => {
  const hurt = { ...live({}), rest: { ...USUAL, forwardedShare: 0, verdict: 'dropped' } } as const;
  const figures = plateFigures([card('a')], new Map([['a', hurt]]));
  expect(figures.get('c/shop')).toMatchObject({ rate: '20/s', share: '50%', isHurt: true });
});

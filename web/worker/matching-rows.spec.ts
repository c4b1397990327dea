import { expect, it } from 'vitest';
import { REPLY } from '#core/flow/direction.ts';
import { selectionOf } from '../features/frame/selection-of.ts';
import { rowMatcher } from './matching-rows.ts';
import { PageWindow } from './page-window.ts';
import { DB, pushFlows, WEB, WEB_2, WORLD } from './testing/sample-flows.ts';

const WEB_KEY = 'kind/shop/Deployment/web';
const DB_KEY = 'kind/data/Deployment/maindb';
const window = new PageWindow(16);
pushFlows(
  window,
  {},
  { source: DB, destination: WEB_2, reply: REPLY.REPLY },
  { source: DB, destination: WEB },
  { source: WEB, destination: WORLD },
  { source: DB, destination: WEB, reply: REPLY.UNKNOWN },
);

const rows = (key: string | null) => {
  const matches = rowMatcher(window, selectionOf(key, undefined));
  return [0, 1, 2, 3, 4].filter((row) => matches(row));
};

it('a card has the rows that it sends or gets', () => {
  expect(rows(null)).toEqual([0, 1, 2, 3, 4]);
  expect(rows(DB_KEY)).toEqual([0, 1, 2, 4]);
  expect(rows('//World/world')).toEqual([3]);
});

it('an arrow has the rows of connections opened that way, their replies, and those that do not say', () => {
  expect(rows(`${WEB_KEY}>${DB_KEY}`)).toEqual([0, 1, 4]);
  expect(rows(`${DB_KEY}>${WEB_KEY}`)).toEqual([2, 4]);
  expect(selectionOf(`${WEB_KEY}>${DB_KEY}`, undefined)?.name).toBe('web to maindb');
});

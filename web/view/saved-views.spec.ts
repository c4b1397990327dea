import { beforeEach, describe, expect, it } from 'vitest';
import {
  addViews,
  exportViews,
  importViews,
  MOST_VIEWS,
  readViews,
  removeView,
  savedViewsStore,
  saveView,
} from './saved-views.ts';

const PAGE = 'https://waggle.example/map/';
const names = () => savedViewsStore.get().map(({ name }) => name);

beforeEach(() => {
  for (const { name } of savedViewsStore.get()) removeView(name);
});

describe('saved views', () => {
  it('have names; the same name again replaces', () => {
    expect(saveView('Shop', '?namespace=shop')).toBeUndefined();
    expect(saveView(' Drops ', '?verdict=dropped')).toBeUndefined();
    expect(saveView('Shop', '?namespace=shop&filter=port=80')).toBeUndefined();
    expect(savedViewsStore.get()).toEqual([
      { name: 'Drops', query: '?verdict=dropped' },
      { name: 'Shop', query: '?namespace=shop&filter=port=80' },
    ]);
    removeView('Drops');
    expect(names()).toEqual(['Shop']);
  });

  it('refuse a name that is none, and more than there is room for', () => {
    expect(saveView('  ', '')).toMatch(/1 to 80/);
    for (let index = 0; index < MOST_VIEWS; index++) saveView(`view ${index}`, '');
    expect(saveView('one more', '')).toMatch(/room for 100/);
    expect(saveView('view 7', '?view=list')).toBeUndefined();
  });

  it('are handed on as links and read in again', () => {
    saveView('Shop, all of it', '?namespace=shop');
    saveView('Drops', '?verdict=dropped&filter=label+app=web');
    const text = exportViews(savedViewsStore.get(), PAGE);
    const saved = savedViewsStore.get();
    for (const { name } of saved) removeView(name);
    const { views, problems } = importViews(text);
    expect(problems).toEqual([]);
    addViews(views);
    expect(savedViewsStore.get()).toEqual(saved);
  });

  it('are read from links alone, too; what is no link is said by its line', () => {
    const { views, problems } = importViews(`${PAGE}?view=table\n\nnothing here\nMine ?verdict=audit`);
    expect(views).toEqual([
      { name: 'Imported 1', query: '?view=table' },
      { name: 'Mine', query: '?verdict=audit' },
    ]);
    expect(problems).toEqual(['Line 3 is no link to a view: nothing here']);
  });

  it('keep nothing of a link but the view', () => {
    expect(importViews('Odd javascript:alert(1)').views).toEqual([]);
    expect(importViews('Odd https://evil.example/?view=table&steal=1').views).toEqual([
      { name: 'Odd', query: '?view=table' },
    ]);
  });

  it('survive what storage may hold', () => {
    for (const text of [null, '', '{', '{}', '[1, null, {"name": 3}]']) expect(readViews(text)).toEqual([]);
    expect(readViews('[{"name": "A", "query": "?view=list", "more": 1}]')).toEqual([
      { name: 'A', query: '?view=list' },
    ]);
  });
});

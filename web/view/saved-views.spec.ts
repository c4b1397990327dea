import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  addViews,
  exportViews,
  importViews,
  MOST_VIEWS,
  readViews,
  removeView,
  renameView,
  savedViewsStore,
  saveView,
} from './saved-views.ts';

const PAGE = 'https://waggle.example/map/';
const names = () => savedViewsStore.get().map(({ name }) => name);

/** What browsers keep for a page. */
const kept = new Map<string, string>();
const storage = {
  getItem: (name: string) => kept.get(name) ?? null,
  setItem: (name: string, value: string) => void kept.set(name, value),
};

beforeEach(() => {
  vi.stubGlobal('localStorage', storage);
  for (const { name } of savedViewsStore.get()) removeView(name);
});

afterEach(() => vi.unstubAllGlobals());

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

  it('of another tab stay, also where nobody heard of them', () => {
    saveView('Mine', '?namespace=shop');
    kept.set(
      'waggle.views',
      JSON.stringify([{ name: 'Another tab’s', query: '?view=list' }, ...savedViewsStore.get()]),
    );
    saveView('Mine too', '');
    expect(names()).toEqual(['Another tab’s', 'Mine', 'Mine too']);
    removeView('Another tab’s');
    expect(JSON.parse(kept.get('waggle.views')!)).toHaveLength(2);
  });

  it('say so where they will not last', () => {
    const full = () => {
      throw new DOMException('full', 'QuotaExceededError');
    };
    vi.stubGlobal('localStorage', { ...storage, setItem: full });
    expect(saveView('Mine', '')).toMatch(/until the page is closed/);
    expect(names()).toEqual(['Mine']);
    vi.stubGlobal('localStorage', storage);
    removeView('Mine');
  });

  it('get another name, which no other has', () => {
    saveView('Shop', '?namespace=shop');
    saveView('Drops', '?verdict=dropped');
    expect(renameView('Shop', ' The shop ')).toBeUndefined();
    expect(savedViewsStore.get()).toEqual([
      { name: 'Drops', query: '?verdict=dropped' },
      { name: 'The shop', query: '?namespace=shop' },
    ]);
    expect(renameView('The shop', 'Drops')).toMatch(/already/);
    expect(renameView('The shop', '  ')).toMatch(/1 to 80/);
    expect(renameView('Shop', 'Anything')).toMatch(/no view Shop/);
    expect(renameView('Drops', 'Drops')).toBeUndefined();
    expect(names()).toEqual(['Drops', 'The shop']);
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

import { describe, expect, it } from 'vitest';
import type { Layer7 } from './layer7.ts';
import { Layer7Store } from './layer7-store.ts';

const request = (path: string, id: string): Layer7 => ({
  type: 1,
  record: {
    kind: 'http',
    code: 0,
    method: 'GET',
    url: `http://cart/${path}`,
    protocol: 'HTTP/1.1',
    headers: [{ name: 'X-Request-Id', value: id }],
  },
  traceId: id,
  shortened: false,
});

const held = (store: Layer7Store, entry: Layer7) => {
  const number = store.intern(entry);
  store.retain(number);
  return number;
};

describe('records of layer 7', () => {
  it('are held once if equal, and as long as they are referred to', () => {
    const store = new Layer7Store();
    const number = held(store, request('a', '1'));
    expect(held(store, request('a', '1'))).toBe(number);
    expect(held(store, request('a', '2'))).not.toBe(number);
    store.release(number);
    expect(store.get(number)).toEqual(request('a', '1'));
    store.release(number);
    expect(store.holds(number)).toBe(false);
    expect(held(store, request('b', '3'))).toBe(number);
  });

  it('lose headers and ids first, then what was asked for, the oldest first; the newest is whole', () => {
    const store = new Layer7Store({ full: 4_000, plain: 4_000 });
    const numbers = Array.from({ length: 40 }, (_, index) => held(store, request(`p${index}`, `${index}`)));
    expect(store.get(numbers[39])).toEqual(request('p39', '39'));
    const urls = numbers.map((number) => {
      const { record } = store.get(number);
      return record?.kind === 'http' ? { url: record.url, headers: record.headers.length } : undefined;
    });
    const bare = urls.filter((each) => each?.url === '').length;
    const whole = urls.filter((each) => each?.headers === 1).length;
    expect(bare).toBeGreaterThan(10);
    expect(whole).toBeGreaterThan(2);
    // In this order: bare, plain, whole.
    expect(urls.findIndex((each) => each?.url !== '')).toBe(bare);
    expect(urls.findIndex((each) => each?.headers === 1)).toBe(40 - whole);
    expect(store.get(numbers[0])).toMatchObject({ type: 1, shortened: true, record: { method: 'GET' } });
    expect(store.shortened).toBeGreaterThan(0);
  });

  it('take bounded memory however many different ones come, and however many go', () => {
    const store = new Layer7Store({ full: 40_000, plain: 20_000 });
    const numbers: number[] = [];
    for (let index = 0; index < 20_000; index++) numbers.push(held(store, request(`p${index}`, `${index}`)));
    // What is bare is the same object for all that are equal.
    expect(store.get(numbers[0])).toBe(store.get(numbers[1]));
    for (const number of numbers) store.release(number);
    expect(store.size).toBe(1);
    for (let index = 0; index < 20_000; index++) store.release(held(store, request(`p${index}`, `${index}`)));
    expect(store.size).toBe(1);
    // Room is there again for whole ones.
    expect(store.get(held(store, request('new', 'x')))).toEqual(request('new', 'x'));
  });

  it('are known to caches to have changed', () => {
    const store = new Layer7Store({ full: 2_000, plain: 4_000 });
    const first = held(store, request('a', '1'));
    const generation = store.generation(first);
    for (let index = 0; index < 8; index++) held(store, request('a', `more ${index}`));
    expect(store.get(first).record).toMatchObject({ headers: [] });
    expect(store.generation(first)).not.toBe(generation);
  });
});

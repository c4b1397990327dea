import { expect, it } from 'vitest';
import type { Endpoint } from '#core/flow/endpoint.ts';
import type { Layer7 } from '#core/flow/layer7.ts';
import { WORLD } from '#runtime/testing/sample-flows.ts';
import { marked, requestOf } from '../testing/guarded-answers.ts';
import { Visibility } from './visibility.ts';

it('a hidden Service’s own address is a hidden end; a backend outside that it stands for is not', () => {
  const visibility = new Visibility(['shop'], () => 'test');
  const [own, hidden] = [marked('shop', 0).service!, marked('vault', 0).service!];
  const at = (address: string, service: Endpoint['service']) =>
    visibility.endpoint({ ...WORLD, address, service, names: [] });
  expect(at(own.address, own)).toMatchObject({ address: own.address, service: own });
  expect(at(hidden.address, hidden)).toMatchObject({ address: '', namespace: 'vault', workloadKind: 'Hidden' });
  expect(at(hidden.address, { ...hidden, address: '' })).toMatchObject({ address: '', workloadKind: 'Hidden' });
  const outside = at(WORLD.address, hidden);
  expect([outside.address, outside.service, outside.identity]).toEqual([WORLD.address, undefined, WORLD.identity]);
});

it('of a request to a hidden end, its host and its headers are not told; of a name, what may be named', () => {
  const visibility = new Visibility(['shop'], () => 'test');
  const [web, db] = [marked('shop', 0), marked('data', 0)];
  const http = requestOf('http', web, db, 'data');
  const seen = requestOf('http', web, marked('shop', 1), 'shop');
  expect(visibility.request(seen, false)).toBe(seen);
  expect(visibility.request(http, true)).toMatchObject({
    shortened: true,
    record: { method: 'GET', code: 200, url: '/a?b=c', headers: [] },
  });
  const at = (url: string) => ({ ...http, record: { ...http.record, url } }) as Layer7;
  for (const [url, left] of [
    ['db.data.svc:443', ''],
    ['/only/a/path', '/only/a/path'],
    ['https://u:p@db.data.svc', ''],
    ['HTTPS://db.data.svc/x', '/x'],
  ] as const) {
    expect(visibility.request(at(url), true).record).toMatchObject({ url: left });
  }
  const named = requestOf('dns', web, db, 'shop');
  expect(visibility.request(named, true)).toBe(named);
  expect(visibility.request(requestOf('dns', web, db, 'data'), false).record).toMatchObject({
    query: '',
    cnames: [],
    ips: [],
  });
});

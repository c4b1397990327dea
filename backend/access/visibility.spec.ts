import { expect, it } from 'vitest';
import type { Layer7 } from '#core/flow/layer7.ts';
import { marked, requestOf } from '../testing/guarded-answers.ts';
import { Visibility } from './visibility.ts';

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

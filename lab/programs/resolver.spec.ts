import { expect, test } from 'vitest';
import { resolvConf } from '../kubelet/resolv-conf.ts';
import { candidates, parseResolvConf } from './resolver.ts';

const config = parseResolvConf(resolvConf('shop', ['10.0.0.2']));

test("a pod's resolv.conf", () => {
  expect(config).toEqual({
    nameservers: ['10.0.0.2'],
    search: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
    ndots: 5,
  });
});

test('short names go through the search list first, long and closed ones do not', () => {
  const ask = (name: string) => candidates(name, config.search, config.ndots);
  expect(ask('db')).toEqual(['db.shop.svc.cluster.local', 'db.svc.cluster.local', 'db.cluster.local', 'db']);
  expect(ask('db.other')[1]).toBe('db.other.svc.cluster.local');
  expect(ask('a.b.c.d.e.f')[0]).toBe('a.b.c.d.e.f');
  expect(ask('db.')).toEqual(['db']);
});

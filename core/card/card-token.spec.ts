import { describe, expect, it } from 'vitest';
import { parseFilter } from '../filter/parse-filter.ts';
import { cardToken } from './card-token.ts';

describe('the token of a card', () => {
  it.each([
    ['c/shop/Deployment/web', 'workload=shop/Deployment/web'],
    ['c/shop/Deployment/web@node-1', 'workload=shop/Deployment/web'],
    ['c/shop/Pod/debug', 'pod=shop/debug'],
    ['//World/world', 'identity=world'],
    ['//World/api.example.com', 'dns=api.example.com'],
    ['//World/203.0.113.0/24', 'ip=203.0.113.0/24'],
    ['//World/2001:db8::/32', 'ip=2001:db8::/32'],
    ['c//Host/host', 'identity=host'],
    ['c//RemoteNode/kube-apiserver', 'identity=kube-apiserver'],
    ['c//Unknown/unknown', 'identity=unknown'],
  ])('%s is %s', (key, token) => {
    expect(cardToken(key)).toBe(token);
    expect(cardToken(key, 'from')).toBe(`from:${token}`);
    expect(parseFilter([`to:${token}`]).errors).toEqual([]);
  });

  it('is none for what no filter can say', () => {
    expect(cardToken('//World/office')).toBeUndefined();
    expect(cardToken('plate:c/shop')).toBeUndefined();
    expect(cardToken('')).toBeUndefined();
  });
});

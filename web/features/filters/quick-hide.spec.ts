import { expect, it } from 'vitest';
import { QUICK_HIDES } from '#core/filter/quick-hides.ts';
import { hiddenBy, isHidden, withHidden } from './quick-hide.ts';
import { canonicalToken, splitTokens, tokenError, whyUnobserved } from './token-check.ts';

const [host, , , prometheus] = QUICK_HIDES;

it('hiding and showing again leaves the rest of the filter as it was', () => {
  const hidden = withHidden(prometheus, ['port=80'], true);
  expect(hidden).toEqual(['port=80', '!label app=prometheus', '!label app.kubernetes.io/name=prometheus']);
  expect(isHidden(prometheus, hidden)).toBe(true);
  expect(isHidden(host, hidden)).toBe(false);
  expect(withHidden(prometheus, hidden, false)).toEqual(['port=80']);
});

it('what was written by hand counts as well', () => {
  expect(isHidden(host, ['! identity = host'])).toBe(tokenError('! identity = host') === undefined);
  expect(isHidden(host, ['!identity=HOST'])).toBe(true);
  expect(withHidden(host, ['!identity=1'], false)).toEqual([]);
});

it('counts what all of its tokens hide', () => {
  const counts = prometheus.tokens.map((token, index) => ({ token, flows: 10 + index, flowsPerSecond: 0.5 }));
  expect(hiddenBy(prometheus, [...counts, { token: '!port=53', flows: 99, flowsPerSecond: 9 }])).toEqual({
    flows: 21,
    flowsPerSecond: 1,
  });
});

it('tokens are known by their one form', () => {
  expect(canonicalToken('protocol=TCP')).toBe('proto=tcp');
  expect(canonicalToken('bogus=1')).toBe('bogus=1');
  expect(splitTokens('port=80,443, ns=shop')).toEqual(['port=80,443', 'ns=shop']);
  expect(splitTokens('port=80 !from:ns=shop  proto=tcp  label app=web port!=1')).toEqual([
    'port=80',
    '!from:ns=shop',
    'proto=tcp',
    'label app=web',
    'port!=1',
  ]);
  expect(splitTokens('label ns=web, ! from: label a=b, port = 80, http.path=/a b=c')).toEqual([
    'label ns=web',
    '! from: label a=b',
    'port = 80',
    'http.path=/a b=c',
  ]);
  expect(splitTokens(`'!ip=10.0.0.0/8', "ns=shop"`)).toEqual(['!ip=10.0.0.0/8', 'ns=shop']);
  expect(splitTokens('ip=1.1.1.1,dns=google.com,example.com,!from:port=53')).toEqual([
    'ip=1.1.1.1',
    'dns=google.com,example.com',
    '!from:port=53',
  ]);
  // A label may be called so.
  expect(splitTokens('label app=web,port=80')).toEqual(['label app=web,port=80']);
  expect(splitTokens('port=80,')).toEqual(['port=80,']);
  expect(whyUnobserved('http.status=5xx')).toMatch(/no flow tells requests here/);
  expect(whyUnobserved('port=80')).toBeUndefined();
});

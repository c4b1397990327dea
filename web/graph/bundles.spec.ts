import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bundlesOf, bundleTitle, isBundle, standsFor } from './bundles.ts';

const teams = (count: number) =>
  Array.from({ length: count }, (_, i) => `c/${['payments', 'search', 'ml'][i % 3]}-${['dev', 'prod'][i % 2]}-${i}`);

test('plates whose names begin alike are one bundle', () => {
  expect(bundlesOf(teams(300), 12)).toEqual([
    'c/ml-dev-*',
    'c/ml-prod-*',
    'c/payments-dev-*',
    'c/payments-prod-*',
    'c/search-dev-*',
    'c/search-prod-*',
  ]);
  expect(bundleTitle('c/ml-dev-*')).toBe('ml-dev-*');
  expect(['c/ml-dev-*', 'c/ml-dev-2', 'plain'].map(isBundle)).toEqual([true, false, false]);
});

test('one more namespace makes no other bundles', () => {
  expect(bundlesOf([...teams(300), 'c/ml-dev-new'], 12)).toEqual(bundlesOf(teams(300), 12));
});

test('whatever the names are: few enough, and no plate in two', () => {
  const name = fc.stringMatching(/^c\/[a-c0-2-]{1,6}$/);
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 200 }), (plates) => {
      const bundles = bundlesOf(plates, 20);
      const single = plates.filter((plate) => !bundles.some((bundle) => standsFor(bundle, plate)));
      expect(bundles.length + single.length).toBeLessThanOrEqual(20);
      for (const plate of plates) {
        expect(bundles.filter((bundle) => standsFor(bundle, plate)).length).toBeLessThanOrEqual(1);
      }
      for (const bundle of bundles)
        expect(plates.filter((plate) => standsFor(bundle, plate)).length).toBeGreaterThan(1);
    }),
  );
});

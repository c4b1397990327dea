import { expect, test } from 'vitest';
import { programNames } from './program-names.ts';
import { programs } from './registry.ts';

test('manifests may name exactly the programs there are', () => {
  expect([...programNames].sort()).toEqual(Object.keys(programs).sort());
});

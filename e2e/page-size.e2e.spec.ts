import { expect, test } from 'vitest';
import { buildWeb } from '../scripts/build-web.ts';
import { bundleSize, FIRST_MAP_BUDGET, SHELL_BUDGET } from '../scripts/bundle-size.ts';

test('the page loads no more than it may until its frame answers, and until the first map', async () => {
  const { shell, firstMap, files } = bundleSize(await buildWeb());
  const largest = files.toSorted((a, b) => b.gzip - a.gzip).slice(0, 5);
  const told = largest.map(({ file, gzip }) => `${file} ${gzip}`).join(', ');
  expect(shell, told).toBeLessThanOrEqual(SHELL_BUDGET);
  expect(firstMap, told).toBeLessThanOrEqual(FIRST_MAP_BUDGET);
  // What hears the pointer is loaded behind the first map.
  expect(firstMap, told).toBeLessThan(FIRST_MAP_BUDGET * 0.75);
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { glob } from './glob.ts';

describe('a glob', () => {
  it('agrees with the regular expression of the same pattern', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[ab*]{0,8}$/),
        fc.stringMatching(/^[ab]{0,10}$/),
        fc.boolean(),
        (pattern, text, open) => {
          const expression = new RegExp(`^${pattern.replaceAll('*', '.*')}${open ? '.*' : ''}$`);
          expect(glob(pattern, open)(text)).toBe(expression.test(text));
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('cannot be made slow', () => {
    const before = process.cpuUsage();
    expect(glob(`${'*a'.repeat(500)}b`)('a'.repeat(100_000))).toBe(false);
    expect(process.cpuUsage(before).user / 1e3).toBeLessThan(500);
  });
});

import { expect, it } from 'vitest';
import { externalPorts } from './external-ports.ts';

it.each([
  ['32768\t60999', '', 61_000, 4_536, false],
  ['32768\t65535', '', 10_000, 20_000, false],
  ['20000\t65535', '', 10_000, 10_000, false],
  ['1024\t65535', '', 61_000, 4_536, true],
  ['1024\t65535', '8080,61000-65535\n', 61_000, 4_536, false],
  ['1024\t65535', '50000-55000', 50_000, 5_001, false],
  ['1024\t61000', '', 61_001, 4_535, false],
])(
  'where sockets are given %s and "%s" is reserved, takes %i and %i ports',
  (range, reserved, first, ports, troubled) => {
    const found = externalPorts(range, reserved);
    expect(found).toMatchObject({ firstPort: first, ports });
    expect(found.problem !== '').toBe(troubled);
  },
);

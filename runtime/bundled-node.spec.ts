import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { bundledNode } from './bundled-node.mjs';

const root = mkdtempSync(join(tmpdir(), 'waggle-node-'));
const link = join(root, 'node_modules/.bin/node');
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('without dependencies there is none', () => {
  expect(bundledNode(root)).toBeUndefined();
});

test.each([`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`])(
  'is found in %s, and linked where npm has taken the link away',
  (name) => {
    const program = join(root, 'node_modules', name, 'bin/node');
    mkdirSync(dirname(program), { recursive: true });
    mkdirSync(dirname(link), { recursive: true });
    writeFileSync(program, '');
    expect(bundledNode(root)).toBe(program);
    expect(realpathSync(link)).toBe(realpathSync(program));
    expect(bundledNode(root)).toBe(link);
  },
);

test('is found where the link cannot be made', () => {
  const program = join(root, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  mkdirSync(dirname(program), { recursive: true });
  writeFileSync(program, '');
  expect(bundledNode(root)).toBe(program);
  expect(existsSync(link)).toBe(false);
});

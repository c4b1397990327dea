import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RunDirectory } from './run-directory.ts';

let folder: string;
let run: RunDirectory;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'waggle-run-'));
  run = new RunDirectory(join(folder, 'agent'));
  run.create();
});
afterEach(() => rmSync(folder, { recursive: true }));

test('keeps what the next agent will want, whole', () => {
  run.write('boots.json', '[1]');
  expect(new RunDirectory(run.path).read('boots.json')).toBe('[1]');
  expect(run.read('losses.json')).toBe('');
  expect(readdirSync(run.path)).toEqual(['boots.json']);
});

test('what cannot be written is a problem, and is made up for', () => {
  rmSync(run.path, { recursive: true });
  run.write('losses.json', '{"a":1}');
  run.write('losses.json', '{"a":2}');
  run.write('boots.json', '[]');
  expect(run.problem).toMatch(/agent\/boots\.json cannot be written: ENOENT/);
  run.settle();
  expect(run.problem).not.toBe('');

  mkdirSync(run.path);
  run.settle();
  expect(run.problem).toBe('');
  expect(run.read('losses.json')).toBe('{"a":2}');
  expect(run.read('boots.json')).toBe('[]');
});

test('forgets everything when it is cleaned', () => {
  for (const name of ['boots.json', 'losses.json', 'policy-reasons.json'] as const) run.write(name, '[]');
  run.clean();
  expect(readdirSync(run.path)).toEqual([]);
});

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const WEB = join(import.meta.dirname, '..');
const SOURCES = readdirSync(WEB, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(tsx|css)$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(WEB, path), 'utf8') }));

test('what moves by itself is opacity or position, for 120 to 200 ms', () => {
  const classes = SOURCES.flatMap(({ path, text }) =>
    [...text.matchAll(/\b(?:transition-[a-z]+|duration-\d+)/g)].map(([word]) => ({ path, word })),
  ).filter(({ word }) => word !== 'transition-duration');
  const odd = classes.filter(({ word }) => {
    const [, milliseconds] = /^duration-(\d+)/.exec(word) ?? [];
    if (milliseconds !== undefined) return Number(milliseconds) < 120 || Number(milliseconds) > 200;
    return !['transition-opacity', 'transition-transform'].includes(word);
  });
  expect(classes.length).toBeGreaterThan(0);
  expect(odd).toEqual([]);
});

test('what turns while one waits stands still for who wants less motion', () => {
  const turning = SOURCES.flatMap(({ path, text }) =>
    [...text.matchAll(/[^"'`]*animate-(?!none)[^"'`]*/g)].map(([words]) => ({ path, words })),
  );
  expect(turning.filter(({ words }) => !words.includes('motion-reduce:animate-none'))).toEqual([]);
});

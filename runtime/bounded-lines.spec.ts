import fc from 'fast-check';
import { expect, test } from 'vitest';
import { boundedLines } from './bounded-lines.ts';

async function* inPieces(text: string, size: number): AsyncGenerator<string> {
  for (let from = 0; from < text.length; from += size) yield text.slice(from, from + size);
}

const linesOf = (text: string, size: number, most = 1_000) => Array.fromAsync(boundedLines(inPieces(text, size), most));

test('lines are the same however their text is cut', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'é', '{', ' '), maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.constantFrom('\n', '\r\n'),
      fc.integer({ min: 1, max: 9 }),
      async (all, end, size) => {
        expect(await linesOf(all.map((text) => text + end).join(''), size)).toEqual(all);
      },
    ),
  );
});

test('the last line needs no end, unless it would be one that was cut off', async () => {
  expect(await linesOf('one\ntwo', 2)).toEqual(['one', 'two']);
  expect(await Array.fromAsync(boundedLines(inPieces('one\ntwo', 2), 9, 'cut off'))).toEqual(['one']);
  expect(await linesOf('', 2)).toEqual([]);
});

test('a line that is too long is told once and passed over, in one piece or many', async () => {
  const text = `abc\n${'x'.repeat(50)}\nabcd\n${'y'.repeat(5)}`;
  for (const size of [1, 3, 4, 7, 100])
    expect(await linesOf(text, size, 4), `${size}`).toEqual(['abc', undefined, 'abcd', undefined]);
});

test('a line without end is told before it ends, and not held', async () => {
  let given = 0;
  async function* endless(): AsyncGenerator<string> {
    for (;;) yield 'x'.repeat(++given && 1_000);
  }
  const lines = boundedLines(endless(), 10_000);
  expect(await lines.next()).toEqual({ done: false, value: undefined });
  expect(given).toBe(11);
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { polling } from './polling.ts';

const page = { visibilityState: 'visible' };
let asked: number;
let answer: () => Promise<void>;
const problems: string[] = [];
const watch = polling(
  1_000,
  () => {
    asked++;
    return answer();
  },
  (problem) => problems.push(problem),
);

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('document', page);
  asked = 0;
  answer = async () => {};
  problems.length = 0;
  page.visibilityState = 'visible';
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test('who watches together asks once, at once and then every so often, until nobody does', async () => {
  const [one, two] = [watch(), watch()];
  expect(asked).toBe(1);
  await vi.advanceTimersByTimeAsync(2_500);
  expect(asked).toBe(3);
  one();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toBe(4);
  two();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(asked).toBe(4);
});

test('nobody asks a second time while there is no answer, nor while the page is hidden', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  answer = () => promise;
  watch()();
  const stop = watch();
  expect(asked).toBe(1);
  resolve();
  page.visibilityState = 'hidden';
  await vi.advanceTimersByTimeAsync(5_000);
  expect(asked).toBe(1);
  page.visibilityState = 'visible';
  await vi.advanceTimersByTimeAsync(1_000);
  expect(asked).toBe(2);
  stop();
});

test('that there was no answer is told, and it is asked again', async () => {
  answer = async () => {
    throw new Error('nobody is there');
  };
  const stop = watch();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(problems).toEqual(['nobody is there', 'nobody is there']);
  stop();
});

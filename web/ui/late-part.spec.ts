import { afterEach, beforeEach, expect, test, vi } from 'vitest';

vi.mock('../live/session-client.ts', () => ({ connectionStore: { get: () => ({ phase: 'live' }) } }));

const { untilLoaded } = await import('./late-part.ts');

const failure = new TypeError('Failed to fetch dynamically imported module: http://waggle.example/assets/part-1.js');
const answers: (number | undefined)[] = [];

beforeEach(() => {
  vi.useFakeTimers();
  answers.length = 0;
  vi.stubGlobal('fetch', async (file: string, { method }: RequestInit) => {
    expect([file, method]).toEqual(['http://waggle.example/assets/part-1.js', 'HEAD']);
    const status = answers.length > 1 ? answers.shift() : answers[0];
    if (status === undefined) throw new TypeError('Failed to fetch');
    return new Response(null, { status });
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** How it went after ten minutes in which the part failed to load so many times. */
async function loaded(failures: number): Promise<string> {
  let left = failures;
  let outcome = 'waits';
  const load = async () => {
    if (left-- > 0) throw failure;
    return 'loaded';
  };
  void untilLoaded(load).then(
    (part) => {
      outcome = part;
    },
    () => {
      outcome = 'given up';
    },
  );
  await vi.advanceTimersByTimeAsync(600_000);
  return outcome;
}

test('while nobody answers, or a proxy is too busy, a part is waited for, though a stream may still be open', async () => {
  answers.push(undefined);
  expect(await loaded(Infinity)).toBe('waits');
  expect(await loaded(20)).toBe('loaded');
  answers.splice(0, 1, 503, 502, 401, 503);
  expect(await loaded(20)).toBe('loaded');
});

test('a part that who answers does not have, or that needs another such part, is given up after three times', async () => {
  for (const status of [404, 200]) {
    answers.splice(0, answers.length, status);
    expect(await loaded(2)).toBe('loaded');
    expect(await loaded(3)).toBe('given up');
  }
});

import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { JANE, NAMESPACES } from '../testing/guarded-answers.ts';
import { Permissions } from './permissions.ts';

it('who asks after somebody whose questions failed is answered', async () => {
  const namespaces = Array.from({ length: 200 }, (_, index) => `ns-${index}`);
  const permissions = new Permissions(
    async ({ user }, namespace) => {
      await nextTurn();
      if (namespace !== undefined && user === JANE.user) throw new Error('the API server is away');
      return namespace !== undefined;
    },
    () => namespaces,
  );
  const [first, second] = await Promise.allSettled([permissions.of(JANE), permissions.of({ ...JANE, user: 'tom' })]);
  expect(first.status).toBe('rejected');
  expect(second).toMatchObject({ status: 'fulfilled', value: new Set(namespaces) });
});

it('what was refused is asked about again later than what was allowed', async () => {
  const asked: string[] = [];
  const granted = new Set(['shop']);
  const permissions = new Permissions(
    async (_, namespace = '*') => {
      asked.push(namespace);
      return granted.has(namespace);
    },
    () => NAMESPACES,
    1_000,
  );
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const ask = async (laterMs: number) => {
    asked.length = 0;
    vi.advanceTimersByTime(laterMs);
    return [...((await permissions.of(JANE)) as ReadonlySet<string>)];
  };
  expect([await ask(0), asked]).toEqual([['shop'], ['*', ...NAMESPACES]]);
  granted.add('data');
  expect([await ask(1_001), asked]).toEqual([['shop'], ['*', 'shop']]);
  granted.delete('shop');
  expect([await ask(1_001), asked]).toEqual([[], ['*', 'shop']]);
  expect([await ask(6_001), asked]).toEqual([['data'], ['*', ...NAMESPACES]]);
});

it('asks once while nobody answers', async () => {
  let asked = 0;
  const answer = Promise.withResolvers<boolean>();
  const permissions = new Permissions(
    () => {
      asked++;
      return answer.promise;
    },
    () => NAMESPACES,
    0,
  );
  const asking = [
    permissions.of(JANE),
    new Promise((resolve) => setTimeout(resolve, 5)).then(() => permissions.of(JANE)),
  ];
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(asked).toBe(1);
  answer.resolve(true);
  expect(await Promise.all(asking)).toEqual(['all', 'all']);
});

it('lets nobody in while nobody can tell what they may see', async () => {
  const permissions = new Permissions(
    async () => {
      throw new Error('the API server is away');
    },
    () => NAMESPACES,
  );
  await expect(permissions.of(JANE)).rejects.toThrow('away');
  expect(permissions.size).toBe(0);
});

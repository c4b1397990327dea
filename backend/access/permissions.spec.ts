import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
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

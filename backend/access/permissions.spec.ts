import { expect, it } from 'vitest';
import { JANE, NAMESPACES } from '../testing/guarded-answers.ts';
import { Permissions } from './permissions.ts';

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

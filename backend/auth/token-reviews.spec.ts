import { expect, it } from 'vitest';
import type { ApiClient } from '#runtime/kubernetes/api-client.ts';
import { tokenReview } from './token-reviews.ts';

/** Who a token names, where the API server answers so. */
function reviewed(audiences: string[], status: object) {
  const client = { request: async () => ({ status }) } as unknown as Pick<ApiClient, 'request'>;
  return tokenReview(client, audiences)('a token');
}

const JANE = { authenticated: true, user: { username: 'jane' } };

it('where audiences are wanted, a token names somebody only if the API server says that it is for one of them', async () => {
  expect(await reviewed([], JANE)).toMatchObject({ user: 'jane' });
  expect(await reviewed(['waggle'], { ...JANE, audiences: ['other', 'waggle'] })).toMatchObject({ user: 'jane' });
  // One that knows nothing of audiences has not looked for whom the token was made.
  expect(await reviewed(['waggle'], JANE)).toBeUndefined();
  expect(await reviewed(['waggle'], { ...JANE, audiences: ['https://kubernetes.default.svc'] })).toBeUndefined();
});

it('what is not authenticated, or has no name, is nobody', async () => {
  expect(await reviewed([], { ...JANE, authenticated: false })).toBeUndefined();
  expect(await reviewed([], { authenticated: true, user: {} })).toBeUndefined();
  expect(await reviewed([], {})).toBeUndefined();
});

import { create } from '@bufbuild/protobuf';
import { afterEach, expect, it, vi } from 'vitest';
import { ViewService } from '#proto/gen/waggle/v1/view_pb.ts';
import { Code } from '#runtime/grpc/service.ts';
import { closeGuarded, marked, openGuarded } from '../testing/guarded-answers.ts';

/** For a busy machine. */
const SOON = { timeout: 20_000 };

afterEach(closeGuarded);

it('cuts a stream when what its reader may see changes, and refuses who may see nothing', async () => {
  const may = new Set(['shop']);
  const { call, gate } = await openGuarded([{ source: marked('shop', 0), destination: marked('data', 0) }], may);
  const watching = (async () => {
    for await (const _ of call(`${ViewService.typeName}/Watch`, { flows: true, map: true }));
  })();
  const ended = expect(watching).rejects.toMatchObject({ code: Code.PERMISSION_DENIED });
  await vi.waitFor(() => expect(gate.audiences).toBe(1), SOON);
  may.delete('shop');
  await ended;
  await expect(call(`${ViewService.typeName}/Status`, {}).next()).rejects.toMatchObject({
    code: Code.PERMISSION_DENIED,
    message: 'jane may not get pods in any namespace',
  });
});

it('ends a stream whose reader may see more by now, so that it begins anew', async () => {
  const may = new Set(['shop']);
  const { call, gate } = await openGuarded([], may);
  const watching = (async () => {
    for await (const _ of call(`${ViewService.typeName}/Watch`, { map: true }));
  })();
  const ended = expect(watching).rejects.toMatchObject({ code: Code.ABORTED });
  await vi.waitFor(() => expect(gate.audiences).toBe(1), SOON);
  may.add('data');
  await ended;
});

it('outlives an API server that restarts, not one that stays away', async () => {
  const may: Set<string> & { away?: boolean } = new Set(['shop']);
  // A check that comes later than half of this finds it away for too long.
  const checkMs = 1_200;
  const { call } = await openGuarded([], may, { checkMs });
  const responses = call(`${ViewService.typeName}/Watch`, { flows: true, map: true });
  await responses.next();
  may.away = true;
  await new Promise((resolve) => setTimeout(resolve, checkMs + 100));
  may.away = false;
  const until = Date.now() + 2 * checkMs;
  while (Date.now() < until) expect((await responses.next()).done).toBe(false);
  may.away = true;
  const read = async () => {
    while (!(await responses.next()).done);
  };
  await expect(read()).rejects.toMatchObject({ code: Code.UNAVAILABLE });
});

it('shows nothing any more while it is not known for long what may be shown', async () => {
  const may: Set<string> & { hangs?: boolean } = new Set(['shop']);
  const { call } = await openGuarded([], may, { checkMs: 50, overdueMs: 500 });
  const responses = call(`${ViewService.typeName}/Watch`, { map: true });
  await responses.next();
  may.hangs = true;
  const read = async () => {
    while (!(await responses.next()).done);
  };
  await expect(read()).rejects.toMatchObject({ code: Code.UNAVAILABLE, message: expect.stringContaining('too long') });
});

it('refuses whoever has not said who they are', async () => {
  const { services } = await openGuarded([], new Set(['*']));
  for (const method of services.flatMap(({ methods }) => methods)) {
    const context = { signal: new AbortController().signal, peer: 'test' };
    const answer = method.invoke(create(method.descriptor.input, {}), context);
    const first = method.streaming
      ? (answer as AsyncIterable<unknown>)[Symbol.asyncIterator]().next()
      : (answer as Promise<unknown>);
    await expect(first, method.path).rejects.toMatchObject({ code: Code.UNAUTHENTICATED });
  }
});

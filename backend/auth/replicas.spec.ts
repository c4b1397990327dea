import { writeFile } from 'node:fs/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WatchRequestSchema } from '#proto/gen/waggle/v1/view_pb.ts';
import { Code } from '#runtime/grpc/service.ts';
import { SignInSite } from '../testing/sign-in-site.ts';
import { REPLICA_PATH } from './replicas.ts';

let site: SignInSite;
beforeEach(async () => {
  site = await SignInSite.create();
});
afterEach(() => site.close());

type Replica = Awaited<ReturnType<SignInSite['start']>>;

/** Replicas that know of each other. */
async function several(count: number): Promise<{ replicas: Replica[]; addresses: string[] }> {
  const addresses: string[] = [];
  const replicas: Replica[] = [];
  for (let number = 0; number < count; number++) {
    replicas.push(await site.start({ replicas: addresses }));
    addresses.push(new URL(replicas.at(-1)!.backend.url).host);
  }
  await eventually(async () => replicas.every(({ others }) => others!.answering === count - 1));
  return { replicas, addresses };
}

const kept = (from: Replica, to: Replica) => {
  for (const [name, value] of from.jar) to.jar.set(name, value);
};

async function eventually(what: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 20_000; !(await what()); ) {
    if (Date.now() > deadline) throw new Error('it did not come about');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const knows = async (replica: Replica) => {
  const answer = await replica.call(replica.own);
  return answer.code === Code.OK;
};

it('who signs out at one is signed out at all, also on a stream that is open there, and after the one is gone', async () => {
  const { replicas } = await several(3);
  const [first, second, third] = replicas as [Replica, Replica, Replica];
  await first.signIn('admins-token');
  for (const other of [second, third]) {
    kept(first, other);
    expect(await knows(other)).toBe(true);
  }
  const message = toBinary(WatchRequestSchema, create(WatchRequestSchema, { map: true }));
  const stream = await fetch(`${second.backend.url}/api/waggle.v1.ViewService/Watch`, {
    method: 'POST',
    headers: {
      cookie: [...second.jar].map(([name, value]) => `${name}=${value}`).join('; '),
      'content-type': 'application/grpc-web+proto',
    },
    body: Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]),
  });
  const ended = stream.text();
  expect((await first.ask('/logout', { method: 'POST', headers: first.own })).status).toBe(204);
  await first.backend.close();
  await eventually(async () => !(await knows(second)) && !(await knows(third)));
  expect(await ended).toMatch(/grpc-status: ?16/);
});

it('where all answer, they know before one is told to have signed out', async () => {
  const { replicas } = await several(2);
  const [first, second] = replicas as [Replica, Replica];
  for (let round = 0; round < 5; round++) {
    await first.signIn('janes-token');
    kept(first, second);
    expect(await knows(second)).toBe(true);
    await first.ask('/logout', { method: 'POST', headers: first.own });
    expect(await knows(second)).toBe(false);
  }
});

it('one that starts later knows before it answers', async () => {
  const { replicas, addresses } = await several(1);
  const [first] = replicas as [Replica];
  await first.signIn('janes-token');
  const jar = new Map(first.jar);
  await first.ask('/logout', { method: 'POST', headers: first.own });
  const late = await site.start({ replicas: addresses });
  for (const [name, value] of jar) late.jar.set(name, value);
  expect(await knows(late)).toBe(false);
  expect((await late.signIn('janes-token', late.own)).status).toBe(303);
  expect(await knows(late)).toBe(true);
});

it('signing out does not wait for those that do not answer, nor for the API server', async () => {
  // Nothing listens there, and there nobody takes what is sent.
  const first = await site.start({ replicas: ['127.0.0.1:1', 'no-such-name.invalid:12000'] });
  await first.signIn('janes-token');
  const jar = new Map(first.jar);
  site.reviews.broken = true;
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect((await first.ask('/logout', { method: 'POST', headers: first.own })).status).toBe(204);
  site.reviews.broken = false;
  for (const [name, value] of jar) first.jar.set(name, value);
  expect(await knows(first)).toBe(false);
});

it('nobody else ends sessions, or hears of them', async () => {
  const { replicas, addresses } = await several(2);
  const [first, second] = replicas as [Replica, Replica];
  await first.signIn('janes-token');
  const tell = (body: string, headers: Record<string, string> = {}) =>
    first.ask(REPLICA_PATH, { method: 'POST', headers: { 'content-type': 'text/plain', ...headers }, body });
  const ask = { nonce: 'n', from: 'x', to: '', heard: 0, floorMs: Date.now() + 1_000, ended: [], upTo: 0, more: false };
  const cookie = [...first.jar.values()][0]!;
  for (const body of ['', 'x', JSON.stringify(ask), cookie, second.seal.seal('ended-answer', ask)]) {
    expect((await tell(body)).status).toBe(403);
  }
  expect((await tell(second.seal.seal('ended-ask', ask).slice(0, -2))).status).toBe(403);
  expect((await tell('x'.repeat(200_000))).status).toBe(413);
  expect((await tell('x', { origin: 'http://evil.example' })).status).toBe(403);
  expect((await first.ask(REPLICA_PATH, { headers: first.own })).status).not.toBe(200);
  expect(await knows(first)).toBe(true);
  const { text } = await first.ask('/metrics', { headers: { authorization: 'Bearer admins-token' } });
  expect(text).toContain('waggle_backend_replicas 1');
  // Other keys, other sessions.
  const keyFile = `${site.keyFile}-of-others`;
  await writeFile(keyFile, `${'z'.repeat(40)}\n`);
  const stranger = await site.start({ keyFile, replicas: addresses });
  await stranger.signIn('janes-token');
  await stranger.ask('/logout', { method: 'POST', headers: stranger.own });
  expect(await knows(first)).toBe(true);
});
